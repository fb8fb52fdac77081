//! The version that is played, and what it can do. Follows Zeek's scripts of the tags 3.0.0 to 9.0.0-rc1.

use std::fmt;

/// A version of Zeek.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Major and minor number.
    pub number: (u16, u16),
    /// The whole text: `8.0.10`.
    pub text: String,
}

impl Version {
    /// Reads `8.0.10`, `9.0.0-rc1`, `8.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split(['.', '-']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { number: (major, minor), text: text.to_owned() })
    }

    /// Whether it is that version or a later one.
    pub fn since(&self, major: u16, minor: u16) -> bool {
        self.number >= (major, minor)
    }

    /// Whether `Cluster::backend` and with it ZeroMQ exist.
    pub fn has_backends(&self) -> bool {
        self.since(7, 1)
    }

    /// The version of Broker, which its own WebSocket server names in its ack; only roughly that of each Zeek.
    pub fn broker(&self) -> &'static str {
        match self.number {
            (0..=4, _) => "1.4.0",
            (5, _) => "2.3.0",
            (6, _) => "2.7.0",
            (7, _) => "2.8.0",
            _ => "2.8.0-dev.280",
        }
    }

    /// The fields of `Cluster::Node` in their order, with whether each has to be given.
    pub fn node_fields(&self) -> Vec<(&'static str, bool)> {
        let mut fields = vec![("node_type", true), ("ip", true), ("zone_id", false), ("p", !self.since(4, 0))];
        if !self.since(7, 1) {
            fields.push(("interface", false));
        }
        fields.push(("manager", false));
        if !self.since(7, 1) {
            fields.push(("time_machine", false));
        }
        fields.push(("id", false));
        if self.since(7, 0) {
            fields.push(("metrics_port", false));
        }
        fields
    }

    /// The fields of `Cluster::WebSocketServerOptions`.
    pub fn websocket_fields(&self) -> Vec<&'static str> {
        let mut fields = vec!["listen_port", "max_event_queue_size", "tls_options"];
        if !self.since(8, 1) {
            fields.push("listen_host");
        }
        if self.since(8, 0) {
            fields.extend(["listen_addr", "ping_interval"]);
        }
        fields
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_version() {
        let names = |v: &str| Version::parse(v).unwrap().node_fields().into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names("8.0.10"), ["node_type", "ip", "zone_id", "p", "manager", "id", "metrics_port"]);
        assert!(names("7.0.1").contains(&"interface") && names("7.0.1").contains(&"metrics_port"));
        assert!(!names("6.2.0").contains(&"metrics_port"));
        assert!(Version::parse("3.2.4").unwrap().node_fields().contains(&("p", true)));
        assert!(Version::parse("nonsense").is_none());
    }
}
