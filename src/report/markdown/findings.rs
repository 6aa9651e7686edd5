//! The sections about hypotheses and forecasts, compared with the outcome.

use super::section::section;
use super::text::{code, measure, table, text};
use crate::report::beliefs::{BeliefHistory, DROPPED, belief_histories};
use crate::report::forecasts::{IntervalResult, ScoredForecast, scored_forecasts};
use crate::report::history::History;
use crate::report::words;

/// All hypotheses, the proven one first.
pub(super) fn hypotheses(history: &History) -> String {
    let mut beliefs = belief_histories(history);
    if beliefs.is_empty() {
        return String::new();
    }
    let root = history.incident.resolution.as_ref().and_then(|resolution| resolution.root_cause.as_deref());
    let proven = |belief: &BeliefHistory| root == Some(belief.hypothesis.id.as_str());
    beliefs.sort_by(|one, two| {
        proven(two).cmp(&proven(one)).then(two.hypothesis.peak.total_cmp(&one.hypothesis.peak))
    });
    let rows: Vec<Vec<String>> = beliefs
        .iter()
        .map(|belief| {
            vec![
                text(&belief.hypothesis.claim),
                format!("{} at {}", words::percent(belief.hypothesis.peak), history.stamp(belief.peak_s)),
                words::percent(belief.hypothesis.p),
                verdict(history, belief, root),
            ]
        })
        .collect();
    let notes = format!(
        "\nDropped: the belief stayed at {} of its highest value or below from then on. Beliefs are taken from the actions.\n",
        words::percent(DROPPED)
    );
    let table = table(&["Hypothesis", "Highest belief", "Last", "What became of it"], &rows);
    section("Hypotheses", &(table + &notes))
}

fn verdict(history: &History, belief: &BeliefHistory, root: Option<&str>) -> String {
    let right = root == Some(belief.hypothesis.id.as_str());
    let diagnosed = belief.confirmed_s.map(|confirmed_s| history.stamp(confirmed_s));
    let mut sentences = vec![match (root, diagnosed) {
        (Some(_), Some(diagnosed)) if right => {
            format!("**The cause.** Confirmed by the diagnosis at {diagnosed}.")
        }
        (Some(_), _) if right => "**The cause.**".to_owned(),
        (Some(_), _) => "Wrong.".to_owned(),
        (None, Some(diagnosed)) => format!("Diagnosed as the cause at {diagnosed}."),
        (None, None) => "Undecided.".to_owned(),
    }];
    let led: Vec<String> = belief
        .led
        .iter()
        .map(|(from, until)| match until {
            Some(until) => format!("from {} to {}", history.stamp(*from), history.stamp(*until)),
            None => format!("from {} on", history.stamp(*from)),
        })
        .collect();
    if !led.is_empty() {
        sentences.push(format!("Believed most {}.", words::list(&led)));
    }
    match belief.dropped_s {
        Some(dropped_s) => sentences.push(format!("Dropped at {}.", history.stamp(dropped_s))),
        None if root.is_some() && !right => sentences.push("Never dropped.".to_owned()),
        None => {}
    }
    sentences.join(" ")
}

/// All forecasts in order.
pub(super) fn forecasts(history: &History) -> String {
    let forecasts = scored_forecasts(history);
    if forecasts.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = forecasts.iter().map(|forecast| forecast_row(history, forecast)).collect();
    let head = ["Made", "Quantity", "p50", "p10 to p90", "Came out", "Off p50 by", "Within p10 to p90"];
    let hits: Vec<bool> = forecasts
        .iter()
        .filter_map(ScoredForecast::interval_result)
        .map(|result| result == IntervalResult::Inside)
        .collect();
    let tally = if hits.len() < 2 {
        String::new()
    } else {
        let inside = hits.iter().filter(|inside| **inside).count();
        format!(
            "\n{inside} of the {} forecasts that can be judged came true within the interval.\n",
            hits.len()
        )
    };
    section("Forecasts against the outcome", &(table(&head, &rows) + &tally))
}

fn forecast_row(history: &History, scored: &ScoredForecast) -> Vec<String> {
    let forecast = scored.forecast;
    let written = |value: f64| written(scored, value);
    let interval = match (forecast.p10, forecast.p90) {
        (Some(p10), Some(p90)) => format!("{} to {}", written(p10), written(p90)),
        (Some(p10), None) => format!("from {}", written(p10)),
        (None, Some(p90)) => format!("to {}", written(p90)),
        (None, None) => "not given".to_owned(),
    };
    let within = match scored.interval_result() {
        Some(IntervalResult::Inside) => "yes".to_owned(),
        Some(IntervalResult::Below) => "**no**, below p10".to_owned(),
        Some(IntervalResult::Above) => "**no**, above p90".to_owned(),
        Some(IntervalResult::NoInterval) => "no interval was given".to_owned(),
        None => match &scored.actual {
            Err(why) => format!("cannot be judged: {why}"),
            Ok(_) => String::new(),
        },
    };
    let actual = scored.actual.as_ref().ok().copied();
    vec![
        history.stamp(scored.event.offset_s),
        code(&forecast.quantity),
        written(forecast.p50),
        interval,
        actual.map_or_else(|| "–".to_owned(), &written),
        actual.map_or_else(|| "–".to_owned(), |value| off(scored, value)),
        within,
    ]
}

/// A value of a forecast. Times until something happens are written as durations, whatever their unit.
fn written(scored: &ScoredForecast, value: f64) -> String {
    match scored.seconds(value) {
        Some(seconds) => words::duration(seconds),
        None => measure(value, &scored.forecast.unit),
    }
}

/// How far the actual value is from p50: `+15 s (+9%)`.
fn off(scored: &ScoredForecast, actual: f64) -> String {
    let error = actual - scored.forecast.p50;
    let sign = if error < 0.0 { "−" } else { "+" };
    let relative = error / scored.forecast.p50;
    let part = if relative.is_finite() {
        format!(" ({sign}{})", words::percent(relative.abs()))
    } else {
        String::new()
    };
    let error = match (scored.seconds(actual), scored.seconds(scored.forecast.p50)) {
        // The difference of the full seconds in the table.
        (Some(actual), Some(p50)) => words::duration(words::whole(actual).abs_diff(words::whole(p50)) as f64),
        _ => measure(error.abs(), &scored.forecast.unit),
    };
    format!("{sign}{error}{part}")
}
