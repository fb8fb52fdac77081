//! Putting a release beside the others on all hosts, verified there; nothing that runs changes.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::prepared::Prepared;
use super::site::run_blocking;
use crate::fleet::{Event, Fleet, HostHandle, Locks};
use crate::release::{Packing, Part, Release};
use crate::remote::verdict;
use crate::scripts;
use crate::transport::{Input, RemoteScript};

/// How long a host may take to unpack and verify, once it has all.
const STAGING: Duration = Duration::from_secs(300);
/// How long it may take to name what it has unpacked.
const SETTLING: Duration = Duration::from_secs(60);
/// Puts the release beside the others on all hosts that need it; tells how it went on each.
pub(crate) async fn stage(fleet: &Fleet, prepared: &Prepared, locks: &Locks) -> Vec<(HostHandle, Result<(), String>)> {
    let release = &prepared.release;
    let handles: Vec<HostHandle> = release
        .parts
        .iter()
        .filter(|p| prepared.current(p.host) != Some(release.id.as_str()) || prepared.is_altered(p.host))
        .map(|p| fleet.handle(p.host))
        .collect();
    let packs = &Packs::default();
    fleet
        .each("staging", handles, |handle| async move { stage_one(fleet, &handle, prepared, locks, packs).await })
        .await
}

/// The files of the site folder that hosts lack, packed: each set of them once, however many hosts lack it.
#[derive(Default)]
struct Packs(Mutex<HashMap<String, Arc<OnceCell<Arc<File>>>>>);

impl Packs {
    /// Returns a packed set, in a file that nobody else sees and that goes with the last who has it.
    async fn get(&self, packing: Packing) -> Result<Arc<File>, String> {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(packing.key()).or_default());
        let pack = || async {
            let pack = move |stop: &dyn Fn() -> bool| {
                let file = tempfile::tempfile()
                    .map_err(|e| format!("can't make a file in {}: {e}", std::env::temp_dir().display()))?;
                let packed = packing.pack(BufWriter::with_capacity(BUFFER, file), false, stop);
                let file = packed.and_then(|w| w.into_inner().map_err(std::io::IntoInnerError::into_error));
                file.map(Arc::new)
                    .map_err(|e| format!("can't pack the site folder (in {}): {e}", std::env::temp_dir().display()))
            };
            run_blocking(pack).await.unwrap_or_else(|| Err("the site folder could not be packed".to_owned()))
        };
        cell.get_or_try_init(pack).await.cloned()
    }
}

/// How many packed bytes are written at a time.
const BUFFER: usize = 128 << 10;

async fn stage_one(
    fleet: &Fleet,
    handle: &HostHandle,
    prepared: &Prepared,
    locks: &Locks,
    packs: &Packs,
) -> Result<(), String> {
    let release = &prepared.release;
    let Some((index, part)) = handle.index.and_then(|i| Some((i, release.part(i)?))) else { return Ok(()) };
    let work = Work { fleet, locks, packs, release };
    if let Some((base, manifests)) = &prepared.base {
        let manifest = manifests.get(&index).map_or(&[][..], Vec::as_slice);
        return match stage_from(&work, handle, part, base, manifest).await {
            Ok(()) => Ok(()),
            Err(Refusal::Differs(why) | Refusal::Failed(why)) => Err(why),
        };
    }
    let observed = prepared.found[index].as_ref();
    let manifest: &[String] = observed.map_or(&[], |o| &o.manifest);
    let base = match observed.and_then(|o| o.current.as_deref()) {
        // What was altered there is nothing to build upon.
        Some(_) if prepared.is_altered(index) => "fresh",
        Some(current) if !manifest.is_empty() => current,
        _ => "-",
    };
    let manifest = if base == "fresh" { &[][..] } else { manifest };
    if base == "fresh" {
        let text = format!("{}: files of its release were changed by hand; sending all files again", handle.name);
        fleet.emit(Event::Note { text });
    }
    match stage_from(&work, handle, part, base, manifest).await {
        // Somebody has changed files there, so they can't be built upon: everything is sent.
        Err(Refusal::Differs(why)) => {
            fleet.emit(Event::Note { text: format!("{}: {why}; sending all files again", handle.name) });
            match stage_from(&work, handle, part, "fresh", &[]).await {
                Ok(()) => Ok(()),
                Err(Refusal::Differs(_)) => Err("the files arrived damaged: the digests differ".to_owned()),
                Err(Refusal::Failed(why)) => Err(why),
            }
        }
        Err(Refusal::Failed(why)) => Err(why),
        Ok(()) => Ok(()),
    }
}

/// Why a host did not take a release.
enum Refusal {
    /// The files that it has are not those that its manifest names.
    Differs(String),
    /// Something else.
    Failed(String),
}

/// What is put on all hosts, and by what.
struct Work<'a> {
    fleet: &'a Fleet,
    locks: &'a Locks,
    packs: &'a Packs,
    release: &'a Release,
}

async fn stage_from(
    work: &Work<'_>,
    handle: &HostHandle,
    part: &Part,
    base: &str,
    manifest: &[String],
) -> Result<(), Refusal> {
    let input = stage_input(part, manifest, work.packs).await.map_err(Refusal::Failed)?;
    let call = || {
        RemoteScript::new(scripts::STAGE, STAGING)
            .arg(&handle.folders.home)
            .arg(&work.release.id)
            .arg(&part.digest)
            .arg(base)
            .arg(&handle.folders.spool)
            .inputs(input.clone())
            .silence(work.fleet.silence())
    };
    let reply = work.locks.step(handle, call).await.map_err(|e| Refusal::Failed(e.into()))?;
    if let Some(why) = reply.lines.iter().find_map(|l| l.strip_prefix("differs ")) {
        return Err(Refusal::Differs(why.to_owned()));
    }
    // It had it already.
    if verdict(&reply, "staged").is_ok() {
        return Ok(());
    }
    verdict(&reply, "unpacked").map_err(Refusal::Failed)?;
    // However long that took, this is done in time and under the lock, or not at all.
    let call = || {
        RemoteScript::new(scripts::SETTLE, SETTLING).arg(&handle.folders.home).arg(&work.release.id).arg(&part.digest)
    };
    verdict(&work.locks.step(handle, call).await.map_err(|e| Refusal::Failed(e.into()))?, "staged")
        .map_err(Refusal::Failed)
}

/// What travels: the paths that go, and a tar of what is new or changed.
async fn stage_input(part: &Part, manifest: &[String], packs: &Packs) -> Result<Vec<Input>, String> {
    let changes = part.changes(manifest);
    let mut removed: String = changes.removed.iter().map(|path| format!("{path}\n")).collect();
    removed.push('\n');
    let (disk, memory) = Packing::split(part, changes.added.iter().chain(&changes.changed));
    let mut input = vec![Input::Bytes(Arc::from(removed.into_bytes()))];
    if !disk.is_empty() {
        input.push(Input::File(packs.get(disk).await?));
    }
    let own = memory.pack(Vec::new(), true, &|| false).map_err(|e| e.to_string())?;
    input.push(Input::Bytes(Arc::from(own)));
    Ok(input)
}
