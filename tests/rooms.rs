//! The rooms of `src/lib.rs` import only what its table lets them, and the files of one room import each other in one
//! direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::sources;

/// What every room may import.
const FOR_ALL: [&str; 3] = ["error", "values", "scripts"];

/// Reads the table: the room, and what it may import: what its row names, and whatever these may.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("src/lib.rs").unwrap();
    let names = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = text.lines().filter_map(|l| l.strip_prefix("//! | `"));
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.map(|l| l.split('|').map(str::trim).collect::<Vec<_>>()) {
        let room = row[0].trim_end_matches('`').to_owned();
        let mut may = names(row[2]);
        for below in may.clone() {
            let below = table.get(&below).unwrap_or_else(|| panic!("{room} names {below}, which stands above no row"));
            may.extend(below.iter().cloned());
        }
        if !FOR_ALL.contains(&room.as_str()) {
            may.extend(FOR_ALL.map(str::to_owned));
        }
        table.insert(room, may);
    }
    table
}

/// The path of a file's module, without `crate`.
fn module(file: &Path) -> Vec<String> {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<String> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// A source without its tests and comments.
fn code(file: &Path) -> String {
    let source = std::fs::read_to_string(file).unwrap();
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    source.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Takes `a::{b, c::{d, e}}` apart into whole paths.
fn expand(path: &str, prefix: &[String], all: &mut Vec<Vec<String>>) {
    let path = path.trim();
    let Some(open) = path.find('{') else {
        let path = path.split(" as ").next().unwrap();
        let parts = path.split("::").map(str::trim).filter(|p| !p.is_empty() && *p != "self").map(str::to_owned);
        all.push(prefix.iter().cloned().chain(parts).collect());
        return;
    };
    let before = path[..open].split("::").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
    let prefix: Vec<String> = prefix.iter().cloned().chain(before).collect();
    let inner = &path[open + 1..path.rfind('}').unwrap()];
    let (mut depth, mut from) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[from..at].trim().is_empty() {
                    expand(&inner[from..at], &prefix, all);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// The whole paths from `crate` on that a file names, in `use` and elsewhere.
fn imports(module: &[String], code: &str) -> BTreeSet<Vec<String>> {
    let mut named = Vec::new();
    let mut rest = String::new();
    let mut uses = code.split('\n').peekable();
    while let Some(line) = uses.next() {
        let begins = ["use ", "pub use ", "pub(crate) use "].iter().find_map(|b| line.trim_start().strip_prefix(b));
        let Some(begin) = begins else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut text = begin.to_owned();
        while !text.contains(';') {
            text.push_str(uses.next().unwrap_or(";"));
        }
        expand(text.trim_end_matches([';', ' ']), &[], &mut named);
    }
    for begin in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(begin) {
            if rest[..at].ends_with("::") {
                continue;
            }
            let path: String =
                rest[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            expand(path.trim_end_matches(':'), &[], &mut named);
        }
    }
    let absolute = |path: Vec<String>| -> Option<Vec<String>> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                let base = module.len().checked_sub(up)?;
                Some(module[..base].iter().chain(&path[up..]).cloned().collect())
            }
            // A module below this one.
            _ => Some(module.iter().chain(&path).cloned().collect()),
        }
    };
    named.into_iter().filter_map(absolute).collect()
}

/// All modules with the code of their files.
struct House(BTreeMap<Vec<String>, String>);

impl House {
    fn read() -> Self {
        Self(sources().iter().map(|file| (module(file), code(file))).collect())
    }

    /// The file that a path means: what a folder's `mod.rs` takes from a file below it is that file's.
    fn file_of(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        let known = (0..=path.len()).rev().map(|n| &path[..n]).find(|p| self.0.contains_key(*p))?;
        if known.is_empty() || depth > 8 {
            return None;
        }
        if let Some(item) = path.get(known.len()) {
            for import in imports(known, &self.0[known]) {
                let below = import.len() > known.len() + 1 && import.starts_with(known);
                if below && import.last() == Some(item) && import.as_slice() != path {
                    return self.file_of(&import, depth + 1);
                }
            }
        }
        Some(known.to_vec())
    }

    /// Which file imports which others.
    fn arrows(&self) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
        let of = |module: &Vec<String>, code: &String| {
            let to = imports(module, code).into_iter().filter_map(|path| self.file_of(&path, 0));
            to.filter(|to| to != module).collect()
        };
        self.0.iter().map(|(module, code)| (module.clone(), of(module, code))).collect()
    }
}

/// Finds a circle, if there is any: the files along it.
fn circle(arrows: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Option<Vec<String>> {
    fn visit<'a>(
        at: &'a Vec<String>,
        arrows: &'a BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
        way: &mut Vec<&'a Vec<String>>,
        done: &mut BTreeSet<&'a Vec<String>>,
    ) -> Option<Vec<String>> {
        if let Some(from) = way.iter().position(|known| *known == at) {
            return Some(way[from..].iter().copied().chain([at]).map(|m| m.join("::")).collect());
        }
        if done.contains(at) {
            return None;
        }
        way.push(at);
        for to in arrows.get(at).into_iter().flatten() {
            if let Some(found) = visit(to, arrows, way, done) {
                return Some(found);
            }
        }
        way.pop();
        done.insert(at);
        None
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|from| visit(from, arrows, &mut Vec::new(), &mut done))
}

#[test]
fn rooms_import_what_the_table_says() {
    let table = table();
    assert!(table.len() >= 14, "the table in src/lib.rs can't be read: {table:?}");
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (module, code) in House::read().0 {
        let Some(room) = module.first().filter(|room| !matches!(room.as_str(), "lib" | "main")) else { continue };
        seen.insert(room.clone());
        let Some(may) = table.get(room) else {
            wrong.push(format!("{} is in no room of the table", module.join("::")));
            continue;
        };
        let named: BTreeSet<String> = imports(&module, &code).into_iter().filter_map(|p| p.first().cloned()).collect();
        for import in named {
            if import != *room && table.contains_key(&import) && !may.contains(&import) {
                wrong.push(format!("{} imports {import}", module.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, table.keys().cloned().collect(), "rooms of the table that are not there");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut arrows = House::read().arrows();
    let mut circles = Vec::new();
    while let Some(found) = circle(&arrows) {
        // To find the next one as well.
        let (from, to) = (&found[0], &found[1]);
        let path = |name: &str| name.split("::").map(str::to_owned).collect::<Vec<_>>();
        arrows.get_mut(&path(from)).unwrap().remove(&path(to));
        circles.push(found.join(" -> "));
    }
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

/// The files that a `mod.rs` lists from the top down; of several in one row, neither stands above the other.
fn listed(of: &Path) -> Option<BTreeMap<String, usize>> {
    let text = std::fs::read_to_string(of).unwrap();
    text.contains("//! From the top down, and nothing imports what stands above it:").then(|| {
        let rows = text.lines().filter_map(|line| line.strip_prefix("//! * "));
        let names = |row: &str| -> Vec<String> {
            let names = row.split(": ").next().unwrap();
            names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        rows.enumerate().flat_map(|(at, row)| names(row).into_iter().map(move |name| (name, at))).collect()
    })
}

#[test]
fn nothing_imports_what_its_room_lists_above_it() {
    let arrows = House::read().arrows();
    let (mut wrong, mut rooms) = (Vec::new(), 0);
    for file in sources().iter().filter(|file| file.ends_with("mod.rs")) {
        let Some(order) = listed(file) else { continue };
        rooms += 1;
        let room = module(file);
        // A folder below the room is one of its files.
        let name = |m: &Vec<String>| m.starts_with(&room).then(|| m.get(room.len()).cloned()).flatten();
        for (from, to) in arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to))) {
            let (Some(from), Some(to)) = (name(from), name(to)) else { continue };
            match (order.get(&from), order.get(&to)) {
                _ if from == to => {}
                (Some(at), Some(of)) if of >= at => {}
                (Some(_), Some(_)) => {
                    wrong.push(format!("{from} imports {to}, which stands above it in {}", file.display()));
                }
                _ => wrong.push(format!("{from} or {to} is not listed in {}", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rooms >= 2, "no room lists its files");
}

#[test]
fn imports_are_found_in_every_form() {
    let source = "use crate::fleet::Event;\npub(crate) use crate::{ui, zeek::{self, Live as L}};\nuse super::tiers::{a, b};\n\
                  mod x;\nuse x::Y;\nfn f() { crate::spec::load(super::super::ui::Ui) }";
    let module = ["nodes", "run"].map(str::to_owned);
    let found: Vec<String> = imports(&module, source).into_iter().map(|p| p.join("::")).collect();
    let all = [
        "fleet::Event",
        "nodes::run::x::Y",
        "nodes::tiers::a",
        "nodes::tiers::b",
        "spec::load",
        "ui",
        "ui::Ui",
        "zeek",
        "zeek::Live",
    ];
    assert_eq!(found, all);
}

#[test]
fn a_circle_is_found_and_told() {
    let path = |name: &str| vec!["room".to_owned(), name.to_owned()];
    let mut arrows = BTreeMap::from([
        (path("a"), BTreeSet::from([path("b")])),
        (path("b"), BTreeSet::from([path("c")])),
        (path("c"), BTreeSet::new()),
    ]);
    assert_eq!(circle(&arrows), None);
    arrows.get_mut(&path("c")).unwrap().insert(path("a"));
    assert_eq!(circle(&arrows).unwrap(), ["room::a", "room::b", "room::c", "room::a"]);
}
