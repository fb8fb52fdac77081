//! Words of zeekctl's `node.cfg` and `zeekctl.cfg` that stand in a description, and what clusterctl has for them.

/// Keys in lowercase, and what to write.
const WORDS: &[(&str, &str)] = &[
    // node.cfg
    ("lb_method", "write `interface: af_packet::INTERFACE` and `count: N`, and the workers share the packets"),
    ("lb_procs", "write `count: N`"),
    ("lb_interfaces", "write `interface: \"eth{index}\"` with `count`, or one group for each interface"),
    ("lb_custom", "write the prefix into `interface`, such as `interface: \"myricom::eth1\"`"),
    ("env_vars", "write `env: { NAME: VALUE }`"),
    ("aux_scripts", "write `scripts: [NAME, ...]`"),
    ("zeek_args", "write `args: [ARGUMENT, ...]`"),
    ("ether", "leave it out: Zeek does not use it any more"),
    ("zeekbase", "write `prefix` at the host, or `zeek.prefix` for all"),
    ("brobase", "write `prefix` at the host, or `zeek.prefix` for all"),
    ("af_packet_buffer_size", "write `af_packet: { buffer_size: 128MiB }`"),
    ("af_packet_block_size", "write `af_packet: { block_size: 4MiB }`"),
    ("af_packet_block_timeout", "write `af_packet: { block_timeout: 10ms }`"),
    ("af_packet_checksum_validation_mode", "write `af_packet: { checksum_validation_mode: CHECKSUM_ON }`"),
    ("af_packet_enable_defrag", "write `af_packet: { enable_defrag: true }`"),
    ("af_packet_enable_fanout", "write `af_packet: { enable_fanout: true }`"),
    ("af_packet_enable_hw_timestamping", "write `af_packet: { enable_hw_timestamping: true }`"),
    (
        "af_packet_fanout_id",
        "leave it out, and each interface gets an id of its own; or `af_packet: { fanout_id: 23 }`",
    ),
    ("af_packet_fanout_mode", "write `af_packet: { fanout_mode: FANOUT_HASH }`"),
    ("af_packet_link_type", "write `af_packet: { link_type: 1 }`"),
    ("pfringclusterid", "write `env: { PCAP_PF_RING_CLUSTER_ID: 21 }` at the workers"),
    ("pfringclustertype", "write `env: { PCAP_PF_RING_CLUSTER_TYPE: 4 }` at the workers"),
    ("pfringfirstappinstance", "write `interface: \"zc:99@{group_index0}\"`"),
    // zeekctl.cfg: what is where
    ("zeekport", "write `ports: { base: 27760 }`"),
    ("broport", "write `ports: { base: 27760 }`"),
    ("metricsport", "write `ports: { metrics: 9991 }`"),
    ("metricsaddress", "write `metrics: { listen: loopback }`, `node` or `any`"),
    ("websocketport", "write `ports: { control: 27759 }`"),
    ("websockethost", "leave it out: the manager listens for clusterctl on loopback alone"),
    ("websocketurl", "leave it out: the manager listens for clusterctl on loopback alone"),
    ("usewebsocket", "leave it out: it is always used"),
    ("websockettimeout", "write `timeouts: { control: 5s }`"),
    ("commtimeout", "write `timeouts: { control: 5s }`"),
    ("commandtimeout", "pass `--timeout` on the command line"),
    ("stoptimeout", "write `timeouts: { stop: 60s }`"),
    ("stopwait", "leave it out: `clusterctl stop` waits"),
    ("clusterbackend", "write `zeek: { backend: zeromq }` or `broker`"),
    ("use_curve_encryption", "write `zeek: { curve: auto }`, `on` or `off`"),
    ("curve_dir", "leave it out: clusterctl makes the keys and brings them to the hosts"),
    ("disable_unencrypted_warning", "write `zeek: { accept_unencrypted_zeromq: true }`"),
    ("controltopic", "leave it out: each node has a topic of its own"),
    ("sitepolicyscripts", "write `zeek: { scripts: [local] }`"),
    ("sitepolicypath", "write `zeek: { site: ./site }`, a folder beside the description"),
    ("sitepluginpath", "put plugins below Zeek's prefix on the hosts"),
    ("prefixes", "write `zeek: { args: [\"-p\", PREFIX] }`"),
    ("zeekargs", "write `zeek: { args: [ARGUMENT, ...] }`"),
    ("broargs", "write `zeek: { args: [ARGUMENT, ...] }`"),
    ("globalhashseed", "write `zeek: { global_hash_seed: SEED }`"),
    ("privateaddressspaceislocal", "write the networks into `zeek: { local_networks: { 10.0.0.0/8: private } }`"),
    ("localnetscfg", "write the networks into `zeek: { local_networks: { 10.0.0.0/8: private } }`"),
    ("logrotationinterval", "write `logs: { rotate: 1h }`"),
    ("logexpireinterval", "write `logs: { expire: 30d }`"),
    ("logexpireminutes", "write `logs: { expire: 30d }`"),
    ("logdir", "write `logs: { archive: FOLDER }`"),
    ("compresslogs", "write `logs: { compress: gzip }`, `zstd` or `none`"),
    ("compresslogsinflight", "write `logs: { compress: gzip }`, `zstd` or `none`"),
    ("compresscmd", "write `logs: { compress: gzip }`, `zstd` or `none`"),
    ("compressextension", "write `logs: { compress: gzip }`, `zstd` or `none`"),
    ("mindiskspace", "write `logs: { min_free: 5% }`"),
    ("crashexpireinterval", "leave it out: the newest 10 crashes of a node stay, for 30 days"),
    ("memlimit", "write `limits: { memory: 8GiB }`"),
    ("pcapsnaplen", "write `zeek: { redefs: { \"Pcap::snaplen\": 9216 } }`"),
    ("pcapbufsize", "write `zeek: { redefs: { \"Pcap::bufsize\": 128 } }`"),
    ("fileextractdir", "write `zeek: { redefs: { \"FileExtract::prefix\": FOLDER } }`"),
    ("defaultstoredir", "write `zeek: { options: { default_store_dir: FOLDER } }`"),
    ("brokerdbdir", "write `zeek: { options: { default_store_dir: FOLDER } }`"),
    ("spooldir", "write `paths: { spool: FOLDER }`"),
    ("tmpdir", "write `paths: { spool: FOLDER }`"),
    ("statefile", "leave it out: what a host does is read from the host"),
    ("lockfile", "leave it out: what a host does is read from the host"),
    ("bindir", "write `zeek: { prefix: FOLDER }`"),
    ("libdir", "write `zeek: { prefix: FOLDER }`"),
    ("cfgdir", "leave it out: the description is all there is"),
    ("nodecfg", "leave it out: nodes stand under `nodes`"),
    ("havenfs", "leave it out: files are sent to each host"),
    ("debug", "leave it out"),
    ("savetraces", "write `zeek: { args: [\"-w\", trace.pcap] }`"),
    ("statuscmdshowall", "leave it out: `clusterctl status` shows all it knows"),
    ("timefmt", "leave it out: times are written in UTC"),
    ("timemachinehost", "write a group with `type: time_machine`, up to Zeek 7.0"),
    ("timemachineport", "write `port` at a group with `type: time_machine`, up to Zeek 7.0"),
    ("croncmd", "leave it out: `clusterctl maintain --install` lets hosts maintain themselves"),
    ("statslogenable", "leave it out: Zeek serves metrics, see `metrics`"),
    ("statslogexpireinterval", "leave it out: Zeek serves metrics, see `metrics`"),
    ("tracesummary", "leave it out: clusterctl makes no summaries of connections"),
];

/// Beginnings of words, for those of which there are many.
const BEGINNINGS: &[(&str, &str)] = &[
    ("lb_custom.", "write the prefix into `interface`, such as `interface: \"myricom::eth1\"`"),
    ("mail", "leave it out: clusterctl sends no mail; `Notice::mail_dest` is set in `zeek.redefs`"),
    ("sendmail", "leave it out: clusterctl sends no mail; `Notice::mail_dest` is set in `zeek.redefs`"),
    ("makearchivename", "leave it out: archived logs are named by their day and hour"),
];

/// Returns what clusterctl has for a word of zeekctl's.
pub(super) fn ours(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let exact = WORDS.iter().find(|(known, _)| *known == lower);
    let begins = || BEGINNINGS.iter().find(|(known, _)| lower.starts_with(known));
    exact.or_else(begins).map(|(_, help)| format!("a zeekctl setting; {help}"))
}

/// Tells whether a text looks like `node.cfg` or `zeekctl.cfg`: sections or `key = value`, and no YAML.
pub(super) fn is_ini(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let is_section = |line: &str| line.starts_with('[') && line.ends_with(']') && !line.contains([',', ':', ' ']);
    let is_setting = |line: &str| {
        line.split_once('=').is_some_and(|(key, _)| {
            let key = key.trim();
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
        })
    };
    let mut first = lines().take(2);
    match (first.next(), first.next()) {
        (Some(one), Some(two)) => (is_section(one) || is_setting(one)) && is_setting(two),
        (Some(one), None) => is_setting(one),
        _ => false,
    }
}

/// What to do with such a file.
pub(super) const INI: &str = "this looks like a file of zeekctl's; a description is YAML: `clusterctl init` writes a first \
one, where `[worker-1]` becomes a group under `nodes` and `host` the name of an entry under `hosts`";

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{BEGINNINGS, WORDS, is_ini, ours};
    use crate::spec::parse;

    /// What a hint says to write is known where it says so: at the top, at a group, or at a host.
    #[test]
    fn hints_name_what_there_is() {
        for (word, help) in WORDS.iter().chain(BEGINNINGS) {
            assert_eq!(*word, word.to_lowercase());
            for quoted in help.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains(": ")) {
                let line = quoted.replace("count: N", "count: 2").replace("...", "x").replace("FOLDER", "/x");
                let group = format!("nodes: {{ w: {{ {line} }} }}\n");
                let unknown = [format!("{line}\n"), group].map(|text| {
                    let all = parse("c", text, PathBuf::from("/")).diagnostics;
                    all.iter().map(|d| d.message.clone()).collect::<Vec<_>>()
                });
                assert!(unknown.iter().any(Vec::is_empty), "{word}: `{quoted}`: {unknown:?}");
            }
        }
    }

    #[test]
    fn words_of_zeekctl_are_known_in_any_case() {
        assert!(ours("LogRotationInterval").is_some_and(|help| help.contains("`logs: { rotate: 1h }`")));
        assert!(ours("lb_custom.InterfacePrefix").is_some_and(|help| help.contains("interface")));
        assert!(ours("MailTo").is_some_and(|help| help.contains("no mail")));
        assert_eq!(ours("intreface"), None);
    }

    #[test]
    fn files_of_zeekctl_are_told_from_yaml() {
        assert!(is_ini("# nodes\n[manager]\ntype=manager\nhost=localhost\n"));
        assert!(is_ini("LogRotationInterval = 3600\nMailTo = root\n"));
        for yaml in ["cluster: a\nnodes: []\n", "[a, b]\n", "{ a: b }", "", "x=y: 1\nb: c\n", "[a]\n- b\n"] {
            assert!(!is_ini(yaml), "{yaml}");
        }
    }
}
