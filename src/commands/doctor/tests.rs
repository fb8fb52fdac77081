use std::collections::BTreeMap;
use std::path::PathBuf;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::facts::DoctorFacts;
use super::needs::device;
use super::*;
use crate::cluster::Cluster;
use crate::error::{RenderStyle, render};

/// What a host answers where all is well, to an account that is not root.
const WELL: &str = "host 0123456789abcdef boot-1 1000
user 1000 zeek
cpus 0-3 0-3
has taskset
has setsid
has timeout
zeek /opt/zeek/bin/zeek version 8.0.10
caps /opt/zeek/bin/zeek cap_net_raw=eip
af_packet yes
archiver
folder base yes 755 1000 99095080 49547540 /var/lib/clusterctl/c
folder spool yes 755 1000 99095080 49547540 /var/lib/clusterctl/c
folder archive yes 2775 0 99095080 49547540 /data/logs
format 1
ephemeral 32768\t60999
reserved
logind no b true
logind yes b true
systemd
usermanager
interface 0x1003 eth1
looked
ports end";

fn cluster(rest: &str) -> Cluster {
    let text = format!(
        "cluster: c\n{rest}\nlogs: {{ archive: /data/logs }}\nhosts: {{ a: {{ address: 10.0.0.1 }}, b: {{ address: 10.0.0.2 }} }}\n\
         nodes:\n  manager: {{ type: manager, host: a }}\n  proxy: {{ type: proxy, host: a, count: 1 }}\n  \
         worker: {{ type: worker, host: a, interface: af_packet::eth1, pin_cpus: 1 }}\n"
    );
    let description = crate::spec::parse("c", text, PathBuf::from("/etc/cluster"));
    crate::cluster::check(&description).unwrap_or_else(|all| panic!("{}", render(&all, RenderStyle::default())))
}

fn facts(text: &str) -> DoctorFacts {
    DoctorFacts::new(HostSetup::parse(&text.lines().collect::<Vec<_>>()).unwrap(), (998, 1003))
}

/// Judges the first host, and says what is not good.
fn told(cluster: &Cluster, text: &str, other: &str) -> String {
    let all = BTreeMap::from([(0, Ok(facts(text))), (1, Ok(facts(other)))]);
    let report = preflight::host(cluster, 0, &facts(text), &Needs::of(cluster, 0), &all);
    let line = |c: &HostCheck| {
        let hint = c.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{:?} {}: {}{hint}", c.verdict, c.what, c.found)
    };
    let bad = report.checks.iter().filter(|c| c.verdict != Verdict::Good).map(line);
    bad.chain(report.as_root.iter().map(|c| format!("# {c}"))).collect::<Vec<_>>().join("\n")
}

fn other() -> String {
    WELL.replace("boot-1", "boot-2")
}

#[test]
fn a_host_where_all_is_well() {
    for runner in ["runner: process", "runner: systemd"] {
        assert_eq!(told(&cluster(runner), WELL, &other()), "");
    }
}

#[test]
fn everything_that_can_be_wrong_is_told_with_a_way_out() {
    let ill = "host 0123456789abcdef boot-1 4600
user 1000 zeek
cpus 0,2-3 0-3
lacks tar
has timeout
zeek /opt/zeek/bin/zeek version 7.2.1
caps
af_packet no
folder base no 755 0 99095080 49547540 /var/lib
folder spool yes 777 1001 1000000 1000 /srv/spool/c
folder archive no 755 0 - - /data
format 2
ephemeral 1024\t60999
reserved 9990-9999,27759
logind no KillUserProcesses=yes
interface - eth1
looked
listens 00000000:6C72 root 4711 nc
ports end";
    let cluster = cluster("runner: process\npaths: { spool: /srv/spool }");
    assert_snapshot!("doctor_ill", told(&cluster, ill, &other()));
}

#[test]
fn what_is_missing_or_not_whole_is_told() {
    let cluster = cluster("runner: systemd\nzeek: { version: '8.1', accept_unencrypted_zeromq: true }");
    let told = |text: &str| told(&cluster, text, &other());
    let zeek = |said: &str| told(&WELL.replace("zeek /opt/zeek/bin/zeek version 8.0.10", said));
    assert!(zeek("zeek missing").contains("there is no /opt/zeek/bin/zeek"));
    assert!(zeek("zeek noexec").contains("cannot run /"));
    assert!(
        told(&WELL.replace("looked", "lost ../x\nlooked"))
            .contains("names \"../x\", which is not the name of a secret")
    );
    assert!(told(WELL).contains("the host has 8.0.10, the description says 8.1"));
    assert!(told(&WELL.replace("boot-1", "boot-2")).contains("is the same machine as b"));
    assert!(told(&WELL.replace("\nlogind yes b true", "")).contains("# loginctl enable-linger zeek"));
    assert!(told(&WELL.replace("\nsystemd", "")).contains("systemd does not run here"));
    assert!(
        told(&WELL.replace("caps /opt/zeek/bin/zeek cap_net_raw=eip", "caps ?")).contains("getcap is not installed")
    );
    assert!(told(&WELL.replace("0x1003", "0x1002")).contains("# ip link set eth1 up"));
}

#[test]
fn folders_that_others_can_change_are_told_with_their_place_on_the_way() {
    let ways = "way base 41ed 0 /\nway base 41ff 0 /srv\nway base 41ed 65534 /srv/base\nway zeek 41ff 0 /opt";
    let text = WELL.replace("\nformat 1", &format!("\n{ways}\nformat 1"));
    assert_snapshot!(told(&cluster("runner: process"), &text, &other()), @r"
    Bad folders: not safe: /srv is writable by other users (mode 777) (run the command below as root)
    Bad folders: not safe: /srv/base belongs to uid 65534, neither to root nor to zeek (run the command below as root)
    Bad zeek: not safe: /opt is writable by other users (mode 777) (run the command below as root)
    # chmod go-w /srv
    # chown zeek /srv/base
    # chmod go-w /opt
    ");
}

#[test]
fn keys_that_are_lost_and_an_address_of_another_machine_are_told() {
    let told = |more: &str| told(&cluster("runner: process"), &WELL.replace("\nformat 1", more), &other());
    assert_eq!(told("\naddress 10.0.0.1\naddress fe80000000000000c04511fffedc2ca8"), "");
    assert_snapshot!(told("\naddress 10.0.0.2\naddress 00000000000000000000000000000001\nlost zeromq-0123456789abcdef"), @r"
    Note address: 10.0.0.1 is not an address of this machine (check `address` of a: its nodes cannot listen there)
    Bad keys: missing: zeromq-0123456789abcdef: nodes there cannot start again (clusterctl deploy brings them)
    ");
}

#[test]
fn devices_of_the_kernel_are_told_from_names_of_packet_sources() {
    assert_eq!(device("af_packet::eth1"), Some("eth1"));
    assert_eq!(device("ens5f0.12"), Some("ens5f0.12"));
    for none in ["netmap::eth0", "napatech::0", "zc:eth1@0", "../x", ".", "a/b", ""] {
        assert_eq!(device(none), None, "{none}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(lines in proptest::collection::vec(
        "(ephemeral [0-9]{1,6}\t[0-9]{1,6}|reserved [0-9,-]{0,8}|interface [-0x]{1,3}[0-9]{1,4} .{1,9}|zeek .{0,40}|caps .{0,40}|format .{0,9}|lost .{0,9}|.{0,9})", 0..3,
    )) {
        let cluster = cluster("runner: process");
        let well: Vec<&str> = WELL.lines().collect();
        let lines: Vec<&str> = well[..17].iter().copied().chain(lines.iter().map(String::as_str)).chain(well[17..].iter().copied()).collect();
        let Ok(setup) = HostSetup::parse(&lines) else { return Ok(()) };
        let facts = DoctorFacts::new(setup, (0, 1));
        let all = BTreeMap::from([(0, Ok(facts.clone()))]);
        let _ = preflight::host(&cluster, 0, &facts, &Needs::of(&cluster, 0), &all);
    }
}

#[test]
fn limits_that_a_runner_can_not_give_are_told_for_that_runner() {
    let most = "at_most process nofile 4096\nat_most process core 0\nat_most process memory unlimited\n\
                at_most systemd nofile 524288\nat_most systemd core unlimited\nat_most kernel nofile 1048576\nlooked";
    let host = WELL.replace("looked", most);
    let limits = "limits: { nofile: 65536, core: unlimited, memory: 8GiB }\n";
    let process = told(&cluster(&format!("{limits}runner: process")), &host, &other());
    assert!(process.contains("Bad limits: `limits.nofile` is 65536, but zeek may have at most 4096"), "{process}");
    assert!(process.contains("Bad limits: `limits.core` is unlimited, but zeek may have at most 0"), "{process}");
    assert!(process.contains("# echo 'zeek hard nofile 65536' >>/etc/security/limits.conf"), "{process}");
    assert_eq!(told(&cluster(&format!("{limits}runner: systemd")), &host, &other()), "");
    let more = "limits: { nofile: 600000 }\nrunner: systemd";
    let systemd = told(&cluster(more), &host, &other());
    assert!(systemd.contains("zeek may have at most 524288"), "{systemd}");
    assert!(
        systemd.contains("LimitNOFILE=600000\\n' >/etc/systemd/system/user@1000.service.d/nofile.conf"),
        "{systemd}"
    );
    // Root raises its own, but not the kernel's.
    let root = host.replace("user 1000 zeek", "user 0 root").replace(" 1000 9909", " 0 9909");
    assert_eq!(told(&cluster(more), &root, &other()), "");
    let too_many = told(&cluster("limits: { nofile: 2000000 }"), &root, &other());
    assert!(
        too_many.contains("a process may have at most 1048576") && too_many.contains("fs.nr_open=2000000"),
        "{too_many}"
    );
}
