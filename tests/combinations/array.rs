//! A covering array: few cases in which nevertheless every two things meet that can meet. Deterministic for a seed.
//!
//! A case is one value of each factor and a sequence of steps. Covered is each pair of values of two factors, each value
//! with each step, and each step with each other one some time after it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

/// Something of which each case has one of several values.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<&'static str>,
}

/// What is combined.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    pub(crate) factors: Vec<Factor>,
    pub(crate) steps: Vec<&'static str>,
    /// Pairs of values of two factors that do not meet.
    pub(crate) apart: Vec<[(&'static str, &'static str); 2]>,
    /// Steps that need one of several values of a factor.
    pub(crate) needs: Vec<(&'static str, &'static str, &'static [&'static str])>,
    /// Steps in a case, at most.
    pub(crate) length: usize,
}

/// One case: the index of each factor's value, and of each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) values: Vec<usize>,
    pub(crate) steps: Vec<usize>,
}

/// Two things that are to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pair {
    /// Values of two factors.
    Values { factors: [usize; 2], values: [usize; 2] },
    /// A value and a step.
    During { factor: usize, value: usize, step: usize },
    /// A step and a later one.
    Then { first: usize, second: usize },
}

/// How many candidates are looked at for each case.
const CANDIDATES: usize = 40;

impl Design {
    fn is_apart(&self, factors: [usize; 2], values: [usize; 2]) -> bool {
        let names = [0, 1].map(|i| (self.factors[factors[i]].name, self.factors[factors[i]].values[values[i]]));
        self.apart.iter().any(|[a, b]| [*a, *b] == names || [*b, *a] == names)
    }

    fn fits(&self, values: &[Option<usize>], factor: usize, value: usize) -> bool {
        values
            .iter()
            .enumerate()
            .all(|(other, v)| other == factor || v.is_none_or(|v| !self.is_apart([factor, other], [value, v])))
    }

    fn can_do(&self, factor: usize, value: usize, step: usize) -> bool {
        let factor = &self.factors[factor];
        self.needs.iter().all(|(name, of, values)| {
            *name != self.steps[step] || *of != factor.name || values.contains(&factor.values[value])
        })
    }

    fn is_possible(&self, values: &[usize], step: usize) -> bool {
        values.iter().enumerate().all(|(factor, value)| self.can_do(factor, *value, step))
    }

    /// Values of all factors, from what is given; none where they do not go together.
    fn complete(&self, given: &[Option<usize>]) -> Option<Vec<usize>> {
        let Some(factor) = given.iter().position(Option::is_none) else {
            return Some(given.iter().flatten().copied().collect());
        };
        (0..self.factors[factor].values.len()).filter(|value| self.fits(given, factor, *value)).find_map(|value| {
            let mut more = given.to_vec();
            more[factor] = Some(value);
            self.complete(&more)
        })
    }

    /// Values that have a step in them, given some; none where the step can't be done with them.
    fn with_step(&self, given: &[Option<usize>], steps: &[usize]) -> Option<Vec<Vec<usize>>> {
        // What the steps rule out is ruled out before the rest is chosen.
        let left: Vec<Vec<usize>> = self
            .factors
            .iter()
            .enumerate()
            .map(|(factor, f)| {
                (0..f.values.len())
                    .filter(|v| given[factor].is_none_or(|g| g == *v))
                    .filter(|v| steps.iter().all(|step| self.can_do(factor, *v, *step)))
                    .collect()
            })
            .collect();
        let mut chosen: Vec<Option<usize>> =
            left.iter().map(|l| if l.len() == 1 { Some(l[0]) } else { None }).collect();
        for (factor, value) in given.iter().enumerate() {
            if value.is_some() {
                chosen[factor] = *value;
            }
        }
        let consistent = (0..chosen.len()).all(|f| chosen[f].is_none_or(|v| self.fits(&chosen, f, v)));
        (left.iter().all(|l| !l.is_empty()) && consistent && self.complete_of(&chosen, &left).is_some()).then_some(left)
    }

    fn complete_of(&self, given: &[Option<usize>], left: &[Vec<usize>]) -> Option<Vec<usize>> {
        let Some(factor) = given.iter().position(Option::is_none) else {
            return Some(given.iter().flatten().copied().collect());
        };
        left[factor].iter().filter(|value| self.fits(given, factor, **value)).find_map(|value| {
            let mut more = given.to_vec();
            more[factor] = Some(*value);
            self.complete_of(&more, left)
        })
    }

    /// All pairs that some case can have.
    pub(crate) fn pairs(&self) -> BTreeSet<Pair> {
        let none = vec![None; self.factors.len()];
        let mut pairs = BTreeSet::new();
        for (a, first) in self.factors.iter().enumerate() {
            for v in 0..first.values.len() {
                let mut given = none.clone();
                given[a] = Some(v);
                for (b, second) in self.factors.iter().enumerate().skip(a + 1) {
                    for w in 0..second.values.len() {
                        let mut given = given.clone();
                        given[b] = Some(w);
                        if !self.is_apart([a, b], [v, w]) && self.complete(&given).is_some() {
                            pairs.insert(Pair::Values { factors: [a, b], values: [v, w] });
                        }
                    }
                }
                for step in 0..self.steps.len() {
                    if self.with_step(&given, &[step]).is_some() {
                        pairs.insert(Pair::During { factor: a, value: v, step });
                    }
                }
            }
        }
        for first in 0..self.steps.len() {
            for second in 0..self.steps.len() {
                if first != second && self.with_step(&none, &[first, second]).is_some() {
                    pairs.insert(Pair::Then { first, second });
                }
            }
        }
        pairs
    }

    /// The pairs of a case.
    pub(crate) fn of(case: &Case) -> BTreeSet<Pair> {
        let mut pairs = BTreeSet::new();
        for (a, v) in case.values.iter().enumerate() {
            for (b, w) in case.values.iter().enumerate().skip(a + 1) {
                pairs.insert(Pair::Values { factors: [a, b], values: [*v, *w] });
            }
            pairs.extend(case.steps.iter().map(|step| Pair::During { factor: a, value: *v, step: *step }));
        }
        for (at, first) in case.steps.iter().enumerate() {
            let later = case.steps[at + 1..].iter().filter(|second| *second != first);
            pairs.extend(later.map(|second| Pair::Then { first: *first, second: *second }));
        }
        pairs
    }

    /// Whether a case keeps to the rules.
    pub(crate) fn allows(&self, case: &Case) -> bool {
        let values: Vec<Option<usize>> = case.values.iter().copied().map(Some).collect();
        case.values.iter().enumerate().all(|(factor, value)| self.fits(&values, factor, *value))
            && case.steps.iter().all(|step| self.is_possible(&case.values, *step))
    }

    /// The cases for a seed.
    pub(crate) fn cases(&self, seed: u64) -> Vec<Case> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut open: HashSet<Pair> = self.pairs().into_iter().collect();
        let mut cases = Vec::new();
        while !open.is_empty() {
            // The order of a set of hashes is another one each time.
            let mut sorted: Vec<Pair> = open.iter().copied().collect();
            sorted.sort_unstable();
            let best = (0..CANDIDATES)
                .filter_map(|_| self.candidate(&open, &sorted, &mut random))
                .map(|case| (Self::of(&case).iter().filter(|pair| open.contains(pair)).count(), case))
                .reduce(|best, next| if next.0 > best.0 { next } else { best });
            let (gain, case) = best.unwrap_or_else(|| panic!("no case for {} pairs", open.len()));
            assert!(gain > 0, "no case has one of {open:?}");
            for pair in Self::of(&case) {
                open.remove(&pair);
            }
            cases.push(case);
        }
        Self::trim(&mut cases);
        cases
    }

    /// Takes the steps out again whose pairs are in other cases too: the first ones were chosen before those were known.
    fn trim(cases: &mut [Case]) {
        let mut times: HashMap<Pair, usize> = HashMap::new();
        for pair in cases.iter().flat_map(Self::of) {
            *times.entry(pair).or_default() += 1;
        }
        // Not all of one case: the longest one, each time.
        while let Some((case, shorter)) = Self::without_one(cases, &times) {
            let (before, after) = (Self::of(&cases[case]), Self::of(&shorter));
            for pair in before.difference(&after) {
                times.entry(*pair).and_modify(|n| *n -= 1);
            }
            cases[case] = shorter;
        }
    }

    /// The longest case that can do without a step, and what is left of it.
    fn without_one(cases: &[Case], times: &HashMap<Pair, usize>) -> Option<(usize, Case)> {
        let mut order: Vec<usize> = (0..cases.len()).collect();
        order.sort_by_key(|case| std::cmp::Reverse(cases[*case].steps.len()));
        order.into_iter().find_map(|at| {
            let (case, before) = (&cases[at], Self::of(&cases[at]));
            (0..case.steps.len()).find_map(|step| {
                let mut shorter = case.clone();
                shorter.steps.remove(step);
                let after = Self::of(&shorter);
                before.difference(&after).all(|pair| times[pair] > 1).then_some((at, shorter))
            })
        })
    }

    /// A case that has at least one of the open pairs.
    fn candidate(&self, open: &HashSet<Pair>, sorted: &[Pair], random: &mut fastrand::Rng) -> Option<Case> {
        let mut given = vec![None; self.factors.len()];
        let mut steps = Vec::new();
        match sorted[random.usize(..sorted.len())] {
            Pair::Values { factors: [a, b], values: [v, w] } => {
                given[a] = Some(v);
                given[b] = Some(w);
            }
            Pair::During { factor, value, step } => {
                given[factor] = Some(value);
                steps.push(step);
            }
            Pair::Then { first, second } => steps.extend([first, second]),
        }
        let left = self.with_step(&given, &steps)?;
        // The factors in any order; of each the value with the most open pairs.
        let mut order: Vec<usize> = (0..self.factors.len()).filter(|f| given[*f].is_none()).collect();
        random.shuffle(&mut order);
        for factor in order {
            let gain = |value: usize, given: &[Option<usize>]| {
                let others = given.iter().enumerate().filter_map(|(f, v)| Some((f, (*v)?)));
                let pairs = others.filter(|(other, v)| {
                    let pair = if *other < factor {
                        Pair::Values { factors: [*other, factor], values: [*v, value] }
                    } else {
                        Pair::Values { factors: [factor, *other], values: [value, *v] }
                    };
                    open.contains(&pair)
                });
                let steps =
                    (0..self.steps.len()).filter(|s| open.contains(&Pair::During { factor, value, step: *s })).count();
                10 * pairs.count() + steps
            };
            let value = left[factor]
                .iter()
                .copied()
                .filter(|value| {
                    let mut more = given.clone();
                    more[factor] = Some(*value);
                    self.fits(&given, factor, *value) && self.complete_of(&more, &left).is_some()
                })
                .map(|value| (gain(value, &given), random.u32(..), value))
                .max()?
                .2;
            given[factor] = Some(value);
        }
        let values: Vec<usize> = given.into_iter().flatten().collect();
        let possible: Vec<usize> = (0..self.steps.len()).filter(|step| self.is_possible(&values, *step)).collect();
        while steps.len() < self.length {
            // Where the next one adds the most: anywhere in the sequence.
            let gain = |step: usize, at: usize| {
                if steps.contains(&step) {
                    return 0;
                }
                let during = values.iter().enumerate().map(|(factor, v)| Pair::During { factor, value: *v, step });
                let before = steps[..at].iter().map(|first| Pair::Then { first: *first, second: step });
                let after = steps[at..].iter().map(|second| Pair::Then { first: step, second: *second });
                during.chain(before).chain(after).filter(|pair| open.contains(pair)).count()
            };
            let everywhere = possible.iter().flat_map(|step| (0..=steps.len()).map(move |at| (*step, at)));
            let best = everywhere.map(|(step, at)| (gain(step, at), random.u32(..), step, at)).max();
            let Some((_, _, step, at)) = best.filter(|best| best.0 > 0) else { break };
            steps.insert(at, step);
        }
        Some(Case { values, steps })
    }

    /// The value of a factor in a case.
    pub(crate) fn value(&self, case: &Case, factor: &str) -> &'static str {
        let at = self.factors.iter().position(|f| f.name == factor);
        at.map_or("", |at| self.factors[at].values[case.values[at]])
    }

    /// A case in words.
    pub(crate) fn told<'a>(&'a self, case: &'a Case) -> impl fmt::Display + 'a {
        struct Told<'a>(&'a Design, &'a Case);
        impl fmt::Display for Told<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self(design, case) = self;
                for (factor, value) in design.factors.iter().zip(&case.values) {
                    write!(f, "{} {}, ", factor.name, factor.values[*value])?;
                }
                let steps: Vec<&str> = case.steps.iter().map(|s| design.steps[*s]).collect();
                write!(f, "and then: {}", steps.join("; "))
            }
        }
        Told(self, case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Design {
        let factor = |name, values: &[&'static str]| Factor { name, values: values.to_vec() };
        Design {
            factors: vec![
                factor("backend", &["broker", "zeromq"]),
                factor("curve", &["off", "on"]),
                factor("tls", &["off", "on"]),
                factor("rotate", &["0", "1s", "1h"]),
                factor("loggers", &["0", "1", "2", "4"]),
            ],
            steps: vec!["deploy", "rotate keys", "stop", "kill", "reboot"],
            apart: vec![[("backend", "broker"), ("curve", "on")], [("backend", "zeromq"), ("tls", "on")]],
            needs: vec![("rotate keys", "curve", &["on"])],
            length: 3,
        }
    }

    #[test]
    fn every_pair_that_can_be_is_in_some_case() {
        let design = design();
        for seed in 0..20 {
            let cases = design.cases(seed);
            assert!(cases.iter().all(|case| design.allows(case)));
            // Counted in another way than the array is made: over all that there is.
            let mut all: Vec<Vec<usize>> = vec![Vec::new()];
            for factor in &design.factors {
                let longer = |v: &Vec<usize>| {
                    let v = v.clone();
                    (0..factor.values.len()).map(move |value| [v.as_slice(), &[value]].concat())
                };
                all = all.iter().flat_map(longer).collect();
            }
            let mut possible = BTreeSet::new();
            for values in all {
                for first in 0..design.steps.len() {
                    for second in 0..design.steps.len() {
                        let case = Case { values: values.clone(), steps: vec![first, second] };
                        if design.allows(&case) {
                            possible.extend(Design::of(&case));
                        }
                    }
                }
            }
            let covered: BTreeSet<Pair> = cases.iter().flat_map(Design::of).collect();
            assert_eq!(covered, possible, "seed {seed}");
        }
    }

    #[test]
    fn a_seed_always_gives_the_same_cases_and_not_many() {
        let design = design();
        assert_eq!(design.cases(7), design.cases(7));
        assert_ne!(design.cases(7), design.cases(8));
        // Four loggers times three rotations have to be.
        assert!((12..=18).contains(&design.cases(7).len()), "{}", design.cases(7).len());
    }
}
