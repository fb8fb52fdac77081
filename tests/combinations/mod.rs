//! Combinations that nobody thought of: a covering array over what a description can have and what is done, and after
//! each step what always holds.
//!
//! * `array.rs`: makes few cases in which every two things meet.
//! * `design.rs`: what is combined, on this machine and in the lab.
//! * `world.rs`: the cluster of a case, and clusterctl run on it.
//! * `steps.rs`: what is done, and what has to come of it.
//! * `invariants.rs`: what always holds; the lab's suite uses it too.
//!
//! `CLUSTERCTL_SEED` gives another array (1), `CLUSTERCTL_CASES` how many cases are run: beyond one array those of the
//! next seeds follow. `CLUSTERCTL_CASE` runs the one with that number alone, and `CLUSTERCTL_KEEP` leaves its folder.

mod array;
mod design;
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "all names are clusterctl's own")]
pub(crate) mod invariants;
mod steps;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::lab::Lab;
use array::Design;
use design::Plan;
use world::World;

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// The cases that the environment asks for.
fn plans(design: &Design) -> Vec<Plan> {
    let first = number("CLUSTERCTL_SEED").unwrap_or(1);
    let count: Option<usize> = number("CLUSTERCTL_CASES");
    let only: Option<usize> = number("CLUSTERCTL_CASE");
    let mut plans = Vec::new();
    for seed in first.. {
        let cases = design.cases(seed);
        if plans.is_empty() {
            eprintln!(
                "seed {seed}: {} cases with {} steps cover {} pairs",
                cases.len(),
                cases.iter().map(|case| case.steps.len()).sum::<usize>(),
                design.pairs().len()
            );
        }
        let of_seed = |(number, case)| Plan { seed, number, design: design.clone(), case };
        plans.extend(cases.into_iter().enumerate().map(of_seed));
        if count.is_none_or(|count| plans.len() >= count) {
            break;
        }
    }
    plans.truncate(count.unwrap_or(usize::MAX));
    plans.retain(|plan| only.is_none_or(|only| plan.number == only));
    plans
}

/// Runs a case to its end, or to the first thing that is wrong: then says what, and where.
fn run(mut world: World, steps: &mut usize) -> Result<(), String> {
    let mut at = "first deploy";
    let result = catch_unwind(AssertUnwindSafe(|| {
        world.settle_beside()?;
        world.converge()?;
        for step in world.plan.steps() {
            at = step;
            steps::take(&mut world, step)?;
            *steps += 1;
        }
        at = "the last deploy";
        world.converge().map(drop)
    }));
    let wrong = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(wrong)) => wrong,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
        }
    };
    let Plan { seed, number, design, case } = &world.plan;
    Err(format!(
        "CLUSTERCTL_SEED={seed} CLUSTERCTL_CASE={number}, at `{at}`: {wrong}\n  {}\n    {}",
        design.told(case),
        world.trail()
    ))
}

/// Runs cases, so many at a time, and tells what was found.
fn all(plans: &[Plan], beside: usize, world: impl Fn(Plan) -> World + Sync) {
    let begun = Instant::now();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..beside {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let since = Instant::now();
                    let mut steps = 0;
                    let result = run(world(plan.clone()), &mut steps);
                    done.fetch_add(steps, Ordering::Relaxed);
                    let how = if result.is_ok() { "well" } else { "NOT WELL" };
                    eprintln!("seed {} case {}: {how}, {:?}", plan.seed, plan.number, since.elapsed());
                    if let Err(wrong) = result {
                        eprintln!("{wrong}\n");
                        found.lock().unwrap().push(wrong);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    eprintln!("{} cases, {} steps, {:?}: {} not well", plans.len(), done.into_inner(), begun.elapsed(), found.len());
    assert!(found.is_empty(), "{} of {} cases are not well, see above", found.len(), plans.len());
}

#[test]
fn both_designs_are_covered_by_few_cases() {
    for (design, most, most_steps) in [(design::here(), 20, 125), (design::lab(), 18, 85)] {
        let cases = design.cases(1);
        let covered: BTreeSet<_> = cases.iter().flat_map(Design::of).collect();
        assert_eq!(covered, design.pairs());
        assert!(cases.iter().all(|case| design.allows(case)));
        let steps: usize = cases.iter().map(|case| case.steps.len()).sum();
        assert!(cases.len() <= most && steps <= most_steps, "{} cases, {steps} steps", cases.len());
    }
}

#[test]
#[ignore = "wants the machine for itself: tests/run.sh"]
fn combinations_on_one_host() {
    let beside = number("CLUSTERCTL_BESIDE").unwrap_or(2);
    all(&plans(&design::here()), beside, World::here);
}

/// Runs the cases of hosts in a lab, one after the other: they have the same ports.
pub(crate) fn on_hosts(lab: &Lab) {
    all(&plans(&design::lab()), 1, |plan| World::in_lab(plan, lab.clone()));
}
