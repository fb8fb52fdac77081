//! Where the problems of a description are gathered.

use std::collections::BTreeSet;

use crate::error::{Place, Problem, Severity};
use crate::values::nearest;

/// How many problems are gathered; the last one says that there are more.
const MOST: usize = 1_000;
/// For how many problems a similar name is looked for.
const SUGGESTIONS: usize = 100;

/// The problems, and the places that could not be read, where nothing counts as missing.
pub(super) struct Problems<'a> {
    list: Vec<Problem>,
    /// Problems of what may be intended.
    warnings: Vec<Problem>,
    broken: &'a BTreeSet<Place>,
    suggestions: usize,
}

impl<'a> Problems<'a> {
    pub(super) fn new(broken: &'a BTreeSet<Place>) -> Self {
        Self { list: Vec::new(), warnings: Vec::new(), broken, suggestions: SUGGESTIONS }
    }

    /// Adds a problem, unless it is of a value that could not be read: only a placeholder stands there.
    pub(super) fn push(&mut self, problem: Problem) {
        if self.broken.contains(&problem.place) {
            return;
        }
        match self.list.len() {
            n if n < MOST => self.list.push(problem),
            MOST => self.list.push(Problem::value(Place::root(), format!("there are more than {MOST} problems"), "")),
            _ => {}
        }
    }

    /// Adds a warning of something that may be intended.
    pub(super) fn warn(&mut self, problem: Problem) {
        if self.warnings.len() < MOST {
            self.warnings.push(Problem { severity: Severity::Warning, ..problem });
        }
    }

    /// Adds a problem of something that is missing, unless it stands there and could not be read.
    pub(super) fn missing(&mut self, what: &Place, problem: Problem) {
        if !self.is_broken(what) {
            self.push(problem);
        }
    }

    /// Tells whether a place, or something that it stands in, could not be read.
    pub(super) fn is_broken(&self, place: &Place) -> bool {
        !self.broken.is_empty() && (0..=place.0.len()).any(|n| self.broken.contains(&Place(place.0[..n].to_vec())))
    }

    /// Tells whether something could not be read that decides which nodes there are.
    pub(super) fn nodes_are_broken(&self) -> bool {
        let nodes = Place::of(&["nodes"]);
        self.is_broken(&nodes)
            || self.is_broken(&Place::of(&["hosts"]))
            || self.broken.iter().any(|place| {
                let type_or_above = place.0.len() <= 2 || place.0.get(2) == nodes.key("type").0.get(1);
                place.0.starts_with(&nodes.0) && type_or_above
            })
    }

    /// Looks for a name that differs by a typing error.
    pub(super) fn suggest<'n>(&mut self, text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        nearest(text, names).map(|name| format!("did you mean `{name}`?"))
    }

    /// Returns the problems and the warnings.
    pub(super) fn into_lists(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.list, self.warnings)
    }
}
