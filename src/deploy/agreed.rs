//! A plan in a file: what `diff --save` keeps, and what `deploy --plan` holds itself to.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::prepared::Prepared;
use crate::error::{CommandError, Error};
use crate::files;
use crate::fleet::Fleet;
use crate::plan::{Change, Contents, LARGEST_SAVED, SavedPlan};
use crate::release::Part;

/// Keeps a plan in a file.
///
/// # Errors
/// Where it can't be written.
pub fn save(fleet: &Fleet, prepared: &Prepared, file: &Path) -> Result<(), CommandError> {
    let text = SavedPlan::write(&fleet.cluster.name, &prepared.plan, &contents(fleet, prepared));
    let written = text.and_then(|text| files::write_private(file, &text).map_err(|e| e.to_string()));
    written.map_err(|why| Error::failed(format!("can't write the plan to {}", file.display())).because(why).into())
}

/// Reads a plan from a file that nobody but its owner may have written.
///
/// # Errors
/// Where it is none.
pub fn read_saved(fleet: &Fleet, file: &Path) -> Result<SavedPlan, CommandError> {
    let fail = |why: String| Error::failed(format!("can't read a plan from {}", file.display())).because(why);
    let meta = std::fs::metadata(file).map_err(|e| fail(e.to_string()))?;
    if meta.is_file() && meta.mode() & 0o022 != 0 {
        let error = fail("other users can write to the file, so it may not be the plan that was approved".to_owned());
        return Err(error.hint("check the plan in it, then run: chmod go-w FILE").into());
    }
    let bytes = files::read(file, LARGEST_SAVED, &mut files::PATIENCE.clone()).map_err(|e| fail(e.to_string()))?;
    let saved = SavedPlan::read(&bytes)
        .map_err(|why| fail(why).hint("`clusterctl diff --save FILE` writes a plan for `deploy --plan FILE`"))?;
    if saved.cluster() != fleet.cluster.name {
        let (its, ours) = (saved.cluster(), &fleet.cluster.name);
        return Err(fail(format!("the plan is for the cluster {its}, the description is of the cluster {ours}")).into());
    }
    Ok(saved)
}

/// Makes sure that a plan does what was agreed to, and nothing else.
///
/// # Errors
/// Says what differs.
pub fn agreed(fleet: &Fleet, prepared: &Prepared, saved: &SavedPlan) -> Result<(), CommandError> {
    let differences = saved.differences(&prepared.plan, &contents(fleet, prepared)).map_err(Error::failed)?;
    if differences.is_empty() {
        return Ok(());
    }
    let error = Error::failed("a deploy would differ from the plan; nothing changed");
    let mut error = differences.into_iter().fold(error, Error::because);
    if let Some(version) = saved.other_version() {
        error = error.hint(format!("clusterctl {version} made the plan; that version may still accept it"));
    }
    Err(error.hint("make a new plan: clusterctl diff --save FILE").into())
}

fn contents(fleet: &Fleet, prepared: &Prepared) -> Contents {
    let Some(release) = &prepared.unkeyed else { return Contents::default() };
    let hosts = &fleet.cluster.hosts;
    let of: HashMap<&str, &Part> = release.parts.iter().map(|part| (hosts[part.host].name.as_str(), part)).collect();
    let parts = release.parts.iter().map(|part| (hosts[part.host].name.clone(), part.digest.clone())).collect();
    let mut contents = Contents { parts, ..Contents::default() };
    for change in prepared.plan.files.iter().filter(|file| file.change != Change::Removed) {
        // Files of nodes on other hosts are in the digests of these hosts' parts.
        let Some(part) = change.hosts.first().and_then(|host| of.get(host.as_str())) else { continue };
        let file = |path: &String| Some((path.clone(), part.files.get(path)?.digest.clone()));
        contents.files.extend(change.paths.iter().filter_map(file));
    }
    contents
}
