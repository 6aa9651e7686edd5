//! The section about the simulation, so that the incident can be played again.

use super::opening::second;
use super::section::section;
use super::text::code;
use crate::report::history::History;
use crate::report::words;

/// Scenario, digest, seed, speed, and late events. Nothing for an incident that was not simulated.
pub(super) fn simulation(history: &History) -> String {
    let incident = &history.incident;
    let mut items = Vec::new();
    if let Some(run) = &incident.run {
        items.push(format!("Scenario: {}, file digest {}", code(&run.scenario), code(&run.digest)));
        items.push(format!("Seed: {}", run.seed));
        if !run.settings.is_empty() {
            let settings = run.settings.iter().map(|(key, value)| code(&format!("{key}={value}")));
            items.push(format!("Settings: {}", settings.collect::<Vec<_>>().join(", ")));
        }
    }
    if history.synthetic {
        items.extend(playback(history));
        items.push(format!(
            "Events: {}, the last published at {} UTC",
            words::grouped(history.events as f64),
            second(incident.time)
        ));
        items.push(late(history));
    }
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("- {item}\n")).collect();
    section("How it was simulated", &(items + &again(history)))
}

/// How fast it was played.
fn playback(history: &History) -> Option<String> {
    let incident = &history.incident;
    let phases = &incident.phases;
    let planned = words::duration(phases.last()?.end_s?);
    let screen = words::duration(phases.iter().filter_map(|phase| phase.play_s).sum());
    let speed = words::value(incident.speed);
    Some(match history.is_real_time() {
        true => "Speed: real time".to_owned(),
        false if planned == screen => format!("Speed: {speed} times real time"),
        false => format!("Speed: {speed}; at speed 1 the {planned} of the scenario play in {screen}"),
    })
}

/// How many actions were published late.
fn late(history: &History) -> String {
    let late: Vec<f64> = history.actions.iter().filter_map(|event| event.action.late_s).collect();
    let most = late.iter().copied().fold(0.0, f64::max);
    match late.len() {
        0 => "Late actions: none".to_owned(),
        1 => format!("Late actions: one, published {} after it was due", words::duration(most)),
        many => {
            format!("Late actions: {many}, published up to {} after they were due", words::duration(most))
        }
    }
}

/// The command that plays the incident again, if neither the scenario's name nor a setting needs quoting in a shell.
fn again(history: &History) -> String {
    let Some(run) = &history.incident.run else { return String::new() };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if run.scenario.is_empty() || run.scenario.starts_with('-') || !run.scenario.bytes().all(plain) {
        return String::new();
    }
    let plain_value = |b: u8| plain(b) || matches!(b, b'.' | b':' | b'+');
    if run.settings.iter().any(|(key, value)| !key.bytes().all(plain) || !value.bytes().all(plain_value)) {
        return String::new();
    }
    let settings: String = run.settings.iter().map(|(key, value)| format!(" --set {key}={value}")).collect();
    let what = if settings.is_empty() { "file and seed" } else { "file, seed and settings" };
    format!(
        "\nThe same {what} play the same incident again, except for ids and times:\n\n```\nincident trigger {} \
         --seed {}{settings}\n```\n",
        run.scenario, run.seed
    )
}
