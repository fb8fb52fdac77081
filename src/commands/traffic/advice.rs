//! What is said of a fault: what it is, what usually causes it, the likeliest first, and what to run or to write.

use super::judge::Fault;

/// What is said of a fault on one interface.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Advice {
    /// What is wrong, after the nodes' names.
    pub(super) what: String,
    /// What usually causes it, the likeliest first.
    pub(super) causes: Vec<&'static str>,
    /// What to run on the host, or to write into the description.
    pub(super) remedies: Vec<String>,
}

/// Says what a fault is; `percent` is how much of the traffic has it, `device` the interface's name for the kernel.
pub(super) fn advice(fault: Fault, percent: &str, device: &str) -> Advice {
    let run = |command: &str| format!("run `{}`", command.replace("IFACE", device));
    let write = |setting: &str| format!("write `{}`", setting.replace("IFACE", device));
    let (what, causes, remedies): (String, &[&'static str], Vec<String>) = match fault {
        Fault::NoTraffic => (
            "no packets".to_owned(),
            &["the mirror port or tap sends nothing", "the interface is down, or the cable is in another one"],
            vec![run("ip -s link show IFACE"), run("tcpdump -c 5 -ni IFACE")],
        ),
        Fault::NoShare => (
            "no packets, and other workers on this interface get some".to_owned(),
            &["the packets of an interface are spread by CPU or by queue", "there are very few connections"],
            vec![write("af_packet: { fanout_mode: FANOUT_HASH }")],
        ),
        Fault::Drops => (
            format!("the kernel dropped {percent} of the packets: the node does not keep up"),
            &["too few workers for this rate", "nodes share a CPU", "bursts larger than the buffer"],
            vec![
                "give its group a larger `count`".to_owned(),
                "give each node a CPU of its own: `pin_cpus`".to_owned(),
                write("af_packet: { buffer_size: 512MiB }"),
            ],
        ),
        Fault::Checksums => (
            format!("wrong checksums in {percent} of what Zeek checked: Zeek ignores such packets"),
            &[
                "the network card fills in checksums after the kernel has copied the packet (offloading)",
                "the mirror port or tap changes packets",
            ],
            vec![
                run("ethtool -K IFACE rx off tx off gso off tso off gro off lro off"),
                write("zeek: { redefs: { ignore_checksums: true } }"),
            ],
        ),
        Fault::Duplicates => (
            format!("other workers get {percent} of its connections as well"),
            &["several workers read one plain interface", "two taps or mirror ports carry the same traffic"],
            vec![write("interface: af_packet::IFACE")],
        ),
        Fault::SplitDirections => (
            format!("another worker gets the other direction of {percent} of its connections"),
            &[
                "the packets of an interface are spread by CPU or by queue, and not by connection",
                "each direction comes on an interface of its own",
            ],
            vec![write("af_packet: { fanout_mode: FANOUT_HASH }"), run("ethtool -x IFACE")],
        ),
        Fault::SplitPackets => (
            format!("the packets of its connections are spread over several workers ({percent} gaps)"),
            &["the packets of an interface are spread one by one", "a load balancer before the sensors does so"],
            vec![write("af_packet: { fanout_mode: FANOUT_HASH }")],
        ),
        Fault::OneSided => (
            format!("one direction is missing in {percent} of its TCP connections"),
            &[
                "the mirror port or tap sends one direction only",
                "the other direction takes another way through the network (asymmetric routing)",
            ],
            vec![run("tcpdump -c 50 -ni IFACE tcp")],
        ),
        Fault::NoAcks => (
            "there is TCP, and none of it is ever acknowledged".to_owned(),
            &["the mirror port or tap sends one direction only", "Zeek ignores packets with wrong checksums"],
            vec![run("tcpdump -c 50 -vv -ni IFACE tcp")],
        ),
        Fault::CutPackets => (
            format!("packets are cut: {percent} of what was acknowledged had not been seen"),
            &["`Pcap::snaplen` is smaller than the packets", "the mirror port or tap cuts packets (slicing)"],
            vec![write("zeek: { redefs: { \"Pcap::snaplen\": 9216 } }"), run("ip link show IFACE")],
        ),
        Fault::Gaps => (
            format!("packets are lost: {percent} of what was acknowledged had not been seen"),
            &[
                "the mirror port or tap gets more than it can send",
                "the network card joins packets to larger ones than Zeek takes (offloading)",
                "the buffer of the network card is too small",
            ],
            vec![run("ethtool -K IFACE gro off lro off"), run("ethtool -S IFACE"), run("ethtool -G IFACE rx 4096")],
        ),
        Fault::RepeatedPackets => (
            format!("packets come more than once in {percent} of its TCP connections"),
            &["the mirror port copies what comes in and what goes out", "two mirrored ports lie on the same way"],
            vec![run("tcpdump -c 50 -vv -ni IFACE tcp")],
        ),
        Fault::LostRecords => (
            "log records were lost on their way, or discarded for their size".to_owned(),
            &["the loggers do not keep up", "single records are very large"],
            vec!["run `clusterctl status loggers`".to_owned()],
        ),
    };
    Advice { what, causes: causes.to_vec(), remedies }
}
