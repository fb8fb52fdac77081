//! From the command line to the end of the process.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::LocalSet;

use crate::node::{Node, Shared};
use crate::options::Options;
use crate::script::loader::{self, Loaded};
use crate::script::value::Value;
use crate::script::world::Fate;
use crate::setup::Setup;
use crate::status::Status;
use crate::{logs, net, say};

/// How an end came about that isn't the ordinary one: a message, and whether Zeek calls it fatal.
#[derive(Debug)]
pub struct Fatal(pub String);

/// Runs the program and returns its exit code.
pub fn run(program: String, args: &[String]) -> u8 {
    if Path::new(&program).file_name().is_some_and(|n| n == "zeek-archiver") {
        return crate::archiver::run(args);
    }
    let setup = Setup::new(program);
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(message) => {
            say(&message);
            say(&format!("Try '{} --help' for more information.", setup.program));
            return 1;
        }
    };
    let version = setup.version();
    let mut stdout = std::io::stdout();
    if options.version {
        let _ = writeln!(stdout, "{} version {version}", setup.program);
        return 0;
    }
    if options.help {
        let _ = writeln!(stdout, "zeek version {version}\nusage: {} [options] [file ...]", setup.program);
        return 0;
    }
    let status = Status::new(options.status_file.as_deref(), setup.is("status_noise"));
    status.set("INITIALIZING", "main");
    if let Some(message) = setup.conduct("die_at_start").filter(|_| !options.parse_only) {
        say(&message);
        status.set("TERMINATED", "atexit");
        return 1;
    }
    let Loaded { world, failures, warnings } = loader::load(&setup, &options);
    for warning in &warnings {
        say(&warning.line("warning"));
    }
    for failure in &failures {
        say(&failure.line("error"));
    }
    if !failures.is_empty() {
        let fatal = failures.iter().any(|f| f.fatal);
        status.set("TERMINATED", if fatal { "fatal_error" } else { "atexit" });
        return 1;
    }
    if options.print_plugins > 0 {
        let _ = writeln!(stdout, "Zeek::AF_Packet - Packet acquisition via AF_Packet (dynamic, version 4.0.0)");
        let _ = writeln!(stdout, "Zeek::Cluster_Backend_ZeroMQ - Cluster backend using ZeroMQ (built-in)");
        status.set("TERMINATED", "atexit");
        return 0;
    }
    if options.parse_only {
        status.set("TERMINATED", "atexit");
        return 0;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            say(&format!("fatal error: {e}"));
            return 1;
        }
    };
    let node = Node::shared(setup, world, options.interface.clone());
    logs::leftovers(&node);
    let code = LocalSet::new().block_on(&runtime, live(&node, &options, &status));
    // What still hangs in tasks is not waited for.
    runtime.shutdown_background();
    code
}

/// The signals that end Zeek.
struct Ends {
    term: Option<Signal>,
    int: Option<Signal>,
    hup: Option<Signal>,
}

impl Ends {
    fn new() -> Self {
        // As Zeek: a SIGHUP that was ignored before (nohup) stays so.
        let ignored = std::fs::read_to_string("/proc/self/status").ok().and_then(|text| {
            let mask = text.lines().find_map(|l| l.strip_prefix("SigIgn:"))?.trim().to_owned();
            u64::from_str_radix(&mask, 16).ok()
        });
        let hup = if ignored.is_some_and(|mask| mask & 1 == 1) { None } else { signal(SignalKind::hangup()).ok() };
        Self { term: signal(SignalKind::terminate()).ok(), int: signal(SignalKind::interrupt()).ok(), hup }
    }

    async fn any(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => {
                    signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.term) => {}
            () = one(&mut self.int) => {}
            () = one(&mut self.hup) => {}
        }
    }
}

async fn live(node: &Shared, options: &Options, status: &Status) -> u8 {
    let mut ends = Ends::new();
    let setup = node.borrow().setup.clone();
    let ignore = setup.is("ignore_sigterm");
    let ready = setup.millis("ready_ms").unwrap_or(Duration::from_millis(150));
    if let Some(after) = setup.millis("die_after_ms") {
        tokio::task::spawn_local(die(setup.clone(), after));
    }
    let fate = node.borrow().world.fate.clone();
    match fate {
        None => {}
        Some(Fate::Hang) => loop {
            // Zeek's handler takes note of the signal, and nothing looks at the note.
            ends.any().await;
            status.set("TERMINATING", "sig_handler");
        },
        Some(fate) => {
            tokio::time::sleep(ready).await;
            let (place, code) = match fate {
                Fate::Fatal(at, text) => {
                    say(&format!("fatal error in {at}: {text}"));
                    ("fatal_error", 1)
                }
                Fate::Exit(code) => ("atexit", code),
                _ => return end(node, status, options).await,
            };
            status.set("TERMINATED", place);
            return code;
        }
    }
    let born = async {
        if let Some(interface) = &options.interface {
            check_interface(interface)?;
        }
        if setup.is("never_ready") {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(ready).await;
        init(node).await
    };
    let born = tokio::select! {
        born = born => born,
        () = ended(&mut ends, ignore) => return end(node, status, options).await,
    };
    if let Err(Fatal(message)) = born {
        if !message.is_empty() {
            say(&format!("fatal error: {message}"));
        }
        status.set("TERMINATED", "fatal_error");
        return 1;
    }
    if let Some(interface) = &options.interface {
        say(&format!("listening on {interface}\n"));
    }
    let making = tokio::task::spawn_local(logs::live(node.clone()));
    status.set("RUNNING", "run_loop");
    let over = node.borrow().over.clone();
    tokio::select! {
        () = ended(&mut ends, ignore) => {}
        () = over.notified() => {}
    }
    // As Zeek without a network: a log that is opened once more after its last rotation is left over.
    making.abort();
    let fatal = node.borrow_mut().fatal.take();
    if let Some(words) = fatal {
        say(&words);
        status.set("TERMINATED", "fatal_error");
        return 1;
    }
    end(node, status, options).await
}

async fn ended(ends: &mut Ends, ignore: bool) {
    loop {
        ends.any().await;
        if !ignore {
            return;
        }
    }
}

/// What Zeek does on SIGTERM, with its states on the way.
async fn end(node: &Shared, status: &Status, options: &Options) -> u8 {
    let step = node.borrow().setup.millis("end_ms").unwrap_or(Duration::from_millis(45)) / 3;
    status.set("TERMINATING", "received termination signal");
    let stamp = if options.interface.is_some() { format!("{:.6} ", crate::setup::now()) } else { String::new() };
    say(&format!("{stamp}received termination signal"));
    net::websocket::close_all(node);
    tokio::time::sleep(step).await;
    status.set("TERMINATING", "done_with_network");
    logs::flush(node);
    if let Some(interface) = &options.interface {
        let (received, dropped, _) = node.borrow().packets();
        let percent = 100.0 * share(dropped, received + dropped);
        say(&format!(
            "{stamp}{received} packets received on interface {interface}, {dropped} ({percent:.2}%) dropped, 0 (0.00%) not processed"
        ));
        status.set("TERMINATING", "delete_run");
    }
    tokio::time::sleep(step).await;
    status.set("TERMINATING", "terminate_zeek");
    tokio::time::sleep(step).await;
    // Others' records come until the end, and nothing runs after this.
    logs::rotate(node);
    status.set("TERMINATED", "atexit");
    0
}

fn share(part: u64, whole: u64) -> f64 {
    let (part, whole) = (u32::try_from(part).unwrap_or(u32::MAX), u32::try_from(whole).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// Ends the process in the way that its conduct says.
async fn die(setup: Setup, after: Duration) {
    tokio::time::sleep(after).await;
    if let Some(name) = setup.conduct("die_signal") {
        let name = name.trim_start_matches("SIG").to_owned();
        let line = format!("kill -{name} {}", std::process::id());
        // A signal to oneself would take unsafe code; the shell has no such qualms.
        // Twice and more: the first SIGSEGV only resets the handler that Rust installs for stack overflows.
        for _ in 0..3 {
            let _ = std::process::Command::new("sh").args(["-c", &line]).status();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let code = setup.conduct("die_exit").and_then(|c| c.parse().ok()).unwrap_or(1);
    std::process::exit(code);
}

/// Refuses an interface that isn't there. A real packet source needs rights as well; a stand-in has none to need.
fn check_interface(interface: &str) -> Result<(), Fatal> {
    let (source, device) = interface.split_once("::").unwrap_or(("", interface));
    let there = device == "lo"
        || std::env::var_os("ZEEK_SIM_ANY_IFACE").is_some()
        || (source == "af_packet" && device.starts_with("sim"))
        || Path::new("/sys/class/net").join(device).exists();
    if there {
        return Ok(());
    }
    let why =
        if source == "af_packet" { "No such device" } else { "pcap_error: No such device exists (pcap_activate)" };
    Err(Fatal(format!("problem with interface {interface} ({why})")))
}

/// What `zeek_init` does in a cluster: listen, connect, serve.
async fn init(node: &Shared) -> Result<(), Fatal> {
    let (alone, checking, known, backend) = {
        let n = node.borrow();
        let backend = n.world.globals.get("Cluster::backend").map(Value::to_string);
        let checking = std::env::var("ZEEKCTL_CHECK_CONFIG").is_ok_and(|v| !v.is_empty());
        (n.world.node.is_empty(), checking, n.world.me().is_some(), backend)
    };
    let errors = || Fatal("errors occurred while initializing".into());
    if !alone && !known {
        let n = node.borrow();
        let main = n.setup.share().join("base/frameworks/cluster/main.zeek");
        say(&format!(
            "error in {}, line 585: '{}' is not a valid node in the Cluster::nodes configuration",
            main.display(),
            n.world.node
        ));
        return Err(errors());
    }
    if !alone && let Some(none @ "Cluster::CLUSTER_BACKEND_NONE") = backend.as_deref() {
        let name = node.borrow().world.node.clone();
        return Err(Fatal(format!(
            "Cluster::node set to '{name}', but Cluster::backend is {none} - please select a cluster backend to use."
        )));
    }
    net::metrics::listen(node).await?;
    let zeromq = node.borrow().world.is_zeromq();
    if zeromq && !checking {
        // Without a cluster, too: from 8.1 on a WebSocket server needs a backend.
        net::zeromq::join(node).await?;
    } else if !alone && !checking {
        net::broker::join(node).await?;
    }
    let listens = node.borrow().world.websockets.clone();
    for listen in listens {
        net::websocket::listen(node, &listen).await.map_err(|message| {
            say(&format!("error: {message}"));
            errors()
        })?;
    }
    Ok(())
}
