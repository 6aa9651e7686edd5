//! The edges between steps: each leads somewhere, and none lead in a circle.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::Spanned;

use super::names::{Names, step_ids};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::duration::Micros;
use crate::scenario::file::{Edge, On, ScenarioFile, Step};
use crate::scenario::suggest::{did_you_mean, listed, shortened};

/// Steps by id: a file may have thousands, and searching the list for each edge would be slow.
pub(super) struct ById<'a> {
    steps: HashMap<&'a str, &'a Step>,
    pub(super) names: Names<'a>,
}

impl<'a> ById<'a> {
    pub(super) fn new(file: &'a ScenarioFile) -> Self {
        let steps = file.steps.iter().map(|step| (step.id.get_ref().as_str(), step)).collect();
        Self { steps, names: Names::new("step", step_ids(file)) }
    }

    pub(super) fn get(&self, id: &str) -> Option<&'a Step> {
        self.steps.get(id).copied()
    }
}

/// `at`, `after` and `delay` of a step or of the resolution.
pub(super) type Moment<'a> = (Option<&'a Spanned<Micros>>, Option<&'a Edge>, Option<&'a Spanned<Micros>>);

/// A moment is given by either `at` or `after`; the step in `after` exists and can have that outcome. `owner` is the place of
/// what has the moment.
pub(super) fn moment(
    steps: &ById,
    owner: Range<usize>,
    (at, after, delay): Moment,
    found: &mut Vec<Diagnostic>,
) {
    match (at, after) {
        (Some(_), Some(after)) => {
            found.push(Diagnostic::new(after.step.span(), "both `at` and `after`", "keep one of them"));
        }
        (None, None) => found.push(
            Diagnostic::new(owner, "neither `at` nor `after` is given", "this needs one of them")
                .help("give at = \"40s\" or after = \"STEP\""),
        ),
        _ => {}
    }
    if let (Some(delay), None) = (delay, after) {
        found.push(
            Diagnostic::new(delay.span(), "`delay` without `after`", "this has no effect")
                .help("a delay starts at the end of another step: add after = \"STEP\""),
        );
    }
    let Some(after) = after else { return };
    let Some(parent) = steps.get(after.step.get_ref()) else {
        return steps.names.refer(&after.step, found);
    };
    let fails = parent.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
    let impossible = match &after.on {
        On::Failed if fails <= 0.0 => Some("never fails".to_owned()),
        On::Drawn(way) if !parent.ways().any(|known| known == way) => {
            let ways: Vec<&str> = ["completed", "failed", "any"].into_iter().chain(parent.ways()).collect();
            let known = match did_you_mean(way, ways.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => {
                    let is_possible = |way: &&&str| match **way {
                        "completed" => fails < 1.0,
                        "failed" => fails > 0.0,
                        _ => true,
                    };
                    format!(
                        "it has {}",
                        listed(&ways.iter().filter(is_possible).copied().collect::<Vec<_>>())
                    )
                }
            };
            Some(format!("has no outcome {:?}; {known}", shortened(way)))
        }
        On::Completed | On::Drawn(_) if fails >= 1.0 => Some("never completes".to_owned()),
        On::Drawn(way) if parent.chance(way) <= 0.0 => Some(format!("never draws {:?}", shortened(way))),
        _ => None,
    };
    if let Some(impossible) = impossible {
        let mistake = Diagnostic::new(
            after.step.span(),
            format!("step {:?} {impossible}", parent.id.get_ref()),
            "so nothing can follow here",
        );
        let help = match &after.on {
            On::Failed => Some("give that step `fails`, or follow another of its outcomes"),
            On::Completed | On::Drawn(_) if fails >= 1.0 => {
                Some("lower its `fails`, or follow it on \"failed\" or \"any\"")
            }
            _ => None,
        };
        found.push(match help {
            Some(help) => mistake.help(help),
            None => mistake,
        });
    }
}

/// No step may wait for itself. Reports each cycle once, at the edge that closes it.
pub(super) fn cycles(file: &ScenarioFile, steps: &ById, found: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    for start in step_ids(file) {
        // The place of each step on the current path. A step that was seen but is not on it belongs to an earlier path.
        let (mut path, mut places) = (Vec::new(), HashMap::new());
        let mut here = start;
        while seen.insert(here) {
            places.insert(here, path.len());
            path.push(here);
            let Some(after) = steps.get(here).and_then(|step| step.after.as_ref()) else { break };
            here = after.step.get_ref();
            if let Some(first) = places.get(here) {
                found.push(
                    Diagnostic::new(after.step.span(), "steps wait for each other", "closes the cycle")
                        .help(format!("{}: give one of them `at`", around(&path[*first..]))),
                );
            }
        }
    }
}

/// The steps of a cycle, from the first back to it; the middle of a long one is left out.
fn around(steps: &[&str]) -> String {
    let mut names = steps.to_vec();
    names.extend(steps.first());
    if names.len() > 12 {
        names.splice(6..names.len() - 5, ["…"]);
    }
    let names: Vec<String> = names.into_iter().map(shortened).collect();
    names.join(" -> ")
}
