//! Names as a person sorts and lists them: `worker-2` before `worker-10`, and `worker-1..10` for all ten.

use std::cmp::Ordering;

/// Compares two names; numbers in them by their value. Equal only if they are the same.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(x), Some(y)) = (left.first(), right.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (number(&mut left), number(&mut right));
            m.len().cmp(&n.len()).then(m.cmp(n))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// Takes the digits off the front; returns them without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    &digits[zeros..]
}

/// The fewest names that become a range.
const SHORTEST: usize = 3;

/// Lists names in natural order, each once; three and more that count up by one become a range (`worker-1..8`).
pub fn ranges<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable_by(|a, b| compare(a, b));
    names.dedup();
    let mut list = Vec::new();
    let mut rest = names.as_slice();
    while let Some((first, _)) = rest.split_first() {
        let run = match counted(first) {
            Some((stem, start)) => (0..)
                .zip(rest)
                .take_while(|(i, name)| {
                    start.checked_add(*i).is_some_and(|number| counted(name) == Some((stem, number)))
                })
                .count(),
            None => 1,
        };
        let (run, after) = rest.split_at(run.max(1));
        match (counted(first), run.last().copied().and_then(counted)) {
            (Some(_), Some((_, end))) if run.len() >= SHORTEST => list.push(format!("{first}..{end}")),
            _ => list.extend(run.iter().map(|name| (*name).to_owned())),
        }
        rest = after;
    }
    list
}

/// Splits a name into what stands before its last number, and that number; none if it ends otherwise, or has zeros in
/// front.
fn counted(name: &str) -> Option<(&str, u64)> {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, number) = name.split_at(name.len() - digits);
    if stem.is_empty() || number.starts_with('0') && number.len() > 1 {
        return None;
    }
    Some((stem, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count_up_are_a_range() {
        let list = |names: &[&str]| ranges(names.iter().copied()).join(", ");
        assert_eq!(list(&["w-10", "w-9", "w-8", "w-11", "m"]), "m, w-8..11");
        assert_eq!(list(&["a-1", "a-2", "b-1"]), "a-1, a-2, b-1");
        assert_eq!(list(&["a-1", "a-2", "a-4", "a-5", "a-6", "a-4"]), "a-1, a-2, a-4..6");
        assert_eq!(list(&["w-08", "w-09", "w-10", "7", "8", "9"]), "7, 8, 9, w-08, w-09, w-10");
        assert_eq!(
            list(&["w-18446744073709551615", "w-99999999999999999999"]),
            "w-18446744073709551615, w-99999999999999999999"
        );
        assert_eq!(list(&[]), "");
    }

    #[test]
    fn numbers_count() {
        let mut names = ["w-10", "w-2", "a", "w-1-x", "w-1", "w-02", "w"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["a", "w", "w-1", "w-1-x", "w-02", "w-2", "w-10"]);
    }

    proptest::proptest! {
        #[test]
        fn it_is_an_order(a in "[a-b0-2-]{0,6}", b in "[a-b0-2-]{0,6}", c in "[a-b0-2-]{0,6}") {
            proptest::prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            proptest::prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                proptest::prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
