//! Lists of CPUs.

use std::fmt;
use std::str::FromStr;

use super::text::cut;

/// The first CPU number that no Linux has (`NR_CPUS` is at most 8192).
const CPUS: u16 = 8192;

/// The most CPUs that a list names: as many as a cluster may have nodes.
const MOST: usize = 20_000;

/// CPUs in the order in which workers take them: `2-9`, `0-14:2` (every second), `1,3,8-11`, `[2, 4]`.
/// Kept as ranges, so that a list costs what its text costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuList(Vec<Range>);

/// First, last, step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range(u16, u16, u16);

impl CpuList {
    /// Goes through the CPUs.
    pub fn iter(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.0.iter().flat_map(|r| (r.0..=r.1).step_by(usize::from(r.2))).map(u32::from)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|r| usize::from((r.1 - r.0) / r.2) + 1).sum()
    }

    /// Tells whether a CPU is one of them.
    pub fn contains(&self, cpu: u32) -> bool {
        self.0.iter().any(|r| {
            let (first, last, step) = (u32::from(r.0), u32::from(r.1), u32::from(r.2));
            (first..=last).contains(&cpu) && (cpu - first).is_multiple_of(step)
        })
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what a text names: one number, a range, or several with commas between them.
    ///
    /// # Errors
    /// What is wrong with it, or that the list is too long.
    pub fn append(&mut self, text: &str) -> Result<(), String> {
        let wrong = |why: &str| format!("`{}` is not a CPU list such as `2-9`, `0-14:2` or `[2, 4]`{why}", cut(text));
        let number = |part: &str| -> Result<u16, String> {
            let part = part.trim();
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong(""));
            }
            match part.parse::<u16>() {
                Ok(number) if number < CPUS => Ok(number),
                _ => Err(wrong(": Linux counts CPUs from 0 to at most 8191")),
            }
        };
        for part in text.split(',') {
            let (range, step) = match part.split_once(':') {
                Some((range, step)) => (range, number(step)?),
                None => (part, 1),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None if part.contains(':') => return Err(wrong(": a step needs a range, such as `0-14:2`")),
                None => (number(range)?, number(range)?),
            };
            if last < first {
                return Err(wrong(": a range ends before it begins"));
            }
            if step == 0 {
                return Err(wrong(": a step is at least 1"));
            }
            self.0.push(Range(first, last, step));
        }
        // One CPU may stand there several times: nodes share it then.
        if self.len() > MOST {
            return Err(wrong(&format!(": it names more than {MOST} CPUs")));
        }
        Ok(())
    }
}

impl FromStr for CpuList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        list.append(text)?;
        Ok(list)
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Range(first, last, step)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match (first == last, step) {
                (true, _) => write!(f, "{comma}{first}")?,
                (_, 1) => write!(f, "{comma}{first}-{last}")?,
                _ => write!(f, "{comma}{first}-{last}:{step}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(text: &str) -> Vec<u32> {
        text.parse::<CpuList>().unwrap().iter().collect()
    }

    #[test]
    fn lists_ranges_and_strides() {
        assert_eq!(cpus("2-5"), [2, 3, 4, 5]);
        assert_eq!(cpus("0-7:2"), [0, 2, 4, 6]);
        assert_eq!(cpus("7, 1-2"), [7, 1, 2]);
        assert_eq!("0-7:2,9".parse::<CpuList>().unwrap().len(), 5);
        for wrong in ["", "a", "5-2", "1-", "-1", "1:2", "0-4:0", "0-4294967295", "9000", "1-2-3", "99999999999"] {
            assert!(wrong.parse::<CpuList>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_grow_up_to_a_bound() {
        let mut list = CpuList::default();
        for part in ["2", "4", "8-9", "2"] {
            list.append(part).unwrap();
        }
        assert_eq!(list.iter().collect::<Vec<_>>(), [2, 4, 8, 9, 2]);
        assert!("0-8191,".repeat(3).trim_end_matches(',').parse::<CpuList>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_back(first in 0..CPUS, length in 0..100u16, step in 1..9u16) {
            let list = CpuList(vec![Range(first, (first + length).min(CPUS - 1), step)]);
            let read: CpuList = list.to_string().parse().unwrap();
            proptest::prop_assert_eq!(list.iter().collect::<Vec<_>>(), read.iter().collect::<Vec<_>>());
            proptest::prop_assert_eq!(read.len(), read.iter().count());
            let all: Vec<u32> = read.iter().collect();
            proptest::prop_assert!((0..u32::from(CPUS)).all(|cpu| read.contains(cpu) == all.contains(&cpu)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}|[0-9,:-]{0,20}") {
            let _ = text.parse::<CpuList>();
        }
    }
}
