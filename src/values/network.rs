//! Addresses, networks and ports.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::text::{cut, text_value};

/// The address of a host, with a zone if it is an IPv6 address of one link (`fe80::1%eth0`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The zone, or empty.
    pub zone: String,
}

impl FromStr for Address {
    type Err = String;

    /// Reads an address; brackets around it are accepted.
    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let (ip, zone) = inner.split_once('%').unwrap_or((inner, ""));
        let ip: IpAddr = ip.parse().map_err(|_| format!("`{}` is not an IP address", cut(text)))?;
        if inner.contains('%') && (ip.is_ipv4() || !is_zone(zone)) {
            return Err(format!("`{}` has a zone that is no interface's name", cut(text)));
        }
        let why = if ip.is_unspecified() {
            "stands for all addresses of a machine, not for one"
        } else if ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast()) {
            "is an address of a group, not of one machine"
        } else {
            return Ok(Self { ip: ip.to_canonical(), zone: zone.to_owned() });
        };
        Err(format!("the address `{}` {why}", cut(text)))
    }
}

/// Tells whether a text can be the zone of an address: an interface's name.
fn is_zone(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-:@".contains(c))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone.as_str() {
            "" => self.ip.fmt(f),
            zone => write!(f, "{}%{zone}", self.ip),
        }
    }
}

text_value!(Address, "an IP address", {
    "description": "An IPv4 or IPv6 address.",
    "type": "string",
    "examples": ["10.0.0.10", "2001:db8::12"]
});

/// A network: `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(pub IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<IpAddr>() {
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            return Err(format!("the network `{text}` has no prefix length; write `{text}/{bits}` for one address"));
        }
        let net: IpNet = text.parse().map_err(|_| format!("`{}` is not a network such as `10.0.0.0/8`", cut(text)))?;
        if net.trunc() != net {
            return Err(format!("the network `{net}` has bits after its prefix; write `{}`", net.trunc()));
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A port, from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16);

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix("/tcp").unwrap_or(text);
        match number.parse::<u16>() {
            Ok(port) if port > 0 && number.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(port)),
            _ => Err(format!("`{}` is not a port, a number from 1 to 65535", cut(text))),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_value!(Port, "a port, a number from 1 to 65535", {
    "description": "A TCP port.",
    "type": "integer",
    "minimum": 1,
    "maximum": 65535
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_one_machine() {
        let right: Address = "fe80::1%eth0".parse().unwrap();
        assert_eq!((right.ip, right.zone.as_str()), ("fe80::1".parse().unwrap(), "eth0"));
        assert_eq!("[2001:db8::1]".parse::<Address>().unwrap().to_string(), "2001:db8::1");
        assert_eq!("::ffff:10.0.0.1".parse::<Address>().unwrap().to_string(), "10.0.0.1");
        for wrong in
            ["", "sensor1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "10.0.0.256", "10.0.0.1%e", "fe80::1%", "1"]
        {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_have_no_host_bits() {
        assert_eq!("10.0.0.0/8".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(
            "10.1.0.0/8".parse::<Network>().unwrap_err(),
            "the network `10.1.0.0/8` has bits after its prefix; write `10.0.0.0/8`"
        );
        assert!("10.0.0.1".parse::<Network>().unwrap_err().contains("10.0.0.1/32"));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn ports() {
        assert_eq!("27760/tcp".parse(), Ok(Port(27760)));
        for wrong in ["", "0", "65536", "-1", "+80", "80.0", "many"] {
            assert!(wrong.parse::<Port>().is_err(), "{wrong}");
        }
    }
}
