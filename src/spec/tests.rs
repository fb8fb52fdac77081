use super::*;

#[test]
fn show() {
    for file in [
        "examples/campus/cluster.yaml",
        "examples/minimal.yaml",
        "examples/af-packet.yaml",
        "examples/standalone.yaml",
        "tests/data/ten-mistakes.yaml",
    ] {
        let d = load(Path::new(file));
        match crate::cluster::check(&d) {
            Ok(c) => println!(
                "{} ok {} nodes {:?}",
                file,
                c.nodes.len(),
                c.nodes
                    .iter()
                    .map(|n| (&n.name, n.port, n.cpu, n.interface.clone(), n.af_packet.as_ref().map(|a| a.fanout_id)))
                    .collect::<Vec<_>>()
            ),
            Err(e) => println!("{}", crate::error::render(&e, crate::error::Look::default())),
        }
    }
}
