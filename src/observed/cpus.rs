//! Which CPUs a host has, and which of them it lets us use.

use crate::values::CpuList;

/// The CPUs of a host, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostCpus {
    /// Those that are online; none where it does not tell.
    online: Option<CpuList>,
    /// Those that the control group of our account may use; none where it does not tell.
    allowed: Option<CpuList>,
}

impl HostCpus {
    /// Reads `ONLINE ALLOWED`, lists as the kernel writes them, or `-`.
    ///
    /// # Errors
    /// Where one is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list = |text: &str| match text {
            "-" => Ok(None),
            list => list.parse::<CpuList>().map(Some),
        };
        let (online, allowed) = text.split_once(' ').ok_or("these are not two lists of CPUs")?;
        Ok(Self { online: list(online)?, allowed: list(allowed)? })
    }

    /// Says why a node can't be pinned to a CPU; `confined` where it starts in the control group of our account.
    pub fn refuses(&self, cpu: u32, confined: bool) -> Option<String> {
        if let Some(online) = self.online.as_ref().filter(|online| !online.contains(cpu)) {
            return Some(format!("CPU {cpu} is not online there (online: {online})"));
        }
        let allowed = self.allowed.as_ref().filter(|allowed| confined && !allowed.contains(cpu))?;
        Some(format!("CPU {cpu} is outside the control group's CPUs ({allowed})"))
    }
}

#[cfg(test)]
mod tests {
    use super::HostCpus;

    #[test]
    fn a_cpu_that_is_not_there_is_refused() {
        let cpus = HostCpus::parse("0-2,4 0-1").unwrap();
        assert_eq!(cpus.refuses(1, true), None);
        assert_eq!(cpus.refuses(48, false).as_deref(), Some("CPU 48 is not online there (online: 0-2,4)"));
        assert_eq!(cpus.refuses(3, true).as_deref(), Some("CPU 3 is not online there (online: 0-2,4)"));
        let why = cpus.refuses(2, true);
        assert_eq!(why.as_deref(), Some("CPU 2 is outside the control group's CPUs (0-1)"));
        assert_eq!(cpus.refuses(2, false), None);
        // What is not told refuses nothing.
        assert_eq!(HostCpus::parse("- -").unwrap().refuses(7, true), None);
        for text in ["", "-", "x 0", "0 0-99999999", "0 ", " 0", "\u{1b}[31m -"] {
            assert!(HostCpus::parse(text).is_err(), "{text:?}");
        }
    }
}
