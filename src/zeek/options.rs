//! `clusterctl/options.zeek`, the second generated script: all that is no layout and the same for all nodes.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::literal;
use super::live::may_drop_tls;
use super::table::{self, ClusterOption, OptionType, backend, find_option};
use crate::cluster::{Backend, Cluster, Metrics, Node, Store, ZeekValue};
use crate::values::{Interval, Version};

/// Where rotated logs go, seen from a node's working directory (`<spool>/<cluster>/nodes/<node>`).
const LOG_QUEUE: &str = "../../log-queue";

/// The condition of nodes that write logs.
const WRITES_LOGS: &str = "Cluster::local_node_type() == Cluster::LOGGER || \
    ( Cluster::manager_is_logger && Cluster::local_node_type() == Cluster::MANAGER )";

/// A file with which Broker authenticates: where it lies differs by host, so that a variable names it.
#[derive(Debug, Clone, Copy)]
pub struct TlsFile {
    /// What it is, in the name under which a host keeps it.
    pub kind: &'static str,
    /// The variable of a node's environment that holds its path.
    pub variable: &'static str,
    /// Broker's option.
    option: &'static str,
}

/// What `zeek.tls` brings to the hosts, but for the passphrase.
pub const TLS_FILES: [TlsFile; 3] = [
    TlsFile { kind: "tls-ca", variable: "CLUSTERCTL_TLS_CA", option: "ssl_cafile" },
    TlsFile { kind: "tls-certificate", variable: "CLUSTERCTL_TLS_CERTIFICATE", option: "ssl_certificate" },
    TlsFile { kind: "tls-key", variable: "CLUSTERCTL_TLS_KEY", option: "ssl_keyfile" },
];

/// The variable with the passphrase of the key.
pub const TLS_PASSPHRASE: &str = "CLUSTERCTL_TLS_PASSPHRASE";

/// Returns the text of `clusterctl/options.zeek`, the same for every node of a cluster.
pub fn options_script(cluster: &Cluster, version: Version) -> String {
    let mut out = String::new();
    let name = literal::comment(&cluster.name);
    let _ = writeln!(out, "##! Options of the cluster {name}, the same for all its nodes; written by clusterctl.\n");
    loads(&mut out, cluster, version);
    let script = Script { cluster, version, backend: backend(cluster, version) };
    script.general(&mut out);
    script.local_networks(&mut out);
    script.cluster_options(&mut out);
    script.stores(&mut out);
    script.zeromq(&mut out);
    script.tls(&mut out);
    script.metrics(&mut out);
    script.rotation(&mut out);
    script.websocket(&mut out);
    out
}

/// All loads stand first: a redef needs what it redefines.
fn loads(out: &mut String, cluster: &Cluster, version: Version) {
    if table::METRICS_PORT.has(version) {
        out.push_str("@load base/utils/addrs\n");
    }
    if cluster.is_standalone() && table::ARCHIVER_FORMAT.has(version) {
        // Else only nodes of a cluster load it; it holds archiver_rotation_format_func.
        out.push_str("@load base/frameworks/cluster/nodes/logger\n");
    }
    out.push_str("@load frameworks/control/controllee\n@load ./agent\n");
}

struct Script<'a> {
    cluster: &'a Cluster,
    version: Version,
    backend: Backend,
}

impl Script<'_> {
    fn has(&self, span: table::Span) -> bool {
        span.has(self.version)
    }

    fn general(&self, out: &mut String) {
        out.push_str("\n# Without this every node would listen for a controller as well.\n");
        out.push_str("redef Control::controllee_listen = F;\n\n");
        let seed = literal::text(&self.cluster.zeek.global_hash_seed);
        let _ = writeln!(out, "redef global_hash_seed = {seed};");
        if self.cluster.is_standalone()
            && self.has(table::AGENT)
            && let Some(node) = self.cluster.manager()
        {
            let _ = writeln!(out, "redef Clusterctl::node = {};", literal::text(&node.name));
        }
    }

    fn local_networks(&self, out: &mut String) {
        let networks = &self.cluster.zeek.local_networks;
        if networks.is_empty() {
            return;
        }
        out.push_str("\nredef Site::local_nets += {\n");
        for (network, comment) in networks {
            let comment = literal::comment(comment);
            let comment = if comment.is_empty() { comment } else { format!(" # {comment}") };
            let _ = writeln!(out, "\t{},{comment}", literal::subnet(network));
        }
        out.push_str("};\n");
    }

    fn cluster_options(&self, out: &mut String) {
        let options: Vec<(&ClusterOption, &ZeekValue)> = self
            .cluster
            .zeek
            .options
            .iter()
            .filter_map(|(name, value)| Some((find_option(name)?, value)))
            .filter(|(option, _)| self.has(option.span))
            .collect();
        if options.is_empty() {
            return;
        }
        out.push_str("\n# The Cluster framework's own options.\n");
        for (option, value) in options {
            let Some(literal) = option_literal(option.kind, value) else { continue };
            let _ = writeln!(out, "redef Cluster::{} = {literal};", option.name);
            // ZeroMQ has its own of these two; with both redefined the option means the same under either backend.
            if self.backend == Backend::Zeromq && matches!(option.name, "node_topic_prefix" | "nodeid_topic_prefix") {
                let _ = writeln!(out, "redef Cluster::Backend::ZeroMQ::{} = {literal};", option.name);
            }
            if option.name == "enable_round_robin_logging" && *value == ZeekValue::Bool(false) {
                out.push_str("# The framework has looked at it before this script is loaded: undo what it did.\n");
                out.push_str("redef Broker::log_topic = Broker::default_log_topic;\n");
            }
        }
    }

    fn stores(&self, out: &mut String) {
        let stores = &self.cluster.zeek.stores;
        if stores.is_empty() {
            return;
        }
        out.push_str("\nredef Cluster::stores += {\n");
        for (name, store) in stores {
            let _ = writeln!(out, "\t[{}] = Cluster::StoreInfo({}),", literal::text(name), store_fields(store));
        }
        out.push_str("};\n");
    }

    fn zeromq(&self, out: &mut String) {
        let Some(manager) = self.cluster.manager().filter(|_| self.backend == Backend::Zeromq) else { return };
        let ports = &self.cluster.ports;
        let listen = endpoint_host(manager.listen);
        let connect = endpoint_host(Some(manager.ip));
        out.push_str(
            "\n# The manager's proxy thread has an XPUB and an XSUB socket; a node's XPUB connects to its XSUB\n",
        );
        out.push_str("# and the other way round.\n");
        for (option, host, port) in [
            ("listen_xpub_endpoint", &listen, ports.xpub),
            ("listen_xsub_endpoint", &listen, ports.xsub),
            ("connect_xpub_endpoint", &connect, ports.xsub),
            ("connect_xsub_endpoint", &connect, ports.xpub),
        ] {
            let endpoint = literal::text(&format!("tcp://{host}:{port}"));
            let _ = writeln!(out, "redef Cluster::Backend::ZeroMQ::{option} = {endpoint};");
        }
        if self.cluster.is_standalone() {
            out.push_str("redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;\n");
        }
        if self.has(table::ZEROMQ_IPV6) {
            let ipv6 = literal::bool(self.cluster.run_nodes().any(|n| n.ip.is_ipv6()));
            let _ = writeln!(out, "redef Cluster::Backend::ZeroMQ::ipv6 = {ipv6};");
        }
        // With F, records queue up for a logger that is away while another could write them.
        let immediate = literal::bool(self.cluster.log_writers().nth(1).is_some());
        let _ = writeln!(out, "redef Cluster::Backend::ZeroMQ::log_immediate = {immediate};");
    }

    /// Broker wants a valid certificate of each peer as soon as one of these is set (base/frameworks/broker/main.zeek).
    fn tls(&self, out: &mut String) {
        let Some(tls) = self.cluster.zeek.tls.as_ref().filter(|_| self.backend == Backend::Broker) else { return };
        out.push_str("\n# Only those are peers that have a certificate of this authority.\n");
        for file in &TLS_FILES {
            let _ = writeln!(out, "redef Broker::{} = getenv(\"{}\");", file.option, file.variable);
        }
        if tls.passphrase.is_some() {
            let _ = writeln!(out, "redef Broker::ssl_passphrase = getenv(\"{TLS_PASSPHRASE}\");");
        }
    }

    fn metrics(&self, out: &mut String) {
        if self.has(table::BROKER_METRICS) {
            out.push_str("\nredef Broker::metrics_port = 0/unknown;\n");
        }
        if !self.has(table::METRICS_PORT) {
            return;
        }
        // The address is set in any case: its default is ZEEK_DEFAULT_LISTEN_ADDRESS, which is meant for Broker.
        let any = if self.cluster.run_nodes().all(|n| n.ip.is_ipv6()) { "[::]" } else { "0.0.0.0" };
        let address = match self.cluster.metrics {
            Metrics::Off => return,
            Metrics::Loopback => literal::text("127.0.0.1"),
            Metrics::Any => literal::text(any),
            Metrics::Node => match self.standalone() {
                Some(node) => literal::text(&endpoint_host(Some(node.ip))),
                None => "addr_to_uri(Cluster::nodes[Cluster::node]$ip)".to_owned(),
            },
        };
        let _ = writeln!(out, "\nredef Telemetry::metrics_address = {address};");
        if let Some(port) = self.standalone().and_then(|n| n.metrics_port) {
            let _ = writeln!(out, "redef Telemetry::metrics_port = {};", literal::port(port));
        }
    }

    fn rotation(&self, out: &mut String) {
        out.push_str("\n# The framework's default are programs of ZeekControl's.\n");
        out.push_str("redef Log::default_rotation_postprocessor_cmd = \"\";\n");
        let format = if self.has(table::ARCHIVER_FORMAT) { "archiver_rotation_format_func" } else { "rotation_format" };
        let own = self.has(table::ROTATION_DIR) && !self.has(table::ARCHIVER_FORMAT);
        if own {
            self.own_rotation_format(out);
        }
        let standalone = self.cluster.is_standalone();
        if !standalone {
            let _ = writeln!(out, "\n@if ( {WRITES_LOGS} )");
        }
        let _ =
            writeln!(out, "redef Log::default_rotation_interval = {};", literal::interval(self.cluster.logs.rotate));
        if self.has(table::ROTATION_DIR) {
            let _ = writeln!(out, "redef Log::default_rotation_dir = {};", literal::text(LOG_QUEUE));
            let module = if own { "Clusterctl::" } else { "" };
            let _ = writeln!(out, "redef Log::rotation_format_func = {module}{format};");
            out.push_str("redef LogAscii::enable_leftover_log_rotation = T;\n");
        }
        if !standalone {
            out.push_str("@endif\n");
        }
    }

    /// What `archiver_rotation_format_func` does from 6.0 on, where Zeek has none that could be used.
    fn own_rotation_format(&self, out: &mut String) {
        let suffix = self.cluster.log_writers().nth(1).is_some();
        let (suffix, args) = if suffix { ("log_suffix=%s__", ", Cluster::node") } else { ("", "") };
        let _ = write!(
            out,
            "\nmodule Clusterctl;\n\n\
             function rotation_format(ri: Log::RotationFmtInfo): Log::RotationPath\n\
             \t{{\n\
             \tlocal opened = strftime(Log::default_rotation_date_format, ri$open);\n\
             \tlocal closed = strftime(Log::default_rotation_date_format, ri$close);\n\
             \treturn Log::RotationPath($file_basename=fmt(\"%s__%s__%s__{suffix}\", ri$path, opened, closed{args}));\n\
             \t}}\n\n\
             module GLOBAL;\n"
        );
    }

    fn websocket(&self, out: &mut String) {
        let port = literal::port(self.cluster.ports.control);
        let options = if self.has(table::WEBSOCKET_ADDR) {
            format!("[$listen_addr=127.0.0.1, $listen_port={port}]")
        } else {
            format!("[$listen_host=\"127.0.0.1\", $listen_port={port}]")
        };
        if self.has(table::WEBSOCKET_BROKER) && self.backend == Backend::Broker && may_drop_tls(self.cluster) {
            out.push_str("\n# This version's WebSocket has TLS exactly if Broker has.\n");
            out.push_str("redef Broker::disable_ssl = T;\n");
            self.listen(out, &format!("Broker::listen_websocket(\"127.0.0.1\", {port}) == 0/tcp"));
        } else if self.has(table::WEBSOCKET_CLUSTER) {
            self.listen(out, &format!("! Cluster::listen_websocket({options})"));
        }
    }

    fn listen(&self, out: &mut String, failed: &str) {
        let standalone = self.cluster.is_standalone();
        if standalone && !self.has(table::ANSWERS_NAMED) {
            return;
        }
        let (open, close) = if standalone {
            // The framework subscribes for nodes of a cluster only.
            ("", "\tCluster::subscribe(Cluster::node_topic(Clusterctl::node));\n\t}\n")
        } else {
            ("@if ( Cluster::local_node_type() == Cluster::MANAGER )\n", "\t}\n@endif\n")
        };
        let _ = write!(
            out,
            "\n{open}event zeek_init() &priority=-100\n\
             \t{{\n\
             \tif ( getenv(\"ZEEKCTL_CHECK_CONFIG\") != \"\" || getenv(\"ZEEKCTL_DISABLE_LISTEN\") != \"\" )\n\
             \t\treturn;\n\n\
             \tif ( {failed} )\n\
             \t\tReporter::error(\"clusterctl: can't listen on 127.0.0.1, port {port}: clusterctl gets no answers\");\n\
             {close}",
            port = self.cluster.ports.control,
        );
    }

    fn standalone(&self) -> Option<&Node> {
        self.cluster.manager().filter(|_| self.cluster.is_standalone())
    }
}

/// Returns the literal of an option's value; none if the value isn't of that type.
pub(super) fn option_literal(kind: OptionType, value: &ZeekValue) -> Option<String> {
    match (kind, value) {
        (OptionType::Bool, ZeekValue::Bool(value)) => Some(literal::bool(*value).to_owned()),
        (OptionType::Count, ZeekValue::Int(value)) => u64::try_from(*value).ok().map(|n| n.to_string()),
        (OptionType::Interval, ZeekValue::Text(text)) => text.parse::<Interval>().ok().map(|i| literal::interval(i.0)),
        (OptionType::Text | OptionType::NodeName, ZeekValue::Text(text)) => Some(literal::text(text)),
        (OptionType::StoreBackend, ZeekValue::Text(text)) => literal::store_backend(text).map(str::to_owned),
        _ => None,
    }
}

fn store_fields(store: &Store) -> String {
    let mut fields = Vec::new();
    let backend = store.backend.as_deref().and_then(literal::store_backend);
    if let Some(node) = &store.master_node {
        fields.push(format!("$master_node={}", literal::text(node)));
    }
    if let Some(backend) = backend {
        fields.push(format!("$backend={backend}"));
    }
    if let Some(path) = &store.path {
        let (field, record) = match backend {
            Some("Broker::ROCKSDB") => ("rocksdb", "RocksDBOptions"),
            _ => ("sqlite", "SQLiteOptions"),
        };
        let path = literal::text(path);
        fields.push(format!("$options=Broker::BackendOptions(${field}=Broker::{record}($path={path}))"));
    }
    for (name, interval) in [
        ("clone_resync_interval", store.clone_resync_interval),
        ("clone_stale_interval", store.clone_stale_interval),
        ("clone_mutation_buffer_interval", store.clone_mutation_buffer_interval),
    ] {
        if let Some(interval) = interval {
            fields.push(format!("${name}={}", literal::interval(interval)));
        }
    }
    fields.join(", ")
}

/// Returns the host part of an endpoint: an address, IPv6 in brackets, or `*` for all.
pub(super) fn endpoint_host(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| "*".to_owned(), literal::addr)
}
