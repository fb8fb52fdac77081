//! A WebSocket client that looks at bytes: it keeps frames that are no valid text, and says how a connection ended.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How a connection ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// With a close frame: code and reason.
    Close(u16, String),
    /// Without.
    Broken,
}

/// A client.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    frames: VecDeque<Vec<u8>>,
    /// The pings that came.
    pub pings: Vec<String>,
    /// The end, once it came.
    pub end: Option<End>,
    /// The head of the answer to the upgrade.
    pub head: String,
}

/// Why a connection failed.
#[derive(Debug, PartialEq)]
pub(crate) enum Failed {
    Refused,
    TimedOut,
}

impl Client {
    pub(crate) fn connect(port: u16) -> Result<Self, Failed> {
        Self::connect_to(port, "/v1/messages/json", "", Duration::from_secs(10))
    }

    /// Connects and upgrades; `headers` are lines with their ends.
    pub(crate) fn connect_to(port: u16, path: &str, headers: &str, patience: Duration) -> Result<Self, Failed> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|_| Failed::Refused)?;
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).map_err(|_| Failed::Refused)?;
        stream.set_read_timeout(Some(patience)).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(Failed::TimedOut);
                }
                _ => return Err(Failed::Refused),
            }
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Ok(Self { stream, buffer: Vec::new(), frames: VecDeque::new(), pings: Vec::new(), end: None, head })
    }

    /// Sends a frame of an opcode, masked as a client has to.
    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut out = vec![0x80 | opcode];
        match payload.len() {
            n @ 0..126 => out.push(0x80 | u8::try_from(n).unwrap()),
            n => {
                out.push(0x80 | 0x7e);
                out.extend(u16::try_from(n).unwrap().to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        // A connection that is gone shows itself when it is read.
        let _ = self.stream.write_all(&out);
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.frame(1, text.as_bytes());
    }

    pub(crate) fn send_binary(&mut self, bytes: &[u8]) {
        self.frame(2, bytes);
    }

    pub(crate) fn close(&mut self, code: u16) {
        self.frame(8, &code.to_be_bytes());
    }

    /// Sends a hello and returns the ack.
    pub(crate) fn hello(&mut self, topics: &[&str]) -> Value {
        self.send(&json!(topics).to_string());
        let ack = self.next(Duration::from_secs(10)).expect("an ack");
        serde_json::from_slice(&ack).unwrap()
    }

    /// The next text frame within a time.
    pub(crate) fn next(&mut self, within: Duration) -> Option<Vec<u8>> {
        let start = Instant::now();
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let left = within.checked_sub(start.elapsed()).filter(|l| !l.is_zero())?;
            if self.end.is_some() {
                return None;
            }
            self.read(left);
        }
    }

    /// Waits for the end of the connection; frames that come before stay to be read.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<End> {
        let start = Instant::now();
        while self.end.is_none() {
            let left = within.checked_sub(start.elapsed()).filter(|l| !l.is_zero())?;
            self.read(left);
        }
        self.end.clone()
    }

    fn read(&mut self, within: Duration) {
        self.stream.set_read_timeout(Some(within)).unwrap();
        let mut chunk = [0; 8192];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.end = Some(self.end.take().unwrap_or(End::Broken)),
            Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.end = Some(self.end.take().unwrap_or(End::Broken)),
        }
        while let Some((opcode, payload)) = self.take() {
            match opcode {
                1 => self.frames.push_back(payload),
                8 => {
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    self.end = Some(End::Close(code, String::from_utf8_lossy(&payload[2..]).into_owned()));
                    self.close(code);
                }
                9 => {
                    self.pings.push(String::from_utf8_lossy(&payload).into_owned());
                    self.frame(10, &payload);
                }
                _ => {}
            }
        }
    }

    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, second) = (*self.buffer.first()?, *self.buffer.get(1)?);
        assert_eq!(first & 0x80, 0x80, "the server splits no messages");
        let (len, at) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes([*self.buffer.get(2)?, *self.buffer.get(3)?])), 4),
            127 => (usize::try_from(u64::from_be_bytes(self.buffer.get(2..10)?.try_into().unwrap())).unwrap(), 10),
            n => (usize::from(n), 2),
        };
        if self.buffer.len() < at + len {
            return None;
        }
        let payload = self.buffer[at..at + len].to_vec();
        self.buffer.drain(..at + len);
        Some((first & 0x0f, payload))
    }
}

/// An event's frame with strings as arguments.
pub(crate) fn request(topic: &str, event: &str, args: &[&str]) -> String {
    let one = json!({"@data-type": "count", "data": 1});
    let text = |t: &str| json!({"@data-type": "string", "data": t});
    let args: Vec<Value> = args.iter().map(|a| text(a)).collect();
    json!({"type": "data-message", "topic": topic, "@data-type": "vector", "data": [one, one,
        {"@data-type": "vector", "data": [text(event), {"@data-type": "vector", "data": args}]}]})
    .to_string()
}
