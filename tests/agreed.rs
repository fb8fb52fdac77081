//! Plans that are kept in a file and done later: exactly those, or none.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::local::LocalCluster;

fn site(cluster: &LocalCluster, text: &str) {
    std::fs::write(cluster.dir().join("site/local.zeek"), text).unwrap();
}

/// A cluster that nobody has deployed yet, with a site folder.
fn described(more: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    site(&cluster, "# One.\n");
    cluster.write_local(more);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("scripts: []", "site: ./site, scripts: [local]");
    std::fs::write(file, text).unwrap();
    cluster
}

#[test]
fn a_saved_plan_is_done_without_a_question_or_refused_with_what_differs() {
    // A secret makes what only a deploy makes: the salt of its digest.
    let cluster = described(", env: { TOKEN: { env: THE_TOKEN } }");
    let run = |args: &[&str]| {
        let mut command = cluster.command(args);
        command.env("THE_TOKEN", "hunter2-is-secret");
        crate::support::local::said(command)
    };
    let plan = cluster.dir().join("first.plan");
    let said = run(&["diff", "--save", "first.plan"]).code(0);
    assert!(said.stderr.contains("clusterctl deploy --plan first.plan"), "{said:?}");
    assert_eq!(plan.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&plan).unwrap();
    assert!(!text.contains("hunter2"), "a secret is in the plan");
    // Somebody edits a script after the plan was made.
    site(&cluster, "# Two.\n");
    let said = run(&["deploy", "--plan", "first.plan"]).code(1);
    assert!(said.stderr.contains("a deploy would differ from the plan; nothing changed"), "{said:?}");
    assert!(said.stderr.contains("site/local.zeek: other content than in the plan"), "{said:?}");
    assert!(!cluster.kept("current").exists());
    site(&cluster, "# One.\n");
    run(&["deploy", "--plan", "first.plan"]).code(0);
    cluster.settled();
    // It is done, and not again.
    let said = run(&["deploy", "--plan", "first.plan"]).code(1);
    assert!(said.stderr.contains("here: has release "), "{said:?}");

    site(&cluster, "# Three.\n");
    run(&["diff", "--save", "second.plan"]).code(0);
    // What an operator stops meanwhile, the plan does not know.
    run(&["stop", "worker-2"]).code(0);
    let said = run(&["deploy", "--plan", "second.plan"]).code(1);
    assert!(said.stderr.contains("worker-2 on here: "), "{said:?}");
    run(&["start", "worker-2"]).code(0);
    // A secret that is another one now.
    let mut command = cluster.command(&["deploy", "--plan", "second.plan"]);
    command.env("THE_TOKEN", "other");
    let said = crate::support::local::said(command).code(1);
    assert!(said.stderr.contains("nothing changed") && !said.stderr.contains("other\n"), "{said:?}");
    let said = run(&["deploy", "--plan", "second.plan", "--dry-run"]).code(0);
    assert!(said.stdout.contains("# Three."), "{said:?}");
    run(&["deploy", "--plan", "second.plan"]).code(0);
    cluster.settled();
}

#[test]
fn what_is_no_plan_of_this_cluster_is_refused() {
    let cluster = described("");
    let file = cluster.dir().join("x.plan");
    let refused = |why: &str| {
        let said = cluster.run(&["deploy", "--plan", "x.plan"]).code(1);
        assert!(said.stderr.contains(why), "{why}: {said:?}");
    };
    refused("can't read a plan from x.plan");
    std::fs::write(&file, "cluster: x\n").unwrap();
    refused("`clusterctl diff --save FILE` writes a plan");
    std::fs::remove_file(&file).unwrap();
    cluster.run(&["diff", "--save", "x.plan"]).code(0);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    refused("other users can write to the file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let name = cluster.name();
    std::fs::write(&file, text.replace(&format!("\"cluster\": \"{name}\""), "\"cluster\": \"x\\n\\u001b[2Jy\""))
        .unwrap();
    refused("the plan is for the cluster x");
    // A pipe, and more than a plan has.
    std::fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    refused("not a file");
    std::fs::remove_file(&file).unwrap();
    std::fs::File::create(&file).unwrap().set_len(65 << 20).unwrap();
    refused("larger than 64");
    // A link is replaced, and what it named stays.
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("cluster.yaml", &file).unwrap();
    cluster.run(&["diff", "--save", "x.plan"]).code(0);
    assert!(std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap().starts_with("cluster: "));
    let said = cluster.run(&["diff", "--save", "none/x.plan"]).code(1);
    assert!(said.stderr.contains("can't write the plan to none/x.plan"), "{said:?}");
    cluster.run(&["deploy", "--plan", "x.plan", "--no-restart"]).code(2);
}
