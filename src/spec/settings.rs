//! What a description says, one setting after the other, each with its place.

use super::description::{Description, File};
use super::tree::{Kind, Node};
use crate::error::{Place, Step};

/// One setting as it stands in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keys that lead there, with dots between.
    pub name: String,
    /// As it is written; a list in brackets.
    pub value: String,
    /// The file as the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    place: Place,
}

impl Setting {
    /// Returns the names of all that it is part of, its own included.
    pub fn prefixes(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.place.0.len()).map(|depth| Place(self.place.0[..depth].to_vec()).to_string())
    }
}

impl Description {
    /// Returns all settings that it has, in the order of its files. Keys of the user's own (`x-...`) are none.
    pub fn settings(&self) -> Vec<Setting> {
        let mut all = Vec::new();
        for file in &self.files {
            let Some(root) = &file.root else { continue };
            collect(file, root, root.span.start, &Place::root(), &mut all);
        }
        all
    }
}

/// Adds the settings of a value that stands at a byte.
fn collect(file: &File, node: &Node, at: usize, place: &Place, all: &mut Vec<Setting>) {
    let mut add = |value: String| {
        let (line, _) = file.source.line_column(at);
        let (name, file) = (place.to_string(), file.source.file.clone());
        all.push(Setting { name, value, file, line, place: place.clone() });
    };
    match &node.kind {
        // As YAML has it, these say nothing.
        Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null") => {}
        Kind::Scalar { text, .. } => add(text.clone()),
        Kind::Sequence(items) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| if let Kind::Scalar { text, .. } = &item.kind { Some(text.as_str()) } else { None })
                .collect();
            match texts {
                Some(texts) => add(format!("[{}]", texts.join(", "))),
                None => {
                    for (index, item) in items.iter().enumerate() {
                        collect(file, item, item.span.start, &place.index(index), all);
                    }
                }
            }
        }
        Kind::Mapping(mapping) if mapping.entries.is_empty() => add("{}".to_owned()),
        Kind::Mapping(mapping) => {
            for entry in &mapping.entries {
                if place.0.is_empty() && entry.key.starts_with("x-") {
                    continue;
                }
                let below = Place([place.0.as_slice(), &[Step::Key(entry.key.clone())]].concat());
                collect(file, &entry.value, entry.span.start, &below, all);
            }
        }
    }
}
