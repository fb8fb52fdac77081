//! The pages for people name files that exist.

use std::path::Path;

const PAGES: [&str; 6] =
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/glossary.md", "tests/lab/README.md"];

/// Words between backticks, and targets of links.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    quoted.chain(linked)
}

/// The path that a word means, from the top of the repository or from the page's folder; none if it means no file.
fn named(word: &str) -> Option<&str> {
    let path = word.split('#').next()?.trim_end_matches('/');
    let ours = ["src/", "templates/", "tests/", "docs/", "examples/", "../"].iter().any(|top| path.starts_with(top));
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-@".contains(c));
    let page = Path::new(path).extension().is_some_and(|extension| extension == "md");
    (plain && (ours || page) && !path.contains("NAME")).then_some(path)
}

#[test]
fn pages_name_files_that_exist() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    let mut seen = 0;
    for page in PAGES {
        let text = std::fs::read_to_string(top.join(page)).unwrap();
        let beside = top.join(page).parent().unwrap().to_owned();
        for path in words(&text).filter_map(named) {
            seen += 1;
            if !top.join(path).exists() && !beside.join(path).exists() {
                missing.push(format!("{page} names {path}"));
            }
        }
    }
    assert!(seen > 100, "only {seen} names were found");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
