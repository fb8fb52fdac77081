//! A stand-in for `zeek-archiver`, which is what the program is when it is called by that name. What it does was tried
//! on the real one (v0.50-172).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::civil::DateTime;

use crate::say;
use crate::setup::now;

/// What the command line says.
struct Options {
    once: bool,
    verbose: bool,
    /// Extension and command; none: logs are moved as they are.
    compress: Option<(String, String)>,
    delimiter: String,
    format: String,
    zipped: Vec<String>,
    from: PathBuf,
    to: PathBuf,
}

/// Runs it and returns its exit code.
pub fn run(args: &[String]) -> u8 {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            say("zeek-archiver v0.50-172");
            return 0;
        }
        Err(message) => {
            say(&format!(
                "zeek-archiver v0.50-172\nusage: zeek-archiver [options] <src_dir> <dst_dir>\nERROR: {message}"
            ));
            return 1;
        }
    };
    if let Err(e) = fs::create_dir(&options.to).or_else(|e| if options.to.is_dir() { Ok(()) } else { Err(e) }) {
        let to = options.to.display();
        tell("ERROR", &format!("Failed to create directory {to}: {e}"));
        tell("FATAL", &format!("Failed to create destination archive dir: {to}"));
        return 1;
    }
    loop {
        let began = Instant::now();
        let archived = pass(&options);
        if archived > 0 && options.verbose {
            tell("INFO", &format!("Archived {archived} logs in {:.6} seconds", began.elapsed().as_secs_f64()));
        }
        if options.once {
            return 0;
        }
        std::thread::sleep(Duration::from_secs(30));
    }
}

fn tell(level: &str, message: &str) {
    say(&format!("[{:.6}] [{level}] {message}", now()));
}

fn parse(args: &[String]) -> Result<Option<Options>, String> {
    let mut options = Options {
        once: false,
        verbose: false,
        compress: Some(("gz".into(), "gzip".into())),
        delimiter: "__".into(),
        format: "%Y-%m-%d-%H-%M-%S".into(),
        zipped: ["gz", "bz2", "lz", "lz4"].map(String::from).to_vec(),
        from: PathBuf::new(),
        to: PathBuf::new(),
    };
    let mut folders = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("invalid argument: '{arg}'"));
        match arg.as_str() {
            "--version" => return Ok(None),
            "-1" => options.once = true,
            "-v" | "--verbose" => options.verbose = true,
            "-c" | "--compress" => {
                let value = value()?;
                options.compress = value.split_once(',').map(|(e, c)| (e.to_owned(), c.to_owned()));
            }
            "-d" | "--delimiter" => options.delimiter = value()?,
            "-t" | "--time-fmt" => options.format = value()?,
            "-z" | "--zip-extensions" => {
                options.zipped = value()?.split(',').filter(|e| !e.is_empty()).map(str::to_owned).collect();
            }
            other if other.starts_with('-') => return Err(format!("invalid argument: '{other}'")),
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let mut folders = folders.into_iter();
    options.from = folders.next().ok_or("no <src_dir> provided")?;
    options.to = folders.next().ok_or("no <dst_dir> provided")?;
    Ok(Some(options))
}

/// Archives what is there; returns how many logs.
fn pass(options: &Options) -> usize {
    let Ok(entries) = fs::read_dir(&options.from) else { return 0 };
    let mut archived = 0;
    for file in entries.flatten().map(|e| e.path()).filter(|p| p.is_file()) {
        let Some(name) = file.file_name().and_then(|n| n.to_str()) else { continue };
        let Some((day, target)) = target(name, options) else {
            if options.verbose {
                tell("DEBUG", &format!("Skipping archival of non-log: {name}"));
            }
            continue;
        };
        let dir = options.to.join(day);
        if let Err(e) = fs::create_dir(&dir)
            && !dir.is_dir()
        {
            tell("ERROR", &format!("Failed to create directory {}: {e}", dir.display()));
            tell("ERROR", &format!("Skipped archiving {}: failed to create dir {}", file.display(), dir.display()));
            continue;
        }
        let zipped = options.zipped.iter().any(|z| target.ends_with(&format!(".{z}")));
        let done = match &options.compress {
            Some((extension, command)) if !zipped => {
                compress(&file, &dir.join(format!("{target}.{extension}")), command)
            }
            _ => move_to(&file, &dir.join(target)),
        };
        match done {
            Ok(()) => archived += 1,
            Err(why) => tell("ERROR", &why),
        }
    }
    archived
}

/// The folder and the name in the archive of `NAME__OPEN__CLOSE__[KEY=VALUE,...__].EXT`; none for any other name.
fn target(name: &str, options: &Options) -> Option<(String, String)> {
    let parts: Vec<&str> = name.split(options.delimiter.as_str()).collect();
    let (log, open, close, metadata, extension) = match parts.as_slice() {
        [log, open, close, extension] => (log, open, close, "", extension),
        [log, open, close, metadata, extension] => (log, open, close, *metadata, extension),
        _ => return None,
    };
    if log.starts_with('.') || !extension.starts_with('.') {
        return None;
    }
    let mut suffix = String::new();
    for entry in metadata.split(',').filter(|e| !e.is_empty()) {
        let (key, value) = entry.split_once('=').filter(|(_, v)| !v.is_empty())?;
        if key == "log_suffix" {
            suffix = format!("-{value}");
        }
    }
    let open = DateTime::strptime(&options.format, open).ok()?;
    let close = DateTime::strptime(&options.format, close).ok()?;
    let name = format!("{log}.{}-{}{suffix}{extension}", open.strftime("%H:%M:%S"), close.strftime("%H:%M:%S"));
    Some((open.strftime("%Y-%m-%d").to_string(), name))
}

/// The name of a file that is not whole yet.
fn temporary(target: &Path) -> PathBuf {
    let name = target.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    target.with_file_name(format!(".tmp.{name}"))
}

fn compress(file: &Path, target: &Path, command: &str) -> Result<(), String> {
    let part = temporary(target);
    let failed = |what: &str, e: &io::Error| format!("{what}: {e}");
    let from = File::open(file).map_err(|e| failed(&format!("Failed to open src_file {}", file.display()), &e))?;
    let to = File::create(&part).map_err(|e| failed(&format!("Failed to open dst_file {}", part.display()), &e))?;
    let status = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::from(from))
        .stdout(Stdio::from(to))
        .status()
        .map_err(|e| failed("Failed to exec()", &e))?;
    if !status.success() {
        let _ = fs::remove_file(&part);
        let code = status.code().unwrap_or(-1);
        return Err(format!("Compression of {} failed, command exit status: {code}", file.display()));
    }
    fs::rename(&part, target)
        .map_err(|e| failed(&format!("Failed to rename {} -> {}", part.display(), target.display()), &e))?;
    fs::remove_file(file).map_err(|e| failed(&format!("Failed to unlink {}", file.display()), &e))
}

fn move_to(file: &Path, target: &Path) -> Result<(), String> {
    if fs::rename(file, target).is_ok() {
        return Ok(());
    }
    // Another file system.
    let part = temporary(target);
    let failed = |e: io::Error| format!("Failed to copy {} to temporary file {}: {e}", file.display(), part.display());
    fs::copy(file, &part).map_err(failed)?;
    fs::rename(&part, target).and_then(|()| fs::remove_file(file)).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::{parse, target};

    #[test]
    fn names_are_those_of_the_real_one() {
        let options = parse(&["q", "a"].map(String::from)).unwrap().unwrap();
        let of = |name: &str| target(name, &options).map(|(day, name)| format!("{day}/{name}"));
        let at = "2026-11-22-18-25-45__2026-11-22-18-26-00";
        for (name, archived) in [
            (format!("conn__{at}__.log"), Some("2026-11-22/conn.18:25:45-18:26:00.log")),
            (format!("a__{at}__k=v,log_suffix=x,z=1__.log"), Some("2026-11-22/a.18:25:45-18:26:00-x.log")),
            (format!("d__{at}__.log.gz"), Some("2026-11-22/d.18:25:45-18:26:00.log.gz")),
            (format!("e__{at}__.txt"), Some("2026-11-22/e.18:25:45-18:26:00.txt")),
            (format!("my__log__{at}__.log"), None),
            (format!("b__{at}__novalue__.log"), None),
            (format!("h__{at}__x=__.log"), None),
            (format!("f__{at}.log"), None),
            (format!(".i__{at}__.log"), None),
            ("g__2026-11-22-18-25-45__2026-13-22-18-26-00__.log".to_owned(), None),
            ("reporter.log".to_owned(), None),
        ] {
            assert_eq!(of(&name).as_deref(), archived, "{name}");
        }
    }
}
