//! Taking what Zeek's WebSocket server sends although it breaks the rules: text frames that are not UTF-8, and JSON with
//! raw control characters in its strings.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes that a peer may send over one connection: the values of `Cluster::nodes` of 50 nodes of 10,000.
const MOST_BYTES: u64 = 128 << 20;
/// The most frames of them: pings and empty fragments have next to no bytes.
const MOST_FRAMES: u64 = 1_000_000;
/// As many in a second, where a connection has no end: what 60 nodes say in a flood.
const MOST_BYTES_LIVE: u64 = 32 << 20;
const MOST_FRAMES_LIVE: u64 = 100_000;
/// The most values in one message: an event of ours has some twenty, and each takes many times its bytes here.
const MOST_VALUES: usize = 10_000;

/// A byte stream that relabels incoming text frames as binary, for a text frame that is not UTF-8 ends the connection
/// in a client that follows RFC 6455, and with it all answers that are still to come. It ends with an error where more
/// comes than any honest peer sends.
#[derive(Debug)]
pub(super) struct TextAsBinary<S> {
    inner: S,
    frames: Frames,
    bytes: u64,
    begun: u64,
    /// Since when both are counted, where they are limited by the second.
    second: Option<Instant>,
}

impl<S> TextAsBinary<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, frames: Frames::Head(0), bytes: 0, begun: 0, second: None }
    }

    /// From now on, what comes is limited by the second: the connection has no end.
    pub(super) fn go_live(&mut self) {
        self.second = Some(Instant::now());
        (self.bytes, self.begun) = (0, 0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TextAsBinary<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let poll = Pin::new(&mut this.inner).poll_read(cx, buf);
        let bytes = buf.filled_mut().get_mut(before..).unwrap_or_default();
        this.bytes += bytes.len() as u64;
        this.begun += this.frames.relabel(bytes);
        let (most_bytes, most_frames, when) = match &mut this.second {
            None => (MOST_BYTES, MOST_FRAMES, ""),
            Some(second) => {
                if second.elapsed() >= Duration::from_secs(1) {
                    *second = Instant::now();
                    (this.bytes, this.begun) = (0, 0);
                }
                (MOST_BYTES_LIVE, MOST_FRAMES_LIVE, " in a second")
            }
        };
        if this.bytes > most_bytes || this.begun > most_frames {
            let most = format!("more than {} or {most_frames} frames came{when}", bytesize::ByteSize(most_bytes));
            return Poll::Ready(Err(io::Error::other(most)));
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TextAsBinary<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// Where in the incoming bytes we are: the HTTP head, then frames (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frames {
    /// In the HTTP head, so many bytes into its final `\r\n\r\n`.
    Head(usize),
    /// At a frame's first byte.
    Opcode,
    /// At its second byte.
    Length,
    /// In an extended length, with so many bytes to come.
    Extended { left: u8, length: u64, mask: u64 },
    /// In mask and payload, with so many bytes to come.
    Payload(u64),
}

impl Frames {
    /// Relabels the next bytes; returns how many frames begin in them.
    fn relabel(&mut self, bytes: &mut [u8]) -> u64 {
        let mut rest = bytes;
        let mut begun = 0;
        while let Some((byte, after)) = rest.split_first_mut() {
            if let Self::Payload(left) = self {
                let here = usize::try_from(*left).map_or(after.len() + 1, |l| l.min(after.len() + 1));
                *self = Self::payload(*left - here as u64);
                rest = after.get_mut(here - 1..).unwrap_or_default();
                continue;
            }
            begun += u64::from(*self == Self::Opcode);
            self.step(byte);
            rest = after;
        }
        begun
    }

    fn step(&mut self, byte: &mut u8) {
        *self = match *self {
            Self::Head(matched) => match (matched, *byte) {
                (3, b'\n') => Self::Opcode,
                (0 | 2, b'\r') | (1, b'\n') => Self::Head(matched + 1),
                (_, b'\r') => Self::Head(1),
                _ => Self::Head(0),
            },
            Self::Opcode => {
                if *byte & 0x0f == TEXT {
                    *byte = *byte & 0xf0 | BINARY;
                }
                Self::Length
            }
            Self::Length => {
                let mask = if *byte & 0x80 == 0 { 0 } else { 4 };
                match *byte & 0x7f {
                    126 => Self::Extended { left: 2, length: 0, mask },
                    127 => Self::Extended { left: 8, length: 0, mask },
                    length => Self::payload(u64::from(length) + mask),
                }
            }
            Self::Extended { left, length, mask } => {
                let length = length << 8 | u64::from(*byte);
                if left > 1 {
                    Self::Extended { left: left - 1, length, mask }
                } else {
                    Self::payload(length.saturating_add(mask))
                }
            }
            Self::Payload(left) => Self::payload(left.saturating_sub(1)),
        };
    }

    fn payload(left: u64) -> Self {
        if left == 0 { Self::Opcode } else { Self::Payload(left) }
    }
}

/// Reads JSON as it comes from Zeek: bytes that are not UTF-8 become U+FFFD, and raw control characters in strings are
/// taken for themselves.
pub(super) fn parse(bytes: &[u8]) -> Result<serde_json::Value, serde_json::Error> {
    if values(bytes) > MOST_VALUES {
        return Err(serde::de::Error::custom(format!("it has more than {MOST_VALUES} values")));
    }
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str(&text).or_else(|_| serde_json::from_str(&escape_controls(&text)))
}

/// About how many values there are in a JSON text: at least as many as a parser finds.
fn values(bytes: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut count) = (false, false, 1);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b':' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// Escapes the control characters inside of JSON strings.
fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string && c < ' ' {
            if escaped {
                // A backslash before it escapes nothing that JSON knows: it stands for itself.
                out.push('\\');
            }
            let _ = write!(out, "\\u{:04x}", u32::from(c));
            escaped = false;
            continue;
        }
        match c {
            '"' if !escaped => in_string = !in_string,
            '\\' if in_string && !escaped => {
                escaped = true;
                out.push(c);
                continue;
            }
            _ => {}
        }
        escaped = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A server's side: an HTTP head, then frames with these opcodes and payload sizes.
    fn stream(frames: &[(u8, usize)]) -> Vec<u8> {
        let mut bytes = b"HTTP/1.1 101 Switching\r\nA: \x81\r\n\r\n".to_vec();
        for &(opcode, size) in frames {
            bytes.push(0x80 | opcode);
            match u16::try_from(size) {
                Ok(size) if size < 126 => bytes.push(u8::try_from(size).unwrap()),
                Ok(size) => {
                    bytes.push(126);
                    bytes.extend(size.to_be_bytes());
                }
                Err(_) => {
                    bytes.push(127);
                    bytes.extend((size as u64).to_be_bytes());
                }
            }
            bytes.extend(std::iter::repeat_n(0x81, size));
        }
        bytes
    }

    proptest! {
        #[test]
        fn only_opcodes_of_text_change_however_the_bytes_are_cut(
            frames in prop::collection::vec((prop::sample::select(vec![0u8, 1, 2, 8, 9, 10]),
                                             prop::sample::select(vec![0usize, 1, 125, 126, 300, 65_535, 65_536])), 0..5),
            cut in 1usize..200,
        ) {
            let mut bytes = stream(&frames);
            let wanted: Vec<_> = frames.iter().map(|&(op, size)| (if op == TEXT { BINARY } else { op }, size)).collect();
            let mut state = Frames::Head(0);
            for chunk in bytes.chunks_mut(cut) {
                state.relabel(chunk);
            }
            prop_assert_eq!(state, Frames::Opcode);
            prop_assert_eq!(bytes, stream(&wanted));
        }

        #[test]
        fn control_characters_in_strings_are_no_error(value in any::<String>()) {
            let strict = serde_json::to_string(&value).unwrap();
            let zeeks = strict.replace("\\u0001", "\u{1}").replace("\\n", "\n").replace("\\u0000", "\0");
            prop_assert!(parse(zeeks.as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_message_of_too_many_values_is_none_and_a_long_text_is_one() {
        let text = format!("{{\"data\":\"{}\"}}", "[{,:\\\"".repeat(1 << 20));
        assert_eq!(parse(text.as_bytes()).unwrap()["data"].as_str().unwrap().len(), 5 << 20);
        for bomb in ["[".repeat(1 << 20), format!("[{}0]", "0,".repeat(1 << 20)), "{\"a\":".repeat(1 << 20)] {
            assert!(parse(bomb.as_bytes()).unwrap_err().to_string().contains("more than 10000 values"));
        }
    }

    #[tokio::test]
    async fn what_has_no_end_is_limited_by_the_second() {
        use tokio::io::AsyncReadExt as _;
        let most = usize::try_from(MOST_BYTES_LIVE).unwrap();
        let mut stream = TextAsBinary::new(std::io::Cursor::new(stream(&[(BINARY, most)])));
        stream.go_live();
        let mut part = vec![0; 1 << 20];
        let error = loop {
            match stream.read(&mut part).await {
                Ok(0) => panic!("it came to its end"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.to_string().ends_with(" or 100000 frames came in a second"), "{error}");
    }

    #[test]
    fn a_control_character_is_taken_for_itself() {
        let value = parse(b"{\"a\":\"x\x01y\\\"\x02\"}\n").unwrap();
        assert_eq!(value["a"], "x\u{1}y\"\u{2}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(parse(b"[\"\xff\xfe\"]").unwrap()[0], "\u{fffd}\u{fffd}");
    }
}
