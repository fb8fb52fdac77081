//! The rooms of `src/lib.rs` import only what its table lets them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Reads the table: the room, and what it may import beside `error` and `values`.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("src/lib.rs").unwrap();
    let names = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows: Vec<Vec<&str>> =
        text.lines().filter_map(|l| l.strip_prefix("//! | `")).map(|l| l.split('|').map(str::trim).collect()).collect();
    let mut table = BTreeMap::new();
    let mut above = BTreeSet::new();
    for row in rows {
        let room = row[0].trim_end_matches('`').to_owned();
        let mut may = if row[2] == "all above" { above.clone() } else { names(row[2]) };
        if !matches!(room.as_str(), "error" | "values") {
            may.extend(["error".to_owned(), "values".to_owned()]);
        }
        above.insert(room.clone());
        table.insert(room, may);
    }
    table
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
    all
}

/// The room of a file: the first part of its path below `src`.
fn room(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The rooms that a source names, as `crate::room`, or in `use crate::{a, b::c}`; its tests may use more.
fn imports(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => {
                found.insert(word(rest));
            }
            Some(list) => {
                let mut depth = 0;
                let mut item = true;
                for (i, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => item = true,
                        c if item && c.is_alphanumeric() => {
                            found.insert(word(&list[i..]));
                            item = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn rooms_import_what_the_table_says() {
    let table = table();
    assert!(table.len() >= 14, "the table in src/lib.rs can't be read: {table:?}");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files(Path::new("src")) {
        let room = room(&file);
        if matches!(room.as_str(), "lib" | "main") || file.ends_with("tests.rs") {
            continue;
        }
        seen.insert(room.clone());
        let Some(may) = table.get(&room) else {
            wrong.push(format!("{} is in no room of the table", file.display()));
            continue;
        };
        for import in imports(&std::fs::read_to_string(&file).unwrap()) {
            if import != room && !may.contains(&import) {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, table.keys().cloned().collect(), "rooms of the table that are not there");
}

#[test]
fn imports_are_found_in_every_form() {
    let source = "use crate::ops::Event;\nuse crate::{ui, zeek::{self, Live}, error};\nfn f() { crate::spec::load() }";
    assert_eq!(imports(source), ["error", "ops", "spec", "ui", "zeek"].map(str::to_owned).into());
}
