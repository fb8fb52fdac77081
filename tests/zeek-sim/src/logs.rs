//! Logs as Zeek's ASCII writer writes and rotates them, and the way of records to the node that writes.
//!
//! There are two: `cluster` (what the framework logs) and `sim`, numbered records that a capturing node makes at the
//! rate of its conduct. Records travel in batches, one for each second and log, as Zeek's do.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::net::zeromq;
use crate::node::{Node, Shared, publish_to};
use crate::script::value::Value;
use crate::script::world::World;
use crate::{say, setup, wire};

/// The event that carries log records between nodes: the log's name, then the records.
pub const LOG_EVENT: &str = "Log::record";

/// The topic of log records between nodes (Broker).
pub const LOG_TOPIC: &str = "zeek/logs/";

/// How many records a batch holds at most: `Broker::log_batch_size`, and `Log::write_buffer_size` with ZeroMQ.
const BATCH: usize = 400;

/// What precedes the name of a log in that of its shadow file.
const SHADOW: &str = ".shadow.";

/// The logs of a node.
#[derive(Debug, Default)]
pub struct Logs {
    open: BTreeMap<String, Writer>,
    /// When each log was rotated last: Zeek calls the next one opened then.
    rotated: BTreeMap<String, i64>,
    /// Records that wait to be sent.
    waiting: BTreeMap<String, Vec<String>>,
    /// Whose turn it is among the loggers.
    turn: usize,
}

/// A log that is being written.
#[derive(Debug)]
struct Writer {
    file: File,
    opened: i64,
}

/// What the scripts say of rotation.
struct Rotation {
    interval: f64,
    dir: String,
    archiver: bool,
    leftovers: bool,
    folder: PathBuf,
    suffix: Option<String>,
}

impl Rotation {
    fn of(world: &World) -> Self {
        let interval = match world.globals.get("Log::default_rotation_interval") {
            Some(Value::Interval(seconds)) => *seconds,
            _ => 0.0,
        };
        // logger.zeek: archiver_log_metadata.
        let several = world.nodes.iter().filter(|n| n.node_type == "LOGGER").count() > 1;
        Self {
            interval,
            dir: world.string("Log::default_rotation_dir"),
            archiver: world.globals.contains_key("Log::rotation_format_func"),
            leftovers: world.flag("LogAscii::enable_leftover_log_rotation"),
            folder: PathBuf::from(world.string("Log::default_logdir")),
            suffix: several.then(|| world.node.clone()),
        }
    }

    /// The new name of a log, as `archiver_rotation_format_func` and Zeek's default make it.
    fn target(&self, path: &str, opened: i64, closed: i64) -> PathBuf {
        let name = if self.archiver {
            let form = "%Y-%m-%d-%H-%M-%S";
            let suffix = self.suffix.as_ref().map(|s| format!("log_suffix={s}__")).unwrap_or_default();
            format!("{path}__{}__{}__{suffix}.log", local(opened, form), local(closed, form))
        } else {
            format!("{path}-{}.log", local(opened, "%y-%m-%d_%H.%M.%S"))
        };
        // Zeek makes the folder, and stays in the working directory if it can't.
        let dir = Path::new(&self.dir);
        if self.dir.is_empty() || std::fs::create_dir_all(dir).is_err() { PathBuf::from(name) } else { dir.join(name) }
    }
}

fn local(at: i64, form: &str) -> String {
    let time = Timestamp::from_second(at).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime(form).to_string()
}

#[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
fn seconds() -> i64 {
    setup::now() as i64
}

/// Writes a line for cluster.log: here, or on the node that writes the logs.
pub fn log(node: &Shared, text: &str) {
    let name = node.borrow().world.node.clone();
    let name = if name.is_empty() { "-" } else { &name };
    record(node, "cluster", format!("{:.6}\t{name}\t{text}", setup::now()));
}

/// Takes a record of this node on its way.
fn record(node: &Shared, path: &str, record: String) {
    let here = {
        let n = node.borrow();
        n.world.writes_logs() || n.world.node.is_empty()
    };
    if here {
        write(node, path, &[record]);
        return;
    }
    let full = {
        let mut n = node.borrow_mut();
        let batch = n.logs.waiting.entry(path.to_owned()).or_default();
        batch.push(record);
        batch.len() >= BATCH
    };
    if full {
        flush(node);
    }
}

/// Sends what waits to a logger. Without one it is lost, but for what ZeroMQ queues.
pub fn flush(node: &Shared) {
    let (batches, zeromq) = {
        let mut n = node.borrow_mut();
        (std::mem::take(&mut n.logs.waiting), n.world.is_zeromq())
    };
    for (path, records) in batches {
        if zeromq {
            let mut line = vec![Json::String(path)];
            line.extend(records.into_iter().map(Json::String));
            zeromq::push(node, &Json::Array(line).to_string());
            continue;
        }
        let mut args = vec![wire::string(path.as_str())];
        args.extend(records.into_iter().map(wire::string));
        let logger = next_logger(&mut node.borrow_mut());
        publish_to(node, logger.as_deref(), &format!("{LOG_TOPIC}{path}"), LOG_EVENT, args);
    }
}

/// The id of the logger whose turn it is: `Broker::log_topic` with `Cluster::enable_round_robin_logging`.
fn next_logger(node: &mut Node) -> Option<String> {
    if !node.world.flag("Cluster::enable_round_robin_logging") {
        return None;
    }
    let alive: Vec<String> = node
        .world
        .nodes
        .iter()
        .filter(|n| n.node_type == "LOGGER")
        .filter_map(|n| node.ids.get(&n.name))
        .filter(|id| node.peers.values().any(|p| p.id == **id))
        .cloned()
        .collect();
    node.logs.turn += 1;
    let at = node.logs.turn.checked_rem(alive.len())?;
    alive.get(at).cloned()
}

/// Takes a batch that came with Broker.
pub fn receive(node: &Shared, args: &[Json]) {
    let texts: Vec<String> = args.iter().map(|a| a["data"].as_str().unwrap_or_default().to_owned()).collect();
    if let Some((path, records)) = texts.split_first() {
        write(node, path, records);
    }
}

/// Takes a batch that came with ZeroMQ.
pub fn receive_line(node: &Shared, line: &str) {
    if let Ok(texts) = serde_json::from_str::<Vec<String>>(line)
        && let Some((path, records)) = texts.split_first()
    {
        write(node, path, records);
    }
}

/// Appends records to a log in the working directory.
fn write(node: &Shared, path: &str, records: &[String]) {
    let mut n = node.borrow_mut();
    if !n.logs.open.contains_key(path) {
        let rotation = Rotation::of(&n.world);
        match open(&rotation, path) {
            Ok(file) => {
                let opened = n.logs.rotated.get(path).copied().unwrap_or_else(seconds);
                n.logs.open.insert(path.to_owned(), Writer { file, opened });
            }
            Err(e) => {
                say(&format!("error: {path}/Log::WRITER_ASCII: cannot open {path}.log: {e}"));
                return;
            }
        }
    }
    let Some(writer) = n.logs.open.get_mut(path) else { return };
    let mut text = records.join("\n");
    text.push('\n');
    if let Err(e) = writer.file.write_all(text.as_bytes()) {
        say(&format!("error: {path}/Log::WRITER_ASCII: error writing to {path}: {e}"));
    }
}

fn open(rotation: &Rotation, path: &str) -> std::io::Result<File> {
    let name = format!("{path}.log");
    if rotation.leftovers && rotation.interval > 0.0 {
        // The extension, and the postprocessor's name, which is empty.
        std::fs::write(rotation.folder.join(format!("{SHADOW}{name}")), ".log\n\n")?;
    }
    // As Zeek: what was there before is gone.
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(rotation.folder.join(&name))?;
    let (fields, types) = match path {
        "cluster" => ("ts\tnode\tmessage", "time\tstring\tstring"),
        _ => ("ts\tnode\tpid\tn", "time\tstring\tcount\tcount"),
    };
    let opened = local(seconds(), "%Y-%m-%d-%H-%M-%S");
    write!(
        file,
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n#open\t{opened}\n\
         #fields\t{fields}\n#types\t{types}\n"
    )?;
    Ok(file)
}

/// Rotates all logs.
pub fn rotate(node: &Shared) {
    let mut n = node.borrow_mut();
    let rotation = Rotation::of(&n.world);
    if rotation.interval <= 0.0 {
        return;
    }
    let now = seconds();
    for (path, mut writer) in std::mem::take(&mut n.logs.open) {
        let _ = writeln!(writer.file, "#close\t{}", local(now, "%Y-%m-%d-%H-%M-%S"));
        let from = rotation.folder.join(format!("{path}.log"));
        let to = rotation.target(&path, writer.opened, now);
        match std::fs::rename(&from, &to) {
            Ok(()) => drop(std::fs::remove_file(rotation.folder.join(format!("{SHADOW}{path}.log")))),
            Err(e) => say(&format!("error: failed to rename {} to {}: {e}", from.display(), to.display())),
        }
        n.logs.rotated.insert(path, now);
    }
}

/// Rotates what a process before this one could not (`LogAscii::enable_leftover_log_rotation`): opened when its shadow
/// was made, closed when it was written last.
pub fn leftovers(node: &Shared) {
    let n = node.borrow();
    let rotation = Rotation::of(&n.world);
    if !rotation.leftovers {
        return;
    }
    let folder = if rotation.folder.as_os_str().is_empty() { Path::new(".") } else { &rotation.folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for shadow in entries.flatten().map(|e| e.path()) {
        let name = shadow.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let Some(path) = name.strip_prefix(SHADOW).and_then(|n| n.strip_suffix(".log")) else { continue };
        let log = folder.join(format!("{path}.log"));
        let (Ok(made), Ok(written)) = (shadow.metadata(), log.metadata()) else {
            // Without its log a shadow means nothing.
            let _ = std::fs::remove_file(&shadow);
            continue;
        };
        let to = rotation.target(path, made.ctime(), written.mtime());
        if std::fs::rename(&log, &to).is_ok() {
            let _ = std::fs::remove_file(&shadow);
            let whole = std::path::absolute(&log).unwrap_or(log);
            say(&format!("Rotated/postprocessed leftover log '{}' -> '{}' ", whole.display(), to.display()));
        }
    }
}

/// Sends batches each second, rotates at each multiple of the interval, and makes the records of the conduct.
pub async fn live(node: Shared) {
    let (interval, captures, setup) = {
        let n = node.borrow();
        (Rotation::of(&n.world).interval, n.interface.is_some(), n.setup.clone())
    };
    let next = |now: f64| if interval > 0.0 { (now / interval).floor() * interval + interval } else { f64::MAX };
    let mut due = next(setup::now());
    let (mut made, mut carry, mut last) = (0_u64, 0.0, setup::now());
    let mut flushed = last;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let now = setup::now();
        if captures && let Some(rate) = setup.number("log_rate") {
            let total = setup.number("log_total").unwrap_or(f64::INFINITY);
            carry += rate * (now - last).clamp(0.0, 1.0);
            while carry >= 1.0 {
                carry -= 1.0;
                #[expect(clippy::cast_precision_loss, reason = "few records")]
                if (made as f64) < total {
                    made += 1;
                    let name = node.borrow().world.node.clone();
                    record(&node, "sim", format!("{now:.6}\t{name}\t{}\t{made}", std::process::id()));
                }
            }
        }
        last = now;
        if now - flushed >= 1.0 {
            flushed = now;
            flush(&node);
        }
        if now >= due {
            rotate(&node);
            due = next(now);
        }
    }
}
