//! Reads descriptions, from files and from texts.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::description::{Description, File, open, sort};
use super::types::Spec;
use super::{decode, include, read};
use crate::error::Source;

/// Reads a description. It never fails: the diagnostics say what is wrong.
pub fn load(path: &Path) -> Description {
    let name = path.display().to_string();
    let dir = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
    let mut budget = read::Budget::default();
    match read::read(path, &mut budget) {
        Ok(text) => include::with_includes(parse(&name, text, dir), budget),
        Err(diagnostic) => Description {
            dir,
            spec: Spec::default(),
            broken: BTreeSet::new(),
            diagnostics: vec![*diagnostic],
            files: vec![File { source: Arc::new(Source::new(name, "")), root: None }],
            owners: HashMap::new(),
        },
    }
}

/// Reads a description from a text; includes are not followed.
pub fn parse(name: &str, text: String, dir: PathBuf) -> Description {
    let (file, mut diagnostics) = open(name, text);
    let (mut spec, mut broken) = (Spec::default(), BTreeSet::new());
    if let Some(root) = &file.root {
        let decoded = decode::decode::<Spec>(&file.source, root);
        (spec, broken) = (decoded.value, decoded.broken);
        diagnostics.extend(decoded.diagnostics);
    }
    sort(&mut diagnostics, name);
    Description { dir, spec, broken, diagnostics, files: vec![file], owners: HashMap::new() }
}
