//! What is done in a case, and what has to come of it beside what always holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::invariants::Look;
use super::world::{Checked, World, shown};
use crate::support::local::kill;

/// Signals that end a command in order.
const ENDING: [&str; 4] = ["HUP", "INT", "TERM", "QUIT"];

/// What interrupted commands may end with.
const INTERRUPTED: [i32; 5] = [130, 129, 131, 143, 4];

/// From the death of a node to the next one: the pauses grow with each.
const REVIVAL: Duration = Duration::from_secs(120);

/// The pids of what runs.
fn pids(look: &Look) -> BTreeMap<&(String, String), u64> {
    look.processes.iter().map(|(key, process)| (key, process.pid)).collect()
}

/// The release of each node that runs.
fn releases(look: &Look) -> BTreeMap<&(String, String), &str> {
    look.processes.iter().map(|(key, process)| (key, process.release.as_str())).collect()
}

/// Does a step, checks what holds after it, and mostly brings the cluster into order again.
pub(crate) fn take(world: &mut World, step: &str) -> Checked {
    let orderly = match step {
        "unchanged" => unchanged(world)?,
        "script" => {
            world.text.script += 1;
            deploy(world)?
        }
        "env" => {
            world.text.env += 1;
            deploy(world)?
        }
        "data" => data(world)?,
        "more nodes" => {
            world.text.more = !world.text.more;
            deploy(world)?
        }
        "added host" => {
            world.text.sensors = (world.text.sensors + 1).min(3);
            deploy(world)?
        }
        "removed host" => {
            world.text.sensors = (world.text.sensors - 1).max(1);
            deploy(world)?
        }
        "moved manager" => {
            world.text.moved = !world.text.moved;
            deploy(world)?
        }
        "rollback" => rollback(world)?,
        "resume" => {
            let codes: &[i32] = if world.cut {
                &[0, 1, 4]
            } else if world.deployed {
                &[0]
            } else {
                &[0, 1]
            };
            world.run(&["resume", "--yes"], codes)?;
            false
        }
        "rotate secrets" => {
            let codes: &[i32] = if world.cut { &[0, 1, 4] } else { &[0] };
            world.run(&["secrets", "rotate", "--yes"], codes)?;
            false
        }
        "stop and start" => stop_and_start(world)?,
        "maintain" => {
            let codes: &[i32] = if world.cut { &[0, 1, 4] } else { &[0] };
            world.run(&["maintain"], codes)?;
            false
        }
        "kill a node" => kill_a_node(world)?,
        "reboot" => reboot(world)?,
        signal => cut(world, signal)?,
    };
    world.hold(orderly)?;
    // What was done meets the next step now and then as it is.
    if orderly || world.random.u32(..3) > 0 {
        world.converge()?;
    }
    Ok(())
}

fn deploy(world: &mut World) -> Checked<bool> {
    world.write();
    world.run(&["deploy", "--yes"], &[0])?;
    (world.deployed, world.cut) = (true, false);
    Ok(true)
}

/// A deploy of what was deployed touches nothing.
fn unchanged(world: &mut World) -> Checked<bool> {
    let before = world.converge()?;
    let said = world.run(&["deploy", "--yes"], &[0])?;
    let after = world.hold(true)?;
    if said.stdout.contains("nothing to do") && pids(&before) == pids(&after) {
        return Ok(true);
    }
    Err(format!("a deploy without a change: {}; before {:?}, after {:?}", shown(&said), pids(&before), pids(&after)))
}

/// What is only read again restarts nothing.
fn data(world: &mut World) -> Checked<bool> {
    let before = world.converge()?;
    world.text.data += 1;
    deploy(world)?;
    let after = world.hold(true)?;
    if pids(&before) == pids(&after) { Ok(true) } else { Err("a change of site data restarts nodes".to_owned()) }
}

fn rollback(world: &mut World) -> Checked<bool> {
    // After something was cut off, nodes of two releases may not see each other.
    let codes: &[i32] = if world.cut { &[0, 1, 4] } else { &[0, 1] };
    let said = world.run(&["rollback", "--yes"], codes)?;
    if said.code != 1 {
        world.deployed = false;
        if world.cut {
            return Ok(false);
        }
        let look = world.hold(false)?;
        // All that its release has runs again.
        let current: BTreeSet<&String> = look.current.values().collect();
        if look.processes.is_empty() || current.is_empty() {
            return Err(format!("nothing runs after a rollback: {said:?}"));
        }
        return Ok(false);
    }
    let refusals = [
        "there is no release older than the one that runs",
        "is already the result of a rollback",
        // Only where a deploy has to come first.
        "no host has",
    ];
    // Where hosts keep no release but the newest, one host's archiver may have kept it an older one.
    let alone = world.is("keep", "1") && said.stderr.contains("it does not have this release");
    if alone || refusals.iter().any(|r| said.stderr.contains(r)) {
        return Ok(false);
    }
    Err(format!("a rollback fails:\n{}", shown(&said)))
}

fn stop_and_start(world: &mut World) -> Checked<bool> {
    let before = world.look()?;
    let one = before.processes.keys().next().map(|(_, node)| node.clone());
    let selector = match (world.random.u32(..3), one) {
        (0, Some(node)) => node,
        (1, _) if !world.is_standalone() => "workers".to_owned(),
        _ => "all".to_owned(),
    };
    world.run(&["stop", &selector], &[0])?;
    let stopped = world.hold(false)?;
    if selector == "all" && !stopped.processes.is_empty() {
        return Err(format!("all were stopped, and {:?} run", pids(&stopped)));
    }
    if stopped.processes.keys().any(|(_, node)| *node == selector) {
        return Err(format!("{selector} was stopped and runs"));
    }
    let codes: &[i32] = if world.cut { &[0, 1, 4] } else { &[0] };
    world.run(&["start", &selector], codes)?;
    if !world.cut {
        let after = world.look()?;
        let missing: Vec<_> = before.processes.keys().filter(|key| !after.processes.contains_key(*key)).collect();
        if !missing.is_empty() {
            return Err(format!("{missing:?} do not run after a start"));
        }
    }
    Ok(false)
}

/// A node that dies comes back by itself, and what it left is kept.
fn kill_a_node(world: &mut World) -> Checked<bool> {
    let before = world.look()?;
    let all: Vec<_> = before.processes.iter().collect();
    if all.is_empty() {
        return Ok(false);
    }
    let ((host, node), process) = all[world.random.usize(..all.len())];
    let signal = ["KILL", "ABRT", "ILL"][world.random.usize(..3)];
    world.note(&format!("kill -{signal} {node}"));
    world.signal(host, signal, process.pid);
    let limit = Instant::now() + REVIVAL;
    loop {
        let now = world.look();
        let key = (host.clone(), node.clone());
        if let Ok(now) = &now
            && now.processes.get(&key).is_some_and(|p| p.pid != process.pid)
        {
            return Ok(false);
        }
        if Instant::now() > limit {
            return Err(format!("{node} was killed and has not come back: {:?}", now.map(|n| n.processes)));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Kills clusterctl, or lets it lose its reader, at the n-th thing that it tells.
fn cut(world: &mut World, signal: &str) -> Checked<bool> {
    let before = world.look()?;
    let mut args = match world.random.u32(..10) {
        0..=1 => vec!["rollback", "--yes"],
        2 => vec!["restart"],
        3 if world.is("curve", "on") => vec!["secrets", "rotate", "--yes"],
        4 => {
            world.text.env += 1;
            vec!["deploy", "--yes"]
        }
        _ => {
            world.text.script += 1;
            vec!["deploy", "--yes"]
        }
    };
    args.extend(["-o", "json"]);
    world.write();
    let number = world.random.u32(1..=45);
    let (mut seen, mut last) = (0, String::new());
    let said = world.watch(&args, |line, pid| {
        seen += 1;
        line.clone_into(&mut last);
        if seen == number {
            kill(signal, pid);
        }
        seen == number
    })?;
    world.note(&format!("{signal} at event {number}: {}", if seen == number { last.as_str() } else { "too late" }));
    let came = seen == number;
    let was_cut = world.cut;
    if args[0] != "restart" {
        world.deployed = said.code == 0 && args[0] != "rollback";
    }
    if signal == "KILL" {
        world.cut |= came && said.code == -1;
        return Ok(false);
    }
    let fine = match said.code {
        0 => true,
        1 => args[0] == "rollback" || was_cut,
        code => (was_cut && code == 4) || (came && ENDING.contains(&signal) && INTERRUPTED.contains(&code)),
    };
    if !fine {
        return Err(format!(
            "{args:?} ends with {} after {signal} at event {number} ({last}):\n{}",
            said.code,
            shown(&said)
        ));
    }
    if was_cut || args[0] == "restart" || said.code == 0 {
        return Ok(false);
    }
    // An orderly end: all is as before.
    let after = world.hold(false)?;
    if before.current != after.current || releases(&before) != releases(&after) {
        return Err(format!(
            "{signal} at event {number} ({last}) of {args:?}: before it ran {:?}, and now {:?}",
            releases(&before),
            releases(&after)
        ));
    }
    Ok(false)
}

/// Units come back by themselves; what else was meant to run comes with a start, or with the host's maintenance.
fn reboot(world: &mut World) -> Checked<bool> {
    let before = world.look()?;
    let host = world.reboot();
    world.note(&format!("boots {host}"));
    let mine: BTreeSet<_> = before.processes.keys().filter(|(h, _)| h == host).cloned().collect();
    if world.is("runner", "systemd") && !world.cut {
        let limit = Instant::now() + REVIVAL;
        loop {
            let now = world.look();
            let there = |look: &Look| mine.iter().all(|key| look.processes.contains_key(key));
            if now.as_ref().is_ok_and(there) {
                break;
            }
            if Instant::now() > limit {
                return Err(format!("{mine:?} have not come back with {host}: {:?}", now.map(|n| n.processes)));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    } else {
        let codes: &[i32] = if world.cut { &[0, 1, 4] } else { &[0] };
        let how = if world.random.bool() { "start" } else { "maintain" };
        world.run(&[how], codes)?;
    }
    if host == "sensor1" || world.is_standalone() {
        world.renew_beside()?;
    }
    Ok(false)
}
