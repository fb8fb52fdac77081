//! The values that are one of a few words.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::values::word;

/// Makes an enum of words: its names, `Deserialize` with a hint, `JsonSchema`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            const ALL: &'static [Self] = &[$(Self::$word),*];
            const WORDS: &'static [&'static str] = &[$($text),*];

            /// Returns the word as the description writes it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let at = word(deserializer, Self::WORDS)?;
                Self::ALL.get(at).copied().ok_or_else(|| D::Error::custom("no such word"))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": Self::WORDS })
            }
        }
    };
}

words! {
    /// How logs in the archive are compressed.
    Compress {
        /// By gzip(1).
        Gzip = "gzip",
        /// By zstd(1).
        Zstd = "zstd",
        /// Not at all.
        None = "none",
    }
}

words! {
    /// What the nodes of a group are.
    Role {
        /// Coordinates the cluster.
        Manager = "manager",
        /// Writes logs.
        Logger = "logger",
        /// Shares work that workers hand to it.
        Proxy = "proxy",
        /// Looks at packets.
        Worker = "worker",
        /// A Zeek without a cluster.
        Standalone = "standalone",
        /// A time machine, up to Zeek 7.0; not run by us.
        TimeMachine = "time_machine",
        /// A controller; not run by us.
        Control = "control",
    }
}

words! {
    /// How nodes talk to each other.
    Backend {
        /// Broker.
        Broker = "broker",
        /// ZeroMQ.
        Zeromq = "zeromq",
    }
}

words! {
    /// Whether ZeroMQ encrypts and authenticates.
    Curve {
        /// Where nodes of several hosts talk over it, from Zeek 8.2 on.
        Auto = "auto",
        /// Always.
        On = "on",
        /// Never.
        Off = "off",
    }
}

words! {
    /// Where nodes serve metrics.
    MetricsListen {
        /// On loopback.
        Loopback = "loopback",
        /// On the node's own address.
        Node = "node",
        /// On all addresses.
        Any = "any",
        /// Nowhere.
        Off = "off",
    }
}

words! {
    /// What keeps nodes running.
    Runner {
        /// A supervisor of ours, one for each node.
        Process = "process",
        /// systemd units.
        Systemd = "systemd",
    }
}

words! {
    /// Whether a node that ended by itself is started again.
    Restart {
        /// After a pause that grows.
        OnCrash = "on-crash",
        /// Not at all.
        Never = "never",
    }
}

words! {
    /// Which entries of the layout are an input of a worker.
    Layout {
        /// Its own, the manager's, the loggers' and the proxies'.
        Minimal = "minimal",
        /// All.
        Full = "full",
    }
}

words! {
    /// Where a store keeps its data.
    StoreBackend {
        /// In memory.
        Memory = "memory",
        /// In a file of `SQLite`.
        Sqlite = "sqlite",
        /// In a `RocksDB` folder.
        Rocksdb = "rocksdb",
    }
}

words! {
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
}

words! {
    /// How checksums are validated.
    ChecksumMode {
        /// Not at all.
        Off = "CHECKSUM_OFF",
        /// By the kernel's word.
        Kernel = "CHECKSUM_KERNEL",
        /// By Zeek.
        On = "CHECKSUM_ON",
    }
}
