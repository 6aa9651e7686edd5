//! What the `[expect]` of a scenario says of an incident: it depends on the settings with which that was started.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::finding::cut;
use super::times::Warnings;
use crate::contract::IncidentStarted;
use crate::scenario::{Expect, Scenario, ScenarioFile, Settings, SettingsError, VARIANT};

/// The `[expect]` of a scenario.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The expectations.
    pub expect: Expect,
    /// The place of the table, for messages: `FILE:LINE`.
    pub origin: String,
    /// The id of the scenario that they belong to.
    pub scenario: String,
    /// Whether they are about drills only, because one was triggered: the server may have real incidents, too.
    pub only_drills: bool,
    /// The scenario, which says what is expected of an incident that was started with settings; `None` if they change nothing.
    pub source: Option<Arc<Scenario>>,
    /// The settings of an incident that does not say its own.
    pub settings: Settings,
}

impl Expected {
    /// The expectations of a scenario with the settings that it has. If it has none as it is, but a variant has some, they are empty;
    /// `None` if there are none at all.
    pub fn of(scenario: &Scenario) -> Option<Self> {
        let expected = Self::in_file(scenario, &scenario.file, &scenario.settings).or_else(|| {
            let mut variants = scenario.file.variant.0.iter();
            let (name, _) = variants
                .find(|(_, variant)| variant.change.0.iter().any(|(key, _)| key.get_ref() == "expect"))?;
            let settings = Settings::variant(name.get_ref());
            let file = scenario.file_with(&settings).ok()?;
            Some(Self { expect: Expect::default(), ..Self::in_file(scenario, &file, &settings)? })
        })?;
        let source = Some(Arc::new(scenario.clone()));
        Some(Self { source, settings: scenario.settings.clone(), ..expected })
    }

    /// The expectations in a scenario's file as it is with settings, and their place.
    fn in_file(scenario: &Scenario, file: &ScenarioFile, settings: &Settings) -> Option<Self> {
        let expect = file.expect.as_ref()?;
        let chosen = settings.get(VARIANT).and_then(|chosen| {
            file.variant.0.iter().find(|(name, _)| name.get_ref() == chosen).map(|(_, variant)| variant)
        });
        let changed =
            chosen.and_then(|variant| variant.change.0.iter().find(|(key, _)| key.get_ref() == "expect"));
        let start = changed.map_or(expect.span(), |(key, _)| key.span()).start;
        let line = scenario.text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        Some(Self {
            expect: expect.get_ref().clone(),
            origin: format!("{}:{line}", scenario.origin),
            scenario: scenario.id().to_owned(),
            only_drills: false,
            source: None,
            settings: Settings::default(),
        })
    }

    /// Whether they apply to an incident that starts like this: it names this scenario, or no scenario and may be a drill of it.
    fn concerns(&self, started: &IncidentStarted) -> bool {
        match &started.run {
            Some(run) => run.scenario == self.scenario,
            None => started.synthetic || !self.only_drills,
        }
    }

    /// What is expected with these settings, if anything is; and why some of them are left out.
    fn with(&self, settings: &Settings) -> (Option<Self>, Option<String>) {
        let Some(source) = &self.source else { return (Some(self.clone()), None) };
        let read = |settings: &Settings| {
            Ok::<_, SettingsError>(Self::in_file(source, &source.file_with(settings)?, settings))
        };
        let error = match read(settings) {
            Ok(expected) => return (expected, None),
            Err(error) => error,
        };
        // What is wrong with one of them says nothing about the others, unless only all of them together are a mistake.
        let (kept, left_out): (Vec<_>, Vec<_>) = settings.iter().partition(|(key, _)| match &error {
            SettingsError::NotOffered(wrong) => wrong.iter().all(|setting| setting.key != *key),
            SettingsError::File(_) => *key == VARIANT,
        });
        let kept: Settings =
            kept.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let left_out: Vec<_> = left_out.into_iter().map(|(key, _)| cut(key)).collect();
        let (expected, left_out) = match read(&kept) {
            Ok(expected) => (expected, left_out.join(", ")),
            Err(_) => (read(&Settings::default()).ok().flatten(), "any".to_owned()),
        };
        (expected, Some(format!("{left_out}: {error}")))
    }
}

/// For how many different settings it is remembered what they expect.
const MOST: usize = 200;

/// What is expected of incidents, by the settings with which they were started.
#[derive(Debug, Default)]
pub(super) struct Expectations {
    known: HashMap<BTreeMap<String, String>, Option<Arc<Expected>>>,
}

impl Expectations {
    /// What is expected of the incident that starts like this, if it is one of the scenario.
    pub(super) fn of(
        &mut self,
        expected: &Expected,
        id: &str,
        started: &IncidentStarted,
        warnings: &mut Warnings,
    ) -> Option<Arc<Expected>> {
        if !expected.concerns(started) {
            return None;
        }
        let own =
            || expected.settings.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let settings = started.run.as_ref().map_or_else(own, |run| run.settings.clone());
        if let Some(known) = self.known.get(&settings) {
            return known.clone();
        }
        let (found, left_out) = expected.with(&settings.clone().into_iter().collect());
        warnings.add(left_out.map(|left_out| {
            let (id, origin) = (cut(id), &expected.origin);
            let file = origin.rsplit_once(':').map_or(origin.as_str(), |(file, _)| file);
            format!("{id} is judged by the [expect] of {file} without its setting {left_out}")
        }));
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let found = found.map(Arc::new);
        self.known.insert(settings, found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
id = "a"
title = "t"
severity = "SEV1"
services = ["s"]
target = "1m"
phases = [{ name = "find", at = "0s" }]
agents = { detection = "Looks" }
steps = [{ id = "alert", at = "5s", agent = "detection", action = "a", summary = "s" }]
resolution = { at = "60s", summary = "s" }
parameters = { most = "61s" }
expect = { resolve = { max = "{most}" } }
"#;

    fn started(run: &serde_json::Value) -> IncidentStarted {
        let mut started = serde_json::json!({
            "synthetic": true, "title": "t", "severity": "SEV1", "services": ["s"],
            "impact_started_at": "2026-11-22T10:00:00Z",
        });
        if !run.is_null() {
            started["run"] =
                serde_json::json!({ "scenario": "a", "digest": "0", "seed": 1, "settings": run });
        }
        serde_json::from_value(started).expect("a start")
    }

    #[test]
    fn settings_that_an_incident_does_not_say_are_those_with_which_it_was_triggered() {
        let scenario = Scenario::parse("a.toml", TEXT).expect("no mistakes");
        let expected = Expected::of(&scenario).expect("it has some");
        let settings = Settings::from_iter([("most".to_owned(), "5s".to_owned())]);
        let triggered = Expected { settings, ..expected.clone() };
        let (mut known, mut warnings) = (Expectations::default(), Warnings::default());
        let mut most = |expected: &Expected, run: serde_json::Value| {
            let found = Expectations::of(&mut known, expected, "a-1", &started(&run), &mut warnings);
            found.and_then(|found| found.expect.resolve?.max).map(crate::scenario::Micros::secs)
        };
        let none = serde_json::Value::Null;
        assert_eq!(most(&expected, none.clone()), Some(61.0));
        assert_eq!(most(&triggered, none), Some(5.0));
        assert_eq!(most(&triggered, serde_json::json!({ "most": "9s" })), Some(9.0));
        // Those that the file does not take are left out, and the others are not.
        let others = serde_json::json!({ "most": "8s", "other": "1" });
        assert_eq!(most(&expected, others), Some(8.0));
        assert_eq!(most(&expected, serde_json::json!({ "most": "banana" })), Some(61.0));
        let warnings = warnings.finish();
        assert!(
            warnings[0].starts_with("a-1 is judged by the [expect] of a.toml without its setting other: ")
        );
        assert!(warnings[1].contains("without its setting most: with these settings"), "{warnings:?}");
    }
}
