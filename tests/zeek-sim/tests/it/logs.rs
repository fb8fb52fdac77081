//! Logs: rotated, left over, archived.

use std::process::Command;

use crate::cluster::{Cluster, until};

const ROTATION: &str = "\n@if ( Cluster::local_node_type() == Cluster::LOGGER )\n\
    redef Log::default_rotation_dir = \"../../log-queue\";\n\
    redef Log::rotation_format_func = archiver_rotation_format_func;\n\
    redef LogAscii::enable_leftover_log_rotation = T;\n\
    redef Log::default_rotation_interval = 168hr;\n@endif\n\
    redef Log::default_rotation_postprocessor_cmd = \"\";\n";

fn names(cluster: &Cluster, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(cluster.path(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn are_rotated_at_the_end_and_after_a_kill_at_the_next_start() {
    for zeromq in [false, true] {
        let mut cluster = Cluster::new("8.0.10", zeromq);
        cluster.write("site/research.zeek", ROTATION);
        cluster.env.push(("ZEEK_SIM_LOG_RATE".into(), "50".into()));
        cluster.start_all();
        let log = || cluster.read("nodes/logger-1/sim.log");
        until("records", || log().contains("worker-1\t").then_some(()));
        assert!(log().contains("#fields\tts\tnode\tpid\tn\n"), "{}", log());
        assert_eq!(cluster.read("nodes/logger-1/.shadow.sim.log"), ".log\n\n");
        assert!(names(&cluster, "log-queue").is_empty());
        assert_eq!(cluster.stop("logger-1", "KILL"), -9);
        assert!(names(&cluster, "log-queue").is_empty());
        cluster.start("logger-1");
        until("the leftover", || names(&cluster, "log-queue").iter().any(|n| n.starts_with("sim__")).then_some(()));
        until("a word about it", || {
            cluster.read("nodes/logger-1/stderr").contains("Rotated/postprocessed leftover log '").then_some(())
        });
        cluster.stop("logger-1", "TERM");
        assert!(!cluster.path("nodes/logger-1/.shadow.cluster.log").exists());
        let queue = names(&cluster, "log-queue");
        assert!(queue.iter().all(|n| n.ends_with("__.log") && n.split("__").count() == 4), "{queue:?}");

        let archiver = cluster.path("zeek/bin/zeek-archiver");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_zeek-sim"), &archiver).unwrap();
        let mut archive = Command::new(&archiver);
        archive.args(["-1", "-c", "gz,gzip"]).arg(cluster.path("log-queue")).arg(cluster.path("archive"));
        assert!(archive.status().unwrap().success());
        assert_eq!(names(&cluster, "log-queue"), Vec::<String>::new());
        let day = names(&cluster, "archive").remove(0);
        let logs = names(&cluster, &format!("archive/{day}"));
        assert!(logs.iter().all(|n| n.ends_with(".log.gz") && n.matches(':').count() == 4), "{logs:?}");
    }
}

#[test]
fn nothing_is_written_after_the_last_rotation() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.write("site/research.zeek", ROTATION);
    cluster.env.push(("ZEEK_SIM_LOG_RATE".into(), "500".into()));
    // Long enough for records that workers send each second.
    cluster.env.push(("ZEEK_SIM_END_MS".into(), "3600".into()));
    cluster.start_all();
    until("records", || cluster.read("nodes/logger-1/sim.log").contains("worker-1\t").then_some(()));
    cluster.stop("logger-1", "TERM");
    for left in ["sim.log", ".shadow.sim.log"] {
        assert!(!cluster.path(&format!("nodes/logger-1/{left}")).exists(), "{left}");
    }
}
