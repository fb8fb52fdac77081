//! The metrics port, from 7.0 on: a page that a scraper can read.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::net;
use crate::node::Shared;
use crate::script::value::Value;
use crate::start::Fatal;

/// Serves metrics, if the scripts set a port.
///
/// # Errors
/// Fails, as Zeek does, if the port can't be had.
pub async fn listen(node: &Shared) -> Result<(), Fatal> {
    let (port, host) = {
        let n = node.borrow();
        if !n.world.version.since(7, 0) || std::env::var("ZEEKCTL_CHECK_CONFIG").is_ok_and(|v| !v.is_empty()) {
            return Ok(());
        }
        match n.world.globals.get("Telemetry::metrics_port") {
            Some(Value::Port(port, _)) if *port > 0 => (*port, n.world.string("Telemetry::metrics_address")),
            _ => return Ok(()),
        }
    };
    let host = match host.trim_matches(['[', ']']) {
        "" => "0.0.0.0".to_owned(),
        host => host.to_owned(),
    };
    let listener = net::bind(&host, port).await.map_err(|_| {
        Fatal(format!(
            "Failed to setup Prometheus endpoint: null context when constructing CivetServer. Possible problem binding to port. Error: Failed to setup server ports. Attempted to bind to {host}:{port}."
        ))
    })?;
    let node = node.clone();
    tokio::task::spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let node = node.clone();
            tokio::task::spawn_local(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let body = {
                    let n = node.borrow();
                    format!(
                        "# TYPE zeek_version_info gauge\nzeek_version_info{{node=\"{}\",version=\"{}\"}} 1\n",
                        n.world.node, n.world.version
                    )
                };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
                let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Ok(())
}
