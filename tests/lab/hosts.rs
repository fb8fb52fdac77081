//! The lab is what the other tests take it for.

use std::collections::HashSet;

use super::Lab;

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn hosts_are_machines_of_their_own_without_python() {
    let lab = Lab::get();
    let mut machines = HashSet::new();
    for host in lab.hosts() {
        let said =
            lab.ssh(&host.name, "id -un; hostname; systemctl is-system-running --wait; command -v python3 rsync; true");
        assert_eq!(said, format!("zeek\n{}\nrunning", host.name), "{}", host.name);
        assert!(lab.exec(&host.name, &["ip", "-brief", "address"]).contains(&host.address));
        machines.insert(lab.ssh(&host.name, "cat /etc/machine-id"));
        machines.insert(lab.ssh(&host.name, "cat /proc/sys/kernel/random/boot_id"));
    }
    assert_eq!(machines.len(), 2 * lab.hosts().len());
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_binary_with_capabilities_is_there_beside_the_plain_one() {
    let lab = Lab::get();
    let zeek = lab.zeek();
    for (prefix, capable) in [(&zeek.prefix, false), (&zeek.capable_prefix, true)] {
        let binary = format!("{prefix}/bin/zeek");
        assert_eq!(lab.exec("sensor2", &["getcap", &binary]).contains("cap_net_raw"), capable, "{binary}");
        lab.ssh("sensor2", &format!("test -x {binary} && test -d {prefix}/share/zeek"));
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_power_failure_keeps_the_disk_and_changes_the_boot() {
    let lab = Lab::get();
    let boot = || lab.ssh("sensor3", "cat /proc/sys/kernel/random/boot_id");
    let before = boot();
    lab.ssh("sensor3", "mkdir /var/tmp/kept");
    lab.does("poweroff", ["sensor3"]);
    lab.does("poweron", ["sensor3"]);
    assert_ne!(boot(), before);
    lab.ssh("sensor3", "rmdir /var/tmp/kept");
}
