//! All that `diag` knows as a compressed archive, for a bug report.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{DiagReport, redact};
use crate::cluster::Cluster;
use crate::zeek;

/// Writes a new file that only its owner may read.
///
/// # Errors
/// Where it is there, also as a link, or can't be written.
pub(super) fn write(
    file: &Path,
    report: &DiagReport,
    cluster: &Cluster,
    description: &[(String, String)],
) -> io::Result<()> {
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let written = archive(&target, report, cluster, description).and_then(|()| target.flush());
    if written.is_err() {
        // Half of it is of no use to anybody.
        let _ = std::fs::remove_file(file);
    }
    written
}

fn archive(
    target: impl io::Write,
    report: &DiagReport,
    cluster: &Cluster,
    description: &[(String, String)],
) -> io::Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(target, Compression::default()));
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let top = format!("{}-diag", cluster.name);
    let mut put = |path: String, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(now);
        tar.append_data(&mut header, format!("{top}/{path}"), content.as_bytes())
    };
    let versions =
        json!({"clusterctl": env!("CARGO_PKG_VERSION"), "hosts": &report.hosts, "unreachable": &report.unknown});
    put("hosts.json".to_owned(), &serde_json::to_string_pretty(&versions)?)?;
    for (number, (name, text)) in description.iter().enumerate() {
        let plain = redact::description(text);
        let name = name.rsplit('/').next().unwrap_or_default();
        let name = if number == 0 { name.to_owned() } else { format!("{number}-{name}") };
        put(format!("description/{name}"), plain.as_deref().unwrap_or("(it could not be read as YAML)\n"))?;
    }
    let running = report.hosts.iter().find_map(|host| host.zeek.as_ref()?.split(' ').next()?.parse().ok());
    if let Some(version) = cluster.zeek.version.or(running) {
        put("cluster-layout.zeek".to_owned(), &zeek::layout(cluster, version))?;
    }
    for node in &report.nodes {
        let mut plain = node.clone();
        plain.texts.clear();
        put(format!("nodes/{}/node.json", node.node), &serde_json::to_string_pretty(&plain)?)?;
        for text in &node.texts {
            // Ours, but for the time in it, which is a folder's name on the host.
            let name: String = text.file.replace('/', "_").chars().filter(|c| !c.is_control()).take(200).collect();
            put(format!("nodes/{}/{name}.txt", node.node), &(text.lines.join("\n") + "\n"))?;
        }
    }
    tar.into_inner()?.finish()?;
    Ok(())
}
