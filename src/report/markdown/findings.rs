//! What was believed and what was predicted, against what came out.

use super::section;
use super::text::{code, measure, table, text};
use crate::report::{Course, DROPPED, History, Judged, Place, courses, judged, words};

/// Every cause that was considered, the proven one first.
pub(super) fn hypotheses(history: &History) -> String {
    let mut courses = courses(history);
    if courses.is_empty() {
        return String::new();
    }
    let root = history.incident.resolution.as_ref().and_then(|resolution| resolution.root_cause.as_deref());
    let proven = |course: &Course| root == Some(course.hypothesis.id.as_str());
    courses.sort_by(|one, two| {
        proven(two).cmp(&proven(one)).then(two.hypothesis.peak.total_cmp(&one.hypothesis.peak))
    });
    let rows: Vec<Vec<String>> = courses
        .iter()
        .map(|course| {
            vec![
                text(&course.hypothesis.claim),
                format!("{} at {}", words::percent(course.hypothesis.peak), history.stamp(course.peak_s)),
                words::percent(course.hypothesis.p),
                verdict(history, course, root),
            ]
        })
        .collect();
    let notes = format!(
        "\nDropped: from then on at {} of its highest belief or less. Beliefs are those that actions told.\n",
        words::percent(DROPPED)
    );
    let table = table(&["Hypothesis", "Highest belief", "Last", "What became of it"], &rows);
    section("Hypotheses", &(table + &notes))
}

fn verdict(history: &History, course: &Course, root: Option<&str>) -> String {
    let right = root == Some(course.hypothesis.id.as_str());
    let diagnosed = course.confirmed_s.map(|confirmed_s| history.stamp(confirmed_s));
    let mut told = vec![match (root, diagnosed) {
        (Some(_), Some(diagnosed)) if right => {
            format!("**The cause.** Confirmed by the diagnosis at {diagnosed}.")
        }
        (Some(_), _) if right => "**The cause.**".to_owned(),
        (Some(_), _) => "Wrong.".to_owned(),
        (None, Some(diagnosed)) => format!("Diagnosed as the cause at {diagnosed}."),
        (None, None) => "Undecided.".to_owned(),
    }];
    let led: Vec<String> = course
        .led
        .iter()
        .map(|(from, until)| match until {
            Some(until) => format!("from {} to {}", history.stamp(*from), history.stamp(*until)),
            None => format!("from {} on", history.stamp(*from)),
        })
        .collect();
    if !led.is_empty() {
        told.push(format!("Believed most {}.", words::list(&led)));
    }
    match course.dropped_s {
        Some(dropped_s) => told.push(format!("Dropped at {}.", history.stamp(dropped_s))),
        None if root.is_some() && !right => told.push("Never dropped.".to_owned()),
        None => {}
    }
    told.join(" ")
}

/// Every forecast in order.
pub(super) fn forecasts(history: &History) -> String {
    let judged = judged(history);
    if judged.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = judged.iter().map(|forecast| forecast_row(history, forecast)).collect();
    let head = ["Made", "Quantity", "p50", "p10 to p90", "Came out", "Off p50 by", "Within p10 to p90"];
    let hits: Vec<bool> =
        judged.iter().filter_map(Judged::place).map(|place| place == Place::Inside).collect();
    let tally = if hits.len() < 2 {
        String::new()
    } else {
        let inside = hits.iter().filter(|inside| **inside).count();
        format!("\n{inside} of the {} that can be judged came true within the interval.\n", hits.len())
    };
    section("Forecasts against the outcome", &(table(&head, &rows) + &tally))
}

fn forecast_row(history: &History, judged: &Judged) -> Vec<String> {
    let forecast = judged.forecast;
    let written = |value: f64| written(judged, value);
    let interval = match (forecast.p10, forecast.p90) {
        (Some(p10), Some(p90)) => format!("{} to {}", written(p10), written(p90)),
        (Some(p10), None) => format!("from {}", written(p10)),
        (None, Some(p90)) => format!("to {}", written(p90)),
        (None, None) => "not given".to_owned(),
    };
    let within = match judged.place() {
        Some(Place::Inside) => "yes".to_owned(),
        Some(Place::Below) => "**no**, below p10".to_owned(),
        Some(Place::Above) => "**no**, above p90".to_owned(),
        Some(Place::NoInterval) => "no interval was given".to_owned(),
        None => match &judged.came_out {
            Err(why) => format!("cannot be judged: {why}"),
            Ok(_) => String::new(),
        },
    };
    let came_out = judged.came_out.as_ref().ok().copied();
    vec![
        history.stamp(judged.act.offset_s),
        code(&forecast.quantity),
        written(forecast.p50),
        interval,
        came_out.map_or_else(|| "–".to_owned(), &written),
        came_out.map_or_else(|| "–".to_owned(), |value| off(judged, value)),
        within,
    ]
}

/// A value of a forecast. Times until something are durations, whatever their unit.
fn written(judged: &Judged, value: f64) -> String {
    match judged.seconds(value) {
        Some(seconds) => words::duration(seconds),
        None => measure(value, &judged.forecast.unit),
    }
}

/// `+15 s (+9%)`
fn off(judged: &Judged, came_out: f64) -> String {
    let error = came_out - judged.forecast.p50;
    let sign = if error < 0.0 { "−" } else { "+" };
    let relative = error / judged.forecast.p50;
    let part = if relative.is_finite() {
        format!(" ({sign}{})", words::percent(relative.abs()))
    } else {
        String::new()
    };
    let error = match (judged.seconds(came_out), judged.seconds(judged.forecast.p50)) {
        // Between the full seconds that are shown.
        (Some(came_out), Some(p50)) => {
            words::duration(words::whole(came_out).abs_diff(words::whole(p50)) as f64)
        }
        _ => measure(error.abs(), &judged.forecast.unit),
    };
    format!("{sign}{error}{part}")
}
