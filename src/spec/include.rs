//! `include`: hosts and nodes from further files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::decode::decode;
use super::description::{Description, open, sort};
use super::read;
use super::tree::EVENTS;
use super::types::{Included, Spec};
use crate::error::{At, Diagnostic, Place, Problem};

/// How many files a description may include.
const FILES: usize = 2_000;

/// How many values all files of a description may have together.
const VALUES: usize = 2 * EVENTS;

/// How many files and folders are looked at for one glob.
const LOOKED: usize = 100_000;

/// Merges the included files into a description.
pub(super) fn with_includes(mut description: Description, mut budget: read::Budget) -> Description {
    let globs = std::mem::take(&mut description.spec.include.0);
    let mut seen = HashSet::new();
    for (index, glob) in globs.iter().enumerate() {
        let place = Place::of(&["include"]).index(index);
        if description.broken.contains(&place) {
            continue;
        }
        match matches(&description.dir, glob) {
            Err(why) => {
                let problem = Problem::value(place.clone(), format!("`{glob}` can't be included: {why}"), "here");
                description.diagnostics.push(description.locate(&problem));
            }
            Ok(paths) if paths.is_empty() => {
                let problem = Problem::value(place.clone(), format!("`{glob}` matches no file"), "nothing to include")
                    .help(format!("it is looked for in {}", description.dir.display()));
                description.diagnostics.push(description.locate(&problem));
            }
            Ok(paths) => {
                for path in paths.into_iter().filter(|path| seen.insert(path.clone())) {
                    include(&mut description, &path, &place, &mut budget);
                }
            }
        }
    }
    description.spec.include.0 = globs;
    let main = description.name().to_owned();
    sort(&mut description.diagnostics, &main);
    description
}

fn include(description: &mut Description, path: &Path, place: &Place, budget: &mut read::Budget) {
    let shown = path.strip_prefix(&description.dir).unwrap_or(path);
    // The description's own folder.
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    let name = Path::new(description.name()).with_file_name("").join(shown).display().to_string();
    let text = match read::read(path, budget) {
        Ok(text) => text,
        Err(diagnostic) => {
            // Its content is unknown, so nothing counts as missing.
            description.broken.extend([Place::of(&["hosts"]), Place::of(&["nodes"])]);
            let message = format!("`{}` can't be included: {}", shown.display(), diagnostic.message);
            let problem = Problem::value(place.clone(), message, "named here");
            return description.diagnostics.push(description.locate(&problem));
        }
    };
    let (file, diagnostics) = open(&name, text);
    description.diagnostics.extend(diagnostics);
    let all = description.files.iter().chain([&file]).filter_map(|file| file.root.as_ref()).map(|root| root.size);
    if all.sum::<usize>() > VALUES {
        description.broken.extend([Place::of(&["hosts"]), Place::of(&["nodes"])]);
        let message = format!("with `{}` the description has more than {VALUES} values", shown.display());
        let problem = Problem::value(place.clone(), message, "too many");
        return description.diagnostics.push(description.locate(&problem));
    }
    let at = description.files.len();
    let mut part = Included::default();
    if let Some(root) = &file.root {
        let decoded = decode::<Included>(&file.source, root);
        part = decoded.value;
        description.diagnostics.extend(decoded.diagnostics);
        description.broken.extend(decoded.broken);
    }
    description.files.push(file);
    merge(description, at, "hosts", part.hosts.0, |spec| &mut spec.hosts.0);
    merge(description, at, "nodes", part.nodes.0, |spec| &mut spec.nodes.0);
}

fn merge<T>(
    description: &mut Description,
    file: usize,
    section: &'static str,
    entries: Vec<(String, T)>,
    into: impl Fn(&mut Spec) -> &mut Vec<(String, T)>,
) {
    let known: HashSet<String> = into(&mut description.spec).iter().map(|(name, _)| name.clone()).collect();
    for (name, entry) in entries {
        let place = Place::of(&[section, &name]);
        if !known.contains(&name) {
            description.owners.insert((section, name.clone()), file);
            into(&mut description.spec).push((name, entry));
            continue;
        }
        let (source, span) = description.find(&place, At::Key);
        let Some(root) = description.files.get(file).and_then(|f| f.root.as_ref()) else { continue };
        let Some(second) = description.files.get(file).map(|f| &f.source) else { continue };
        let message = format!("two files have `{name}` under `{section}`");
        let mut diagnostic = Diagnostic::at(second, root.find(&place, true), message, "used again here");
        diagnostic.also.push(crate::error::Label { source, span, text: "first used here".to_owned() });
        description.diagnostics.push(diagnostic.help("keep one of the two"));
    }
}

/// Files that a glob names, sorted.
fn matches(dir: &Path, glob: &str) -> Result<Vec<PathBuf>, String> {
    if !glob.contains(['*', '?', '[', '{']) {
        return Ok(vec![dir.join(glob)]);
    }
    let glob = glob.strip_prefix("./").unwrap_or(glob);
    let matcher = globset::GlobBuilder::new(glob).literal_separator(true).build().map_err(|e| e.to_string())?;
    let matcher = matcher.compile_matcher();
    // Only below the folders that the glob names in full; a walk from `/` would never end.
    let fixed: PathBuf = Path::new(glob).components().take_while(|c| !has_wildcard(c.as_os_str())).collect();
    let depth = Path::new(glob).components().count() - fixed.components().count();
    let depth = if glob.contains("**") { 16 } else { depth };
    let mut paths = Vec::new();
    let walk = walkdir::WalkDir::new(dir.join(&fixed)).max_depth(depth).follow_links(true).sort_by_file_name();
    for (looked, entry) in walk.into_iter().enumerate() {
        if looked > LOOKED {
            return Err(format!("clusterctl would have to look at more than {LOOKED} files and folders"));
        }
        let Ok(entry) = entry else { continue };
        let relative = entry.path().strip_prefix(dir).unwrap_or(entry.path());
        if !entry.file_type().is_dir() && matcher.is_match(relative) {
            paths.push(entry.into_path());
        }
        if paths.len() > FILES {
            return Err(format!("it matches more than {FILES} files"));
        }
    }
    Ok(paths)
}

fn has_wildcard(part: &std::ffi::OsStr) -> bool {
    part.to_string_lossy().contains(['*', '?', '[', '{'])
}
