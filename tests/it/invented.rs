//! Random scenarios that are sound by construction, written as the TOML that an author would write.

use std::fmt::Write;

use incident::scenario::{Diagnostic, Scenario};
use proptest::collection::vec;
use proptest::prelude::*;

/// A scenario; all moments in milliseconds.
#[derive(Debug, Clone)]
pub struct Invented {
    pub jitter_ms: u64,
    /// Of every metric.
    pub noise: f64,
    metrics_every: u64,
    /// Distance from the phase before, and how long it plays.
    phases: Vec<(u64, Option<u64>)>,
    steps: Vec<InventedStep>,
    /// From the moment that everything is over to the resolution.
    rest: u64,
    /// Belief in each of two causes at some moments: parts of a whole.
    beliefs: Vec<(u64, f64, f64)>,
    /// Cost a minute of each phase, reused in turn.
    rates: Vec<f64>,
    users: u64,
    /// The values of each part of a metric, and of the users, at two moments; without them there are no parts.
    parts: Vec<(f64, f64)>,
    interpolate: &'static str,
    /// Whether it has parameters and a variant, which are called [`WHAT`], [`FIRST`] and [`OTHER`].
    pub settings: bool,
}

/// A parameter in the title.
pub const WHAT: &str = "what";
/// A parameter in the users.
pub const FIRST: &str = "first";
/// A variant that has one step more, at second 0.
pub const OTHER: &str = "other";

#[derive(Debug, Clone)]
struct InventedStep {
    at: u64,
    /// An earlier step to hang on (modulo how many there are), on which outcome, with which delay.
    after: Option<(usize, &'static str, u64)>,
    takes: Option<u64>,
    fails: Option<f64>,
    retry: (u32, u64),
    confidence: Option<f64>,
    hypothesis: bool,
    mark: Option<&'static str>,
    /// The probability of the first of two outcomes.
    draws: Option<f64>,
    /// How often it is repeated beyond how long it takes, how many times, and whether until the first step ends.
    repeat: Option<(u64, Option<u32>, bool)>,
}

impl InventedStep {
    /// What is repeated neither fails nor draws nor marks.
    fn is_repeated(&self) -> bool {
        self.repeat.is_some() && self.fails.is_none() && self.mark.is_none() && self.draws.is_none()
    }
}

pub fn invented() -> impl Strategy<Value = Invented> {
    let phase = (1_u64..60_000, prop::option::of(100_u64..90_000));
    let measures =
        (200_u64..5_000, prop_oneof![Just(0.0), 0.0..0.3], vec(0.0..20_000.0, 1..4), 0_u64..100_000);
    let rest = prop_oneof![1_u64..3, 1_u64..30_000];
    let beliefs = vec((0_u64..120_000, 0.0..1.0, 0.0..1.0), 0..5);
    let interpolate = prop_oneof![Just("linear"), Just("step"), Just("smooth")];
    let curves = (vec((0.0..1e5, 0.0..1e5), 0..4), interpolate, any::<bool>());
    let jitter = prop_oneof![Just(0_u64), 0_u64..3_000];
    (vec(phase, 1..6), vec(step(), 1..12), measures, jitter, rest, beliefs, curves).prop_map(
        |(phases, steps, (metrics_every, noise, rates, users), jitter_ms, rest, beliefs, curves)| {
            let (parts, interpolate, settings) = curves;
            Invented {
                jitter_ms,
                noise,
                metrics_every,
                phases,
                steps,
                rest,
                beliefs,
                rates,
                users,
                parts,
                interpolate,
                settings,
            }
        },
    )
}

fn step() -> impl Strategy<Value = InventedStep> {
    // Moments collide often: neighbours at one moment are where order is lost.
    let at = prop_oneof![0_u64..120_000, (0_u64..12).prop_map(|tens| tens * 10_000)];
    let after = (
        0_usize..12,
        prop_oneof![Just("any"), Just("completed"), Just("failed"), Just("one"), Just("two")],
        0_u64..20_000,
    );
    let mark = prop_oneof![Just("detected"), Just("diagnosed"), Just("mitigated")];
    let repeat = (1_000_u64..60_000, prop::option::of(0_u32..6), any::<bool>());
    (
        (at, prop::option::of(after), prop::option::of(0_u64..10_000)),
        (prop::option::of(0.01..0.99), (0_u32..4, 0_u64..5_000)),
        (prop::option::of(0.0..=1.0), any::<bool>(), prop::option::of(mark)),
        (prop::option::of(0.01..0.99), prop::option::of(repeat)),
    )
        .prop_map(
            |((at, after, takes), (fails, retry), (confidence, hypothesis, mark), (draws, repeat))| {
                InventedStep { at, after, takes, fails, retry, confidence, hypothesis, mark, draws, repeat }
            },
        )
}

impl Invented {
    /// The same with certain steps at exact times: what is left to chance is the noise.
    #[must_use]
    pub fn without_chance_in_steps(mut self) -> Self {
        self.jitter_ms = 0;
        for step in &mut self.steps {
            (step.fails, step.draws) = (None, None);
        }
        self
    }

    /// The file, without the milestones that always come twice or too late.
    pub fn toml(&self) -> String {
        let mut text = self.whole();
        while let Err(error) = Scenario::parse("invented.toml", &text) {
            let is_mark = |mistake: &&Diagnostic| {
                text[mistake.span.start..].starts_with('"') && mistake.message.contains(" mark")
            };
            let Some(mistake) = error.diagnostics.iter().find(is_mark) else { break };
            let (line, _) = error.line_column(mistake.span.start);
            let lines = text.lines().enumerate().filter(|(number, _)| number + 1 != line);
            text = lines.map(|(_, text)| format!("{text}\n")).collect();
        }
        text
    }

    fn whole(&self) -> String {
        let (phases, last_phase) = self.phases_toml();
        let (steps, over) = self.steps_toml();
        let end = over.max(last_phase) + self.rest;
        let mut out = String::new();
        let mut line = |text: String| writeln!(out, "{text}").unwrap();
        line(
            "id = \"invented\"\ntitle = \"Invented {what}\"\nseverity = \"SEV3\"\nservices = [\"a\", \"b\"]"
                .to_owned(),
        );
        line(format!("target = \"{end}ms\"\njitter = \"{}ms\"", self.jitter_ms));
        // At most a few hundred samples, however long it plays.
        line(format!("metrics_every = \"{}ms\"", self.metrics_every.max(self.screen(end) / 200).max(100)));
        line("agents = { x = \"acts\" }".to_owned());
        line(phases);
        line(format!(
            "[metrics]\nm = {{ unit = \"ratio\", noise = {}, interpolate = \"{}\", keys = {{ 0s = 0.2, 30s = 0.9 }} }}",
            self.noise, self.interpolate
        ));
        line(self.users_toml());
        line(format!("[impact.cost]\ncurrency = \"USD\"\nper_minute = {{ {} }}", self.rates_toml()));
        line(self.beliefs_toml());
        line(steps);
        line(format!("[resolution]\nat = \"{end}ms\"\nsummary = \"Over\""));
        if self.settings {
            let users = self.users;
            line(format!("[parameters]\n{WHAT} = \"indeed\"\n{FIRST} = {{ default = {users}, min = 0 }}"));
            line(format!(
                "[variant.{OTHER}.change]\ntitle = \"Another\"\n[[variant.{OTHER}.add.steps]]\nid = \"added\"\n\
                 at = \"0s\"\nagent = \"x\"\naction = \"acts\"\nsummary = \"Added\""
            ));
        }
        out
    }

    /// The users, and a metric with the same parts.
    fn users_toml(&self) -> String {
        let users = self.users;
        let first = if self.settings { format!("\"{{{FIRST}}}\"") } else { users.to_string() };
        if self.parts.is_empty() {
            return format!("[impact]\nusers = {{ 0s = 0, 20s = {first}, 90s = {} }}", users / 2);
        }
        let parts = self.parts.iter().enumerate();
        let parts = parts.map(|(place, (from, to))| format!("r{place} = {{ 0s = {from}, 40s = {to} }}"));
        let parts = parts.collect::<Vec<_>>().join(", ");
        format!(
            "by = {{ unit = \"ms\", noise = {}, by = \"region\", series = {{ {parts} }} }}\n\
             [impact]\nusers_by = {{ by = \"region\", series = {{ first = {{ 0s = {first} }}, {parts} }} }}",
            self.noise
        )
    }

    fn phases_toml(&self) -> (String, u64) {
        let (mut out, mut at) = (String::new(), 0);
        for (place, (length, play)) in self.phases.iter().enumerate() {
            at += if place == 0 { 0 } else { *length };
            let play = play.map_or(String::new(), |play| format!("play = \"{play}ms\"\n"));
            write!(out, "[[phases]]\nname = \"p{place}\"\nat = \"{at}ms\"\n{play}").unwrap();
        }
        (out, at)
    }

    fn screen(&self, end: u64) -> u64 {
        end + self.phases.iter().filter_map(|(_, play)| *play).sum::<u64>()
    }

    fn rates_toml(&self) -> String {
        let rates = self.rates.iter().cycle().enumerate().take(self.phases.len());
        // The last phase is left out: what is not named costs nothing.
        let rates = rates.take(self.phases.len().saturating_sub(1).max(1));
        rates.map(|(place, rate)| format!("p{place} = {rate}")).collect::<Vec<_>>().join(", ")
    }

    fn beliefs_toml(&self) -> String {
        let mut moments = self.beliefs.clone();
        moments.sort_by_key(|(at, ..)| *at);
        moments.dedup_by_key(|(at, ..)| *at);
        if moments.is_empty() {
            return String::new();
        }
        let keys = |p: fn(f64, f64) -> f64| {
            let keys = moments.iter().map(|(at, share, sum)| format!("{at}ms = {}", p(*share, *sum)));
            keys.collect::<Vec<_>>().join(", ")
        };
        let (one, other) = (keys(|share, sum| share * sum), keys(|share, sum| (1.0 - share) * sum));
        format!(
            "[[hypotheses]]\nid = \"one\"\nclaim = \"One\"\nbelief = {{ {one} }}\n\
             [[hypotheses]]\nid = \"other\"\nclaim = \"Other\"\nbelief = {{ {other} }}"
        )
    }

    /// The steps, and a moment at which all of them are over whatever the seed.
    fn steps_toml(&self) -> (String, u64) {
        let (mut out, mut ends) = (String::new(), Vec::new());
        for (place, step) in self.steps.iter().enumerate() {
            write!(
                out,
                "[[steps]]\nid = \"s{place}\"\nagent = \"x\"\naction = \"acts\"\nsummary = \"Step {place}\"\n"
            )
            .unwrap();
            let hangs = step.after.filter(|_| place > 0).map(|(parent, on, delay)| {
                let parent = parent % place;
                // What never fails can't lead on by failing, nor what draws nothing by an outcome.
                let can = match on {
                    "failed" => self.steps[parent].fails.is_some(),
                    "one" | "two" => self.steps[parent].draws.is_some(),
                    _ => true,
                };
                (parent, if can { on } else { "any" }, delay)
            });
            let begins = if let Some((parent, on, delay)) = hangs {
                let edge = format!("{{ step = \"s{parent}\", on = \"{on}\" }}");
                write!(out, "after = {edge}\ndelay = \"{delay}ms\"\n").unwrap();
                ends[parent] + delay
            } else {
                writeln!(out, "at = \"{}ms\"", step.at).unwrap();
                step.at
            };
            let (times, backoff) = step.retry;
            if let Some(fails) = step.fails {
                writeln!(out, "fails = {fails}").unwrap();
                writeln!(out, "retry = {{ times = {times}, backoff = \"{backoff}ms\" }}").unwrap();
            }
            if let Some(takes) = step.takes {
                writeln!(out, "takes = \"{takes}ms\"").unwrap();
            }
            if step.hypothesis && !self.beliefs.is_empty() {
                writeln!(out, "hypothesis = \"one\"").unwrap();
            } else if let Some(confidence) = step.confidence {
                writeln!(out, "confidence = {confidence}").unwrap();
            }
            if let Some(one) = step.draws {
                writeln!(out, "draws = {{ one = {one}, two = {} }}", 1.0 - one).unwrap();
                writeln!(out, "outcome = {{ two = \"Step {place} otherwise\" }}").unwrap();
            }
            if let Some((every, times, until)) = step.repeat.filter(|_| step.is_repeated()) {
                let every = every + step.takes.unwrap_or(0);
                let times = times.map_or(String::new(), |times| format!(", times = {times}"));
                // The first step can be repeated until nothing but the end.
                let until = if until && place > 0 { ", until = \"s0\"" } else { "" };
                writeln!(out, "repeat = {{ every = \"{every}ms\"{times}{until} }}").unwrap();
            }
            if let Some(mark) = step.mark {
                writeln!(out, "marks = \"{mark}\"").unwrap();
            }
            let tries = if step.fails.is_some() { u64::from(times) } else { 0 };
            ends.push(begins + (tries + 1) * step.takes.unwrap_or(0) + tries * backoff);
        }
        (out, ends.into_iter().max().unwrap_or(0))
    }
}
