//! Spec -> Cluster: names, hosts, ports, CPUs, ids. Pure.

mod capture;
mod checks;
mod expand;
mod fanout;
mod folders;
mod groups;
mod hosts;
mod model;
mod natural_order;
mod nodes;
mod ports;
mod problems;
mod resolve;
mod settings;
mod template;
mod verify;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;

use crate::error::{Diagnostic, Problem};
use crate::spec::Description;

pub use folders::Folders;
pub use model::*;
pub use natural_order::{compare as compare_names, ranges as name_ranges};
pub use resolve::resolve;
pub use verify::verify;

/// Makes the cluster of a description that was read, or returns all that is wrong with it, in the order of the file:
/// of its form and of its meaning.
///
/// # Errors
/// All diagnostics; never an empty list.
pub fn check(description: &Description) -> Result<Cluster, Vec<Diagnostic>> {
    check_all(description, &[]).map(|(cluster, _)| cluster)
}

/// As [`check`], with the warnings too, and with problems that were found elsewhere, in the order of the file.
///
/// # Errors
/// All diagnostics, warnings among them; at least one is an error.
pub fn check_all(
    description: &Description,
    elsewhere: &[Problem],
) -> Result<(Cluster, Vec<Diagnostic>), Vec<Diagnostic>> {
    if !description.is_readable() {
        return Err(description.diagnostics.clone());
    }
    let (cluster, problems) = resolve(&description.spec, &description.broken, &description.dir);
    let problems = [problems.as_slice(), elsewhere].concat();
    match cluster {
        Some(cluster) if description.diagnostics.is_empty() && elsewhere.is_empty() => {
            Ok((cluster, description.with(&problems)))
        }
        _ => Err(description.with(&problems)),
    }
}
