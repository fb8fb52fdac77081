//! How a script travels, and how its answer is told from noise.
//!
//! The command line on the host is one constant line; script, arguments and input follow on stdin, so nothing of a
//! description is ever in a command line or a process list, and nothing is ever quoted. The line works under POSIX
//! shells, csh and fish as login shells. `dd bs=1` reads exactly the script's bytes and leaves the rest on stdin;
//! `head -c` of busybox would read too far.
//!
//! Answer lines begin with a random token, so a login shell that prints noise, or a file with hostile text in it,
//! can't be taken for an answer.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::io::{InspectReader, InspectWriter};

use super::failure::{Failure, HostFailure};

/// The most bytes that a host may send for one call, noise and newlines included.
const OUTPUT_LIMIT: u64 = 64 << 20;
/// The most lines of them: one takes some 50 bytes here, however short it is.
const LINES_LIMIT: usize = 1_000_000;
/// The longest line that a host may send; `cluster.json` is one, about 300 bytes a node.
const LINE_LIMIT: u64 = 16 << 20;
/// The most that is kept of a script's stderr; the rest is read and forgotten.
const STDERR_LIMIT: usize = 64 << 10;
/// The most that is kept of what comes before the answer, in bytes.
const NOISE_LIMIT: usize = 1 << 10;
/// The most bytes of an input that are in memory at a time.
const CHUNK: usize = 128 << 10;
/// The most bytes that a host may send in a second of what goes on without an end; the rest waits, on the host in the end.
const LIVE_RATE: u64 = 8 << 20;
/// How many bytes of an input a host takes in a second at the least, on average over the call's deadline, where a call goes
/// on as long as there is progress: one that takes a byte now and then holds nobody up for ever.
const LEAST_RATE: u64 = 4 << 10;

/// What is called with each line of an answer.
pub type OnLine<'a> = Box<dyn FnMut(&str) + Send + 'a>;

/// A piece of what follows a script on stdin.
#[derive(Debug, Clone)]
pub enum Input {
    /// Bytes in memory.
    Bytes(Arc<[u8]>),
    /// All of a file, which is read as it is sent. Several calls may share it: its position is not used.
    File(Arc<File>),
}

impl Input {
    /// Writes it; what the other side does not take is no failure here.
    async fn write(&self, stdin: &mut (impl AsyncWrite + Unpin)) {
        match self {
            Self::Bytes(bytes) => drop(stdin.write_all(bytes).await),
            Self::File(file) => {
                let mut chunk = vec![0; CHUNK];
                let mut at = 0;
                // A file that can't be read to its end is an input that is cut short, which the script tells.
                while let Ok(n @ 1..) = file.read_at(&mut chunk, at) {
                    if stdin.write_all(&chunk[..n]).await.is_err() {
                        return;
                    }
                    at += n as u64;
                }
            }
        }
    }
}

/// A script to run on a host.
pub struct RemoteScript<'a> {
    /// The script: POSIX sh, constant. It finds its arguments in `$1`..., the token in `$T`, and the input on stdin;
    /// each line of its answer begins with `$T`.
    pub script: &'a str,
    /// The arguments; none may have a newline, and none is a secret: `-v` and `--log` tell them. Secrets are input.
    pub args: Vec<String>,
    /// How many of the last arguments are not told all the same: what a user typed may be anything.
    pub untold: usize,
    /// What follows on stdin, piece by piece.
    pub input: Vec<Input>,
    /// When the call ends at the latest.
    pub deadline: Duration,
    /// How long there may be no sign of progress: no byte of the input taken, nothing said. Where it is set, the deadline
    /// counts from the last of the input that was taken at a rate worth the name, so that what goes on is not cut off.
    pub silence: Option<Duration>,
    /// Called with each line of the answer as it comes.
    pub on_line: Option<OnLine<'a>>,
    /// What follows on stdin later; stdin stays open until this channel closes. Without it, stdin ends at once.
    pub later: Option<UnboundedReceiver<Vec<u8>>>,
    /// Whether it goes on without an end: its lines go to `on_line` alone and are not kept, and what is limited is how much
    /// comes in a second, and not how much comes in all.
    pub live: bool,
}

impl<'a> RemoteScript<'a> {
    /// Makes a call of a script without input.
    pub fn new(script: &'a str, deadline: Duration) -> Self {
        Self {
            script,
            args: Vec::new(),
            untold: 0,
            input: Vec::new(),
            deadline,
            silence: None,
            on_line: None,
            later: None,
            live: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds an argument that is not told; no other kind may follow.
    #[must_use]
    pub fn untold_arg(mut self, arg: impl Into<String>) -> Self {
        self.untold += 1;
        self.arg(arg)
    }

    /// Sets what follows on stdin.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = vec![Input::Bytes(Arc::from(input.into()))];
        self
    }

    /// Sets what follows on stdin, piece by piece.
    #[must_use]
    pub fn inputs(mut self, inputs: Vec<Input>) -> Self {
        self.input = inputs;
        self
    }

    /// Lets it go on as long as there is progress, with so long a pause at most.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = Some(silence);
        self
    }

    /// Sets what is called with each line of the answer.
    #[must_use]
    pub fn on_line(mut self, on_line: impl FnMut(&str) + Send + 'a) -> Self {
        self.on_line = Some(Box::new(on_line));
        self
    }

    /// Lets it go on without an end, as long as there is a sign of life now and then: a script that lives as long as its
    /// stdin is open, which ends when `later` closes.
    #[must_use]
    pub fn live(mut self, later: UnboundedReceiver<Vec<u8>>, silence: Duration) -> Self {
        (self.live, self.later, self.silence) = (true, Some(later), Some(silence));
        self
    }
}

/// What a script answered.
#[derive(Debug, Clone)]
pub struct ScriptOutput {
    /// Its lines, without the token.
    pub lines: Vec<String>,
    /// What it wrote on stderr.
    pub stderr: String,
    /// Its exit status; none where it was cut off.
    pub status: i32,
}

impl ScriptOutput {
    /// Tells whether the script ended with 0.
    pub fn ok(&self) -> bool {
        self.status == 0
    }
}

fn token() -> String {
    use std::hash::{BuildHasher, Hasher};
    // Two randomly keyed hashes of the standard library: unguessable enough for a file on a host, and no crate.
    let word = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

/// What came of reading an answer.
#[derive(Default)]
struct Answer {
    lines: Vec<String>,
    /// Whether the script began to answer.
    begun: bool,
    /// How it ended; none where it was cut off.
    status: Option<i32>,
    /// The first that came before the answer.
    noise: Vec<u8>,
    /// Which limit it broke, as a sentence fragment.
    beyond: Option<String>,
}

/// Reads an answer to its end, or as far as the limits let it.
async fn answer(stdout: impl AsyncRead + Unpin, token: &str, live: bool, mut on_line: Option<OnLine<'_>>) -> Answer {
    let mut reader = BufReader::new(stdout);
    let mut answer = Answer::default();
    let mut left = OUTPUT_LIMIT;
    let mut raw = Vec::new();
    let mut second = Instant::now();
    loop {
        raw.clear();
        if live && OUTPUT_LIMIT - left >= LIVE_RATE {
            tokio::time::sleep_until(second + Duration::from_secs(1)).await;
        }
        if live && second.elapsed() >= Duration::from_secs(1) {
            (second, left) = (Instant::now(), OUTPUT_LIMIT);
        }
        let most = left.min(LINE_LIMIT);
        let read = (&mut reader).take(most).read_until(b'\n', &mut raw).await.unwrap_or(0) as u64;
        left -= read;
        if read == 0 || read == most {
            let limit = if most == LINE_LIMIT { LINE_LIMIT } else { OUTPUT_LIMIT };
            let what = if most == LINE_LIMIT { " in one line" } else { "" };
            answer.beyond =
                (most == 0 || read == most).then(|| format!("more than {}{what}", bytesize::ByteSize(limit)));
            return answer;
        }
        let text = String::from_utf8_lossy(&raw);
        let text = text.trim_end_matches('\n');
        // Noise without a final newline stands before the token on its line.
        let Some(rest) = text.find(token).map(|at| &text[at + token.len()..]) else {
            if !answer.begun {
                let room = NOISE_LIMIT.saturating_sub(answer.noise.len());
                answer.noise.extend_from_slice(&raw[..raw.len().min(room)]);
            }
            continue;
        };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        if !answer.begun {
            answer.begun = rest == "begin";
            continue;
        }
        if let Some(status) = rest.strip_prefix("end ").and_then(|s| s.parse().ok()) {
            answer.status = Some(status);
            return answer;
        }
        if live {
            if let Some(on_line) = &mut on_line {
                on_line(rest);
            }
            continue;
        }
        if answer.lines.len() == LINES_LIMIT {
            answer.beyond = Some(format!("more than {LINES_LIMIT} lines"));
            return answer;
        }
        if let Some(on_line) = &mut on_line {
            on_line(rest);
        }
        answer.lines.push(rest.to_owned());
    }
}

/// Reads stderr to its end, and adds the first part to a text.
async fn complaint(stderr: &mut (impl AsyncRead + Unpin), text: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(n) = stderr.read(&mut buffer).await {
        if n == 0 {
            break;
        }
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        let room = STDERR_LIMIT.saturating_sub(text.len());
        text.extend_from_slice(&buffer[..n.min(room)]);
    }
}

/// When a host has last shown that it goes on.
struct Signs {
    /// It had taken so much of the input as a host takes within the deadline, or all of it.
    took: Instant,
    /// How much it has taken since, in bytes.
    since: u64,
    /// It took or said something.
    any: Instant,
}

impl Signs {
    /// Notes that it took so many bytes of the input.
    fn take(&mut self, bytes: usize, deadline: Duration) {
        self.any = Instant::now();
        self.since += bytes as u64;
        if self.since >= LEAST_RATE * deadline.as_secs() {
            self.took_enough();
        }
    }

    fn took_enough(&mut self) {
        (self.took, self.since) = (Instant::now(), 0);
    }

    /// Returns when a call ends unless there is another sign.
    fn limit(&self, deadline: Duration, silence: Duration) -> Instant {
        (self.took + deadline).min(self.any + silence)
    }
}

/// Waits for what a call does: to its limit, and where a pause is allowed, as long as there are signs of progress.
async fn in_time<T>(
    work: impl Future<Output = T>,
    mut limit: Instant,
    deadline: Duration,
    silence: Option<Duration>,
    signs: &Mutex<Signs>,
) -> Result<T, Failure> {
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(value) = tokio::time::timeout_at(limit, &mut work).await {
            return Ok(value);
        }
        let Some(silence) = silence else { return Err(Failure::timeout(deadline)) };
        let signs = signs.lock().unwrap_or_else(PoisonError::into_inner);
        limit = signs.limit(deadline, silence);
        let now = Instant::now();
        if limit <= now {
            let (what, after) =
                if signs.any + silence <= now { ("sign of progress", silence) } else { ("end", deadline) };
            let after = humantime::format_duration(after);
            return Err(Failure::new(HostFailure::Timeout, format!("no {what} within {after}")));
        }
    }
}

/// Sends a call over the streams of a started loader and reads its answer. The loader knows the length of `sent`, which is
/// the call's script as `scripts::sent` makes it.
pub(super) async fn converse(
    sent: String,
    mut call: RemoteScript<'_>,
    stdin: impl AsyncWrite + Unpin,
    stdout: impl AsyncRead + Unpin,
    mut stderr: impl AsyncRead + Unpin,
    limit: Instant,
) -> Result<ScriptOutput, Failure> {
    if call.args.iter().any(|a| a.contains(['\n', '\0'])) {
        return Err(Failure::new(HostFailure::Other, "an argument has a newline in it"));
    }
    let signs = Mutex::new(Signs { took: Instant::now(), since: 0, any: Instant::now() });
    let deadline = call.deadline;
    let mut stdin = InspectWriter::new(stdin, |bytes: &[u8]| {
        signs.lock().unwrap_or_else(PoisonError::into_inner).take(bytes.len(), deadline);
    });
    let stdout = InspectReader::new(stdout, |_| {
        signs.lock().unwrap_or_else(PoisonError::into_inner).any = Instant::now();
    });
    let token = token();
    let mut head = sent;
    head.push_str(&token);
    head.push('\n');
    head.push_str(&call.args.len().to_string());
    head.push('\n');
    for arg in &call.args {
        head.push_str(arg);
        head.push('\n');
    }
    let input = std::mem::take(&mut call.input);
    let mut later = call.later.take();
    let write = async {
        // A script that ends early closes its stdin; its answer says why, so a failed write is no failure here.
        let _ = stdin.write_all(head.as_bytes()).await;
        for piece in &input {
            piece.write(&mut stdin).await;
        }
        let _ = stdin.flush().await;
        // What it makes of the input has its own time.
        signs.lock().unwrap_or_else(PoisonError::into_inner).took_enough();
        if let Some(later) = &mut later {
            while let Some(more) = later.recv().await {
                let _ = stdin.write_all(&more).await;
                let _ = stdin.flush().await;
            }
        }
        let _ = stdin.shutdown().await;
        drop(stdin);
    };
    let read = answer(stdout, &token, call.live, call.on_line.take());
    let text = Mutex::new(Vec::new());
    let complain = complaint(&mut stderr, &text);
    // On the heap: whoever calls would carry it along otherwise.
    let work = Box::pin(async {
        let mut complain = std::pin::pin!(complain);
        let mut told = false;
        let mut read = std::pin::pin!(read);
        let mut write = std::pin::pin!(write);
        let mut written = false;
        let answer = loop {
            tokio::select! {
                answer = &mut read => break answer,
                () = &mut write, if !written => written = true,
                () = &mut complain, if !told => told = true,
            }
        };
        // A supervisor that was left running may hold stderr open: what is there now is all there is.
        if !told {
            let _ = tokio::time::timeout(Duration::from_millis(200), complain).await;
        }
        answer
    });
    // What has no end is known by its signs of life from the beginning.
    let limit = match call.silence {
        Some(silence) if call.live => limit.min(Instant::now() + silence),
        _ => limit,
    };
    let answer = in_time(work, limit, deadline, call.silence, &signs).await?;
    let text = text.into_inner().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&text).into_owned();
    let mark = format!("{token} begin\n");
    let stderr = match text.find(&mark) {
        Some(at) => text[at + mark.len()..].to_owned(),
        None => text,
    };
    let Answer { lines, begun, status, noise, beyond } = answer;
    if let Some(beyond) = beyond {
        return Err(Failure::new(HostFailure::Flood, format!("unexpected reply: {beyond}")));
    }
    if let Some(status) = status {
        return Ok(ScriptOutput { lines, stderr, status });
    }
    let last = |text: &str| text.lines().map(str::trim).rfind(|l| !l.is_empty()).map(str::to_owned);
    if begun {
        let last = last(&stderr).unwrap_or_else(|| "the connection broke".to_owned());
        return Err(Failure::new(HostFailure::Dropped, format!("the answer was cut off: {last}")));
    }
    // Its first words, and its last ones where they stand elsewhere.
    let noise = String::from_utf8_lossy(&noise).lines().map(str::trim).find(|l| !l.is_empty()).map(str::to_owned);
    Err(Failure::new(
        HostFailure::Shell,
        match noise.or_else(|| last(&stderr)) {
            Some(said) => format!("the login shell ran no command, and said: {said}"),
            None => "the login shell ran no command, and said nothing".to_owned(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::{HostFailure, RemoteScript};
    use crate::transport::{Connection, Shared, Target};
    use std::time::Duration;

    fn block<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn arguments_and_input_arrive_as_they_are() {
        let odd = ["", " ", "a b", "$HOME `id` \"'\\", "-n", "ü—\t|;&"];
        let reply = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            let mut call = RemoteScript::new(
                "for a in \"$@\"; do printf '%s a[%s]\\n' \"$T\" \"$a\"; done; printf '%s %s\\n' \"$T\" \"$(cat)\"; exit 7",
                Duration::from_secs(20),
            )
            .input("from\tstdin");
            call.args = odd.iter().map(|s| (*s).to_owned()).collect();
            host.run(call).await.unwrap()
        });
        let mut want: Vec<String> = odd.iter().map(|s| format!("a[{s}]")).collect();
        want.push("from\tstdin".to_owned());
        assert_eq!(reply.lines, want);
        assert_eq!(reply.status, 7);
    }

    #[test]
    fn noise_is_no_answer_and_stderr_is_told() {
        let reply = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            host.run(RemoteScript::new(
                "echo noise; printf half; echo \"$T yes\"; echo oops >&2",
                Duration::from_secs(20),
            ))
            .await
            .unwrap()
        });
        assert_eq!((reply.lines, reply.stderr.as_str(), reply.status), (vec!["yes".to_owned()], "oops\n", 0));
    }

    /// What makes progress goes on beyond any deadline that would do for it at once.
    #[test]
    fn a_call_goes_on_as_long_as_the_host_does() {
        let input = vec![b'x'; 1 << 20];
        let run = |script, silence: u64| {
            block(async {
                let host = Connection::new(Target::Local, &Shared::default());
                let call = RemoteScript::new(script, Duration::from_millis(1500)).input(input.clone());
                host.run(call.silence(Duration::from_millis(silence))).await
            })
        };
        // Takes two seconds for the input, and speaks in between.
        let slow = "n=0; while [ $n -lt 8 ]; do dd bs=131072 count=1 iflag=fullblock of=/dev/null 2>/dev/null; sleep 0.25; \
                    echo \"$T beat\"; n=$((n + 1)); done; echo \"$T done\"";
        assert_eq!(run(slow, 1400).unwrap().lines.last().map(String::as_str), Some("done"));
        assert_eq!(run("exec sleep 600", 300).unwrap_err().kind, HostFailure::Slow);
        // Words alone are not all that is waited for.
        let talks = "cat >/dev/null; while echo \"$T beat\"; do sleep 0.1; done";
        assert_eq!(run(talks, 1400).unwrap_err().kind, HostFailure::Slow);
        // Nor is a byte now and then.
        let trickles = "n=0; while [ $n -lt 60 ]; do dd bs=1024 count=1 of=/dev/null 2>/dev/null; sleep 0.5; \
                        echo \"$T beat\"; n=$((n + 1)); done; exec sed -n '$='";
        let failure = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            let call = RemoteScript::new(trickles, Duration::from_secs(3)).input(input.clone());
            host.run(call.silence(Duration::from_secs(2))).await.unwrap_err()
        });
        assert_eq!(failure.to_string(), "no end within 3s");
    }

    #[test]
    fn a_script_that_hangs_ends_by_the_deadline() {
        let failure = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            // In the place of the shell, so that it ends with it and leaves nothing behind.
            host.run(RemoteScript::new("read -r x; exec sleep 600", Duration::from_millis(300))).await.unwrap_err()
        });
        assert_eq!(failure.kind, HostFailure::Slow);
        // There is no way to it that could be cut.
        let hint = failure.hint("here").unwrap();
        assert!(hint.contains("--timeout") && !hint.contains("reachable"), "{hint}");
    }

    /// What ends within the limits, long before its deadline, however it floods.
    #[test]
    fn no_flood_is_without_bounds() {
        for flood in [
            // Lines without the token count as well, and so do empty ones.
            "exec yes ''",
            "exec yes noise",
            "exec yes \"$T\"",
            "exec yes \"$T x\"",
            "exec cat /dev/zero",
            "printf '%s ' \"$T\"; exec cat /dev/zero",
        ] {
            let failure = block(async {
                let host = Connection::new(Target::Local, &Shared::default());
                host.run(RemoteScript::new(flood, Duration::from_secs(300))).await.unwrap_err()
            });
            assert_eq!(failure.kind, HostFailure::Flood, "{flood}: {failure}");
        }
    }

    /// It goes on beyond all that an answer may have, as long as its input is open, and at a rate that is bounded.
    #[test]
    fn what_is_live_is_not_kept_and_ends_with_its_input() {
        let (lines, began) = (std::sync::atomic::AtomicUsize::new(0), std::time::Instant::now());
        let flood = "exec 9<&0; line=$(head -c 60000 /dev/zero | tr '\\0' x); cat <&9 >/dev/null & \
                     while kill -0 $! 2>/dev/null; do echo \"$T $line\"; done";
        let reply = block(async {
            let (input, later) = tokio::sync::mpsc::unbounded_channel();
            let mut input = Some(input);
            let host = Connection::new(Target::Local, &Shared::default());
            let call = RemoteScript::new(flood, Duration::from_secs(3600)).on_line(|_| {
                if lines.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 400 {
                    input = None;
                }
            });
            host.run(call.live(later, Duration::from_secs(30))).await.unwrap()
        });
        assert!(reply.lines.is_empty() && lines.into_inner() > 400);
        // 24 MB at 8 MiB a second.
        assert!(began.elapsed() >= Duration::from_secs(2));
        let silent = block(async {
            let (_input, later) = tokio::sync::mpsc::unbounded_channel();
            let host = Connection::new(Target::Local, &Shared::default());
            let call = RemoteScript::new("cat >/dev/null", Duration::from_secs(3600));
            host.run(call.live(later, Duration::from_millis(300))).await.unwrap_err()
        });
        assert_eq!(silent.kind, HostFailure::Slow);
    }

    #[test]
    fn what_is_on_stderr_ends_no_call_and_is_cut() {
        let reply = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            host.run(RemoteScript::new("yes oops | head -n 1000000 >&2; echo \"$T well\"", Duration::from_secs(300)))
                .await
                .unwrap()
        });
        assert_eq!(reply.lines, ["well"]);
        assert!(reply.stderr.len() <= super::STDERR_LIMIT);
    }

    #[test]
    fn a_file_is_sent_whole_between_what_stands_around_it() {
        use std::io::Write as _;
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        file.write_all(&content).unwrap();
        let file = std::sync::Arc::new(file);
        let bytes = |text: &str| super::Input::Bytes(std::sync::Arc::from(text.as_bytes()));
        let inputs =
            || vec![bytes("a"), super::Input::File(file.clone()), bytes("z"), super::Input::File(file.clone())];
        let whole = [b"a", content.as_slice(), b"z", content.as_slice()].concat();
        let answers = block(async {
            let host = Connection::new(Target::Local, &Shared::default());
            let one = || {
                host.run(
                    RemoteScript::new("say=$(sha256sum); echo \"$T $say\"", Duration::from_secs(60)).inputs(inputs()),
                )
            };
            Box::pin(futures_util::future::join(one(), one())).await
        });
        let want: String = <sha2::Sha256 as sha2::Digest>::digest(&whole).iter().map(|b| format!("{b:02x}")).collect();
        assert!(answers.0.unwrap().lines[0].starts_with(&want) && answers.1.unwrap().lines[0].starts_with(&want));
    }
}
