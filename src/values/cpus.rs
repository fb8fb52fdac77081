//! Lists of CPUs.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

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

    fn push(&mut self, text: &str) -> Result<(), String> {
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
        list.push(text)?;
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

/// One element of a list: a number, or a text.
struct Element(String);

impl FromStr for Element {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::scalar(deserializer, "a CPU number or a range such as `2-9`")
    }
}

struct Cpus;

impl<'de> Visitor<'de> for Cpus {
    type Value = CpuList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CPU list such as `2-9`, `0-14:2` or `[2, 4]`")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CpuList, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CpuList, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CpuList, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CpuList, A::Error> {
        let mut parts = Vec::new();
        while let Some(Element(text)) = seq.next_element()? {
            parts.push(text);
        }
        if parts.is_empty() { Ok(CpuList::default()) } else { self.visit_str(&parts.join(",")) }
    }
}

impl<'de> Deserialize<'de> for CpuList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Cpus)
    }
}

impl schemars::JsonSchema for CpuList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CpuList".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "CPUs in the order in which workers take them: 2-9, 0-14:2, [2, 4].",
            "type": ["string", "integer", "array"],
            "items": { "type": ["string", "integer"] },
            "examples": ["2-9", "0-14:2"]
        })
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
    fn lists_of_yaml_may_mix_numbers_and_ranges() {
        let list: CpuList = serde_yaml::from_str("[2, 4, 8-9]").unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), [2, 4, 8, 9]);
        assert_eq!(serde_yaml::from_str::<CpuList>("3").unwrap().len(), 1);
        assert_eq!(serde_yaml::from_str::<CpuList>("[2, 2]").unwrap().len(), 2);
        assert!("0-8191,".repeat(3).trim_end_matches(',').parse::<CpuList>().is_err());
        assert!(serde_yaml::from_str::<CpuList>("true").is_err());
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
