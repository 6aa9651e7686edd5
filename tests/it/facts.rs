//! The real incidents of the library: every time and every number in them is a fact of the operator's report, kept in
//! `scenarios/facts/`, or stands in the scenario's list of what was inferred.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use incident::contract::{Message, Status};
use incident::scenario::{Micros, SHIPPED, Scenario};
use jiff::Timestamp;
use serde::Deserialize;
use toml::value::{Datetime, Value};

use crate::harness::{Timeline, root};
use crate::tidy::{files, relative};

/// `scenarios/facts/ID.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactFile {
    /// The operator's report.
    source: String,
    /// What else was read.
    #[serde(default)]
    sources: Vec<String>,
    /// `P`: the operator's text was read, `Q`: quotes of it, `S`: what others wrote.
    read: String,
    t0: Datetime,
    facts: Vec<Fact>,
}

/// One fact. Without `until` it happened exactly `at`; with it, somewhere between; without `at` no time was published.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    at: Option<String>,
    until: Option<String>,
    clock: Option<Datetime>,
    what: String,
    /// What rests on it: `STEP`, `STEP:end`, `phase:NAME`, `resolution`.
    #[serde(default)]
    steps: Vec<String>,
    /// The source says "about".
    #[serde(default)]
    about: bool,
}

impl Fact {
    /// The first and the last millisecond at which it may have happened.
    fn span(&self) -> Option<(i64, i64)> {
        let at = millis(self.at.as_ref()?);
        Some((at, self.until.as_deref().map_or(at, millis)))
    }
}

/// Milliseconds from t0; before it they are negative.
fn millis(text: &str) -> i64 {
    let (sign, duration) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let micros: Micros = duration.parse().unwrap_or_else(|error| panic!("{error}"));
    sign * i64::try_from(micros.0 / 1_000).unwrap()
}

fn timestamp(clock: &Datetime) -> Timestamp {
    clock.to_string().parse().unwrap_or_else(|error| panic!("{clock}: {error}"))
}

/// When what happens in a scenario, in milliseconds, by the names that facts use.
fn moments(scenario: &Scenario) -> BTreeMap<String, i64> {
    let millis = |seconds: f64| (seconds * 1e3).round() as i64;
    let mut moments = BTreeMap::new();
    for event in &Timeline::compile(scenario, scenario.file.seed).events {
        match &event.message {
            Message::IncidentStarted(started) => {
                let phases = started.phases.iter();
                moments.extend(phases.map(|phase| (format!("phase:{}", phase.name), millis(phase.start_s))));
            }
            Message::AgentAction(action) => {
                let (step, at) = (action.step.clone().unwrap(), millis(action.offset_s.unwrap()));
                // A step that takes time is told twice; the last attempt of several is its end.
                if moments.contains_key(&step) && action.status != Status::InProgress {
                    moments.insert(format!("{step}:end"), at);
                } else {
                    moments.entry(step).or_insert(at);
                }
            }
            Message::IncidentResolved(resolved) => {
                moments.insert("resolution".to_owned(), millis(resolved.offset_s.unwrap()));
            }
            _ => {}
        }
    }
    moments
}

/// A real incident of the library.
struct Real {
    id: String,
    table: toml::Table,
    moments: BTreeMap<String, i64>,
    inferred: BTreeSet<String>,
    facts: FactFile,
}

fn real_incidents() -> Vec<Real> {
    let shipped = SHIPPED.iter().map(|(name, text)| (*name, Scenario::parse(name, text).unwrap()));
    let real = shipped.filter_map(|(name, scenario)| {
        let inferred = scenario.file.provenance.as_ref()?.inferred.iter().cloned().collect();
        let path = root().join("scenarios/facts").join(name);
        let facts = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{name} has [provenance], so {}: {error}", path.display()));
        Some(Real {
            id: scenario.id().to_owned(),
            table: scenario.text.parse().unwrap(),
            moments: moments(&scenario),
            inferred,
            facts: toml::from_str(&facts).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        })
    });
    real.collect()
}

/// Where facts and scenario disagree, and what rests on neither a fact nor the list of what was inferred.
fn disagreements(real: &Real) -> Vec<String> {
    let mut found = source(real);
    let (mut exact, mut vague) = (BTreeSet::new(), BTreeSet::new());
    for fact in &real.facts.facts {
        for name in &fact.steps {
            let Some(&moment) = real.moments.get(name) else {
                found.push(format!("{:?} names {name:?}, which the scenario does not play", fact.what));
                continue;
            };
            match fact.span() {
                Some((from, to)) if !(from..=to).contains(&moment) => found.push(format!(
                    "{name} is at {} min, the fact {:?} from {} to {}",
                    moment as f64 / 6e4,
                    fact.what,
                    from as f64 / 6e4,
                    to as f64 / 6e4
                )),
                Some((from, to)) if from == to => _ = exact.insert(name.as_str()),
                _ => _ = vague.insert(name.as_str()),
            }
        }
    }
    for name in real.moments.keys().map(String::as_str) {
        if let Some(wrong) = unfounded(name, &exact, &vague, &real.inferred) {
            found.push(wrong);
        }
    }
    found.extend(
        real.inferred
            .iter()
            .filter(|path| !exists(&real.table, path))
            .map(|path| format!("`inferred` has {path:?}, which is no place in the scenario")),
    );
    found
}

/// The report and its clock: the scenario and the facts name the same, and `at` is the clock's distance from t0.
fn source(real: &Real) -> Vec<String> {
    let mut found = Vec::new();
    let (facts, provenance) = (&real.facts, &real.table["provenance"]);
    if provenance["url"].as_str() != Some(&facts.source) || provenance["t0"].as_datetime() != Some(&facts.t0)
    {
        found.push("provenance.url and t0 are not the facts' source and t0".to_owned());
    }
    if !["P", "Q", "S"].contains(&facts.read.as_str()) {
        found.push(format!("read is {:?}, not P, Q or S", facts.read));
    }
    let sources = facts.sources.iter().chain([&facts.source]);
    found.extend(sources.filter(|url| !url.starts_with("https://")).map(|url| format!("{url:?} is no URL")));
    let t0 = timestamp(&facts.t0);
    for fact in &facts.facts {
        if fact.at.is_none() && (fact.until.is_some() || fact.clock.is_some() || fact.about) {
            found.push(format!("{:?} has a time, but no `at`", fact.what));
        }
        let Some((from, to)) = fact.span() else { continue };
        if to < from {
            found.push(format!("{:?} ends before it begins", fact.what));
        }
        if let Some(clock) = &fact.clock
            && timestamp(clock).as_millisecond() - t0.as_millisecond() != from
        {
            found.push(format!("{:?}: {clock} is not {} after t0", fact.what, fact.at.as_deref().unwrap()));
        }
    }
    found
}

/// What is wrong with the grounds of one name. A time is a fact's or `inferred`, and never both.
fn unfounded(
    name: &str,
    exact: &BTreeSet<&str>,
    vague: &BTreeSet<&str>,
    inferred: &BTreeSet<String>,
) -> Option<String> {
    let says = |path: &str| inferred.contains(path);
    let known = |name: &str| exact.contains(name) || vague.contains(name);
    let (time_inferred, wholly_inferred, happened) = if name == "resolution" {
        (says("resolution"), says("resolution"), known(name))
    } else if let Some(phase) = name.strip_prefix("phase:") {
        (says(&format!("phases.{phase}")), says(&format!("phases.{phase}")), known(name))
    } else if let Some(step) = name.strip_suffix(":end") {
        // That the step was taken is founded, or not, at its beginning.
        let takes = says(&format!("steps.{step}.takes")) || says("steps.takes");
        (takes || says(&format!("steps.{step}")), false, true)
    } else {
        let happened = known(name) || known(&format!("{name}:end"));
        let (whole, at) = (says(&format!("steps.{name}")), says(&format!("steps.{name}.at")));
        (whole || at, whole, happened)
    };
    let contradiction = (exact.contains(name) && time_inferred && !name.ends_with(":end"))
        || (wholly_inferred && known(name));
    if contradiction {
        Some(format!("{name} rests on a fact and is listed as inferred too"))
    } else if !exact.contains(name) && !time_inferred {
        Some(format!("the time of {name} is neither a fact's nor listed as inferred"))
    } else if !happened && !wholly_inferred {
        Some(format!("only the time of {name} is listed as inferred, but no fact says that it happened"))
    } else {
        None
    }
}

/// Whether a path like `steps.cause.takes`, `impact.cost` or `hypotheses.belief` leads somewhere in the scenario.
fn exists(table: &toml::Table, path: &str) -> bool {
    let top = Value::Table(table.clone());
    let mut places = vec![&top];
    for part in path.split('.') {
        places = places.into_iter().flat_map(|place| below(place, part)).collect();
    }
    !places.is_empty()
}

fn below<'a>(place: &'a Value, part: &str) -> Vec<&'a Value> {
    match place {
        // The time of a step after another one is its `after` and `delay`.
        Value::Table(table) if part == "at" => table.get("at").or(table.get("after")).into_iter().collect(),
        Value::Table(table) => table.get(part).into_iter().collect(),
        Value::Array(items) => {
            let named = |item: &&Value| {
                ["id", "name"].iter().any(|key| item.get(key).and_then(Value::as_str) == Some(part))
            };
            let one: Vec<_> = items.iter().filter(named).collect();
            if one.is_empty() { items.iter().filter_map(|item| item.get(part)).collect() } else { one }
        }
        _ => Vec::new(),
    }
}

/// The numbers in a text, as they are written: `5,000`, `9.6`, `24`.
fn numbers(text: &str) -> BTreeSet<String> {
    let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
    let numbers = parts.map(|part| part.trim_matches(['.', ',']).to_owned());
    numbers.filter(|number| !number.is_empty()).collect()
}

/// The keys of what people read in a scenario.
const TOLD: [&str; 7] = ["title", "claim", "summary", "completed", "failed", "text", "followups"];

/// What people read in a scenario.
fn told(value: &Value, key: &str, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if TOLD.contains(&key) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| told(item, key, texts)),
        Value::Table(table) => table.iter().for_each(|(key, value)| told(value, key, texts)),
        _ => {}
    }
}

#[test]
fn every_time_is_a_fact_or_listed_as_inferred() {
    let all = real_incidents();
    assert!(all.len() >= 5, "only {} real incidents were found", all.len());
    let found: Vec<String> = all
        .iter()
        .flat_map(|real| disagreements(real).into_iter().map(|wrong| format!("{}: {wrong}", real.id)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What it is good for is its first line, also in `incident show`.
#[test]
fn a_scenario_begins_with_what_it_teaches() {
    assert!(SHIPPED.len() >= 18);
    for (name, text) in SHIPPED {
        let lesson = text.lines().next().unwrap().strip_prefix("# Teaches: ");
        assert!(lesson.is_some_and(|lesson| lesson.len() > 40 && lesson.ends_with('.')), "{name}");
    }
}

#[test]
fn every_file_of_facts_belongs_to_a_scenario() {
    let with: BTreeSet<String> = real_incidents().into_iter().map(|real| real.id + ".toml").collect();
    let there = files("scenarios/facts", "toml");
    let there: BTreeSet<String> =
        there.iter().map(|path| relative(path, "scenarios/facts").to_owned()).collect();
    assert_eq!(with, there);
}

#[test]
fn every_number_in_a_text_is_in_a_fact() {
    for real in real_incidents() {
        let known: BTreeSet<String> = real.facts.facts.iter().flat_map(|fact| numbers(&fact.what)).collect();
        let mut texts = Vec::new();
        told(&Value::Table(real.table.clone()), "", &mut texts);
        assert!(texts.len() > 20, "{}: only {} texts were found", real.id, texts.len());
        for text in texts {
            let unknown: Vec<_> = numbers(&text).difference(&known).cloned().collect();
            assert!(unknown.is_empty(), "{}: no fact has {unknown:?}, said in {text:?}", real.id);
        }
    }
}

/// The first test sees a wrong minute, wherever it is.
#[test]
fn a_wrong_minute_on_either_side_is_noticed() {
    for mut real in real_incidents() {
        let sound = disagreements(&real).len();
        let exact = |fact: &Fact| fact.span().is_some_and(|(from, to)| from == to);
        let facts: Vec<_> = real.facts.facts.iter().filter(|fact| exact(fact)).cloned().collect();
        for name in facts.iter().flat_map(|fact| &fact.steps) {
            *real.moments.get_mut(name).unwrap() += 60_000;
            assert!(disagreements(&real).len() > sound, "{}: {name} a minute later", real.id);
            *real.moments.get_mut(name).unwrap() -= 60_000;
        }
        for place in 0..real.facts.facts.len() {
            let fact = real.facts.facts[place].clone();
            if !exact(&fact) || (fact.clock.is_none() && fact.steps.is_empty()) {
                continue;
            }
            let later = fact.span().unwrap().0 + 60_000;
            let sign = if later < 0 { "-" } else { "" };
            real.facts.facts[place].at = Some(format!("{sign}{}ms", later.abs()));
            assert!(disagreements(&real).len() > sound, "{}: {:?} a minute later", real.id, fact.what);
            real.facts.facts[place] = fact;
        }
    }
}

/// And that something rests on nothing.
#[test]
fn what_is_left_out_of_the_inferred_is_noticed() {
    for mut real in real_incidents() {
        let sound = disagreements(&real).len();
        // `steps.marks` and the like are about all steps, and not about a time.
        let of_a_time = |path: &&String| match path.split('.').collect::<Vec<_>>()[..] {
            ["steps", step, ..] => real.moments.contains_key(step),
            ["phases", _] => true,
            _ => false,
        };
        let paths: Vec<String> = real.inferred.iter().filter(of_a_time).cloned().collect();
        for path in paths {
            real.inferred.remove(&path);
            assert!(disagreements(&real).len() > sound, "{}: without {path}", real.id);
            real.inferred.insert(path);
        }
        real.inferred.insert("steps.no-such-step".to_owned());
        assert!(disagreements(&real).len() > sound, "{}: a path to nowhere", real.id);
    }
}
