//! Values that are one of a few words; a description, the resolved cluster and a stored release write them alike.

use serde_json::{Value as Json, json};

use super::text::{BadValue, TextValue, cut, nearest};

/// Makes an enum of words, and what reads and writes them.
macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $word_doc:literal])* $word:ident = $text:literal,)* })*) => { $(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $word_doc])* $word,)* }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$word),*];
            const WORDS: &'static [&'static str] = &[$($text),*];

            /// Returns the word as the description and the output write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }

            fn of(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$word),)* _ => None }
            }
        }

        impl TextValue for $name {
            const NAME: &'static str = stringify!($name);

            fn expected() -> String {
                list(Self::WORDS)
            }

            fn schema() -> Json {
                json!({ "type": "string", "enum": Self::WORDS })
            }

            fn read(text: &str) -> Result<Self, BadValue> {
                Self::of(text).ok_or_else(|| unknown(text, Self::WORDS))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::of(&text).ok_or_else(|| serde::de::Error::custom(unknown(&text, Self::WORDS).message))
            }
        }
    )* };
}

/// Says which words there are, and which one was probably meant.
fn unknown(text: &str, words: &[&'static str]) -> BadValue {
    // With a namespace of Zeek's, as zeekctl and scripts write it.
    let bare = text.rsplit("::").next().unwrap_or(text);
    let near = nearest(bare, words.iter().copied());
    let message = format!("`{}` is not {}", cut(text), list(words));
    BadValue { message, help: near.map(|word| format!("did you mean `{word}`?")) }
}

fn list(words: &[&'static str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|w| format!("`{w}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

words! {
    /// What a node is. The order is the one in which nodes start and are listed.
    Role {
        /// Writes logs.
        Logger = "logger",
        /// Coordinates the cluster; writes logs where there is no logger.
        Manager = "manager",
        /// Shares work that workers hand to it.
        Proxy = "proxy",
        /// Looks at packets.
        Worker = "worker",
        /// A Zeek without a cluster.
        Standalone = "standalone",
        /// A time machine: an entry of the layout, up to Zeek 7.0; clusterctl does not run it.
        TimeMachine = "time_machine",
        /// A controller: an entry of the layout; clusterctl does not run it.
        Control = "control",
    }

    /// How nodes of a cluster talk to each other.
    Backend {
        Broker = "broker",
        /// ZeroMQ.
        Zeromq = "zeromq",
    }

    /// Whether ZeroMQ encrypts and authenticates.
    Curve {
        /// Where nodes of several hosts use it, from Zeek 8.2 on.
        Auto = "auto",
        On = "on",
        Off = "off",
    }

    /// Whether something is done.
    Toggle {
        On = "on",
        Off = "off",
    }

    /// Where nodes serve metrics (Zeek 7.0 and later).
    Metrics {
        Loopback = "loopback",
        /// On the node's own address.
        Node = "node",
        /// On all addresses.
        Any = "any",
        Off = "off",
    }

    /// How logs in the archive are compressed.
    Compress {
        /// By gzip(1).
        Gzip = "gzip",
        /// By zstd(1).
        Zstd = "zstd",
        None = "none",
    }

    /// What keeps nodes running on their hosts.
    RunnerKind {
        /// A supervisor of clusterctl's, one for each node.
        Process = "process",
        /// systemd units.
        Systemd = "systemd",
    }

    /// Whether a node that ended by itself is started again.
    Restart {
        /// After a pause that grows.
        OnCrash = "on-crash",
        Never = "never",
    }

    /// Which entries of the layout are an input of a worker.
    LayoutInputs {
        /// Its own, the manager's, the loggers' and the proxies'.
        Minimal = "minimal",
        /// All (for scripts that count workers or use the worker pool).
        Full = "full",
    }

    /// Where a store keeps its data.
    StoreBackend {
        Memory = "memory",
        /// In a file of `SQLite`.
        Sqlite = "sqlite",
        /// In a `RocksDB` folder.
        Rocksdb = "rocksdb",
    }

    /// How the kernel shares packets between the members of a fanout group.
    FanoutMode {
        /// By the flow's hash.
        Hash = "FANOUT_HASH",
        /// By the CPU that took the packet.
        Cpu = "FANOUT_CPU",
        /// By the card's queue.
        Qm = "FANOUT_QM",
        /// By a classic BPF program.
        Cbpf = "FANOUT_CBPF",
        /// By an eBPF program.
        Ebpf = "FANOUT_EBPF",
    }

    /// Who validates checksums.
    ChecksumMode {
        /// Nobody.
        Off = "CHECKSUM_OFF",
        Kernel = "CHECKSUM_KERNEL",
        /// Zeek.
        On = "CHECKSUM_ON",
    }
}

impl Role {
    /// Tells whether clusterctl runs nodes of this role.
    pub fn runs(self) -> bool {
        !matches!(self, Self::TimeMachine | Self::Control)
    }
}
