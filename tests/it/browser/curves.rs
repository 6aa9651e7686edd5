//! The past of an incident in bounded memory: curves whose extremes are exact, and the state at any moment.

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{Local, Timeline, library};

/// A curve of `args[0]` samples with one peak and one low, each of a single sample; what is drawn of it after some numbers of
/// samples, and up to the moment before the peak.
const CURVE: &str = r"
    const { Curve } = await import('/curve.js');
    const [count, peak, low] = args;
    const curve = new Curve();
    const told = [];
    for (let at = 0; at < count; at += 1) {
      curve.add(at / 10, at === peak ? 48000 : at === low ? -7 : 18000 + (at % 301));
      if (at % 7919 !== 0 && at !== count - 1) continue;
      const { points, min, max, last } = curve.line();
      const rises = points.every((point, place) => place === 0 || point.offset_s > points[place - 1].offset_s);
      told.push([at, points.length, min.offset_s * 10, max.offset_s * 10, max.value, last.offset_s * 10, points[0].offset_s, rises,
        points.includes(max) && points.includes(min)]);
    }
    const before = curve.line(peak / 10 - 0.01);
    return { told, before: [before.max?.value, before.last?.offset_s * 10 < peak], after: curve.line(peak / 10).max.value };
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_peak_of_one_sample_is_never_lost_however_long_the_incident_is() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    for (count, peak, low) in [(100_000, 40_001, 77_777), (100_000, 99_999, 1), (1_300, 2, 3), (5, 0, 4)] {
        let drawn = page.run(CURVE, vec![json!(count), json!(peak), json!(low)]).await;
        let told = drawn["told"].as_array().unwrap();
        for one in told {
            let number = |place: usize| one[place].as_f64().unwrap().round() as i64;
            let (at, points) = (number(0), number(1));
            assert!(points <= 2_000, "{one}");
            assert_eq!((number(5), number(6)), (at, 0), "the last and the first: {one}");
            if at >= peak {
                assert_eq!((number(3), number(4)), (peak, 48_000), "the peak: {one}");
            } else {
                assert!(number(4) <= 18_300, "no peak is drawn before it came: {one}");
            }
            if at >= low {
                assert_eq!(number(2), low, "the low: {one}");
            }
            assert_eq!((&one[7], &one[8]), (&json!(true), &json!(true)), "in order, and drawn: {one}");
        }
        if peak > 0 {
            assert!(drawn["before"][0].as_f64().unwrap() < 18_301.0, "{}", drawn["before"]);
            assert_eq!(drawn["before"][1], true);
        }
        assert_eq!(drawn["after"], 48_000);
    }
}

/// The states of `args[0]` by a timeline, after each event and at the second of each event; and of a long incident.
const PAST: &str = r"
    const { Timeline } = await import('/timeline.js');
    const { newBoard, fold } = await import('/fold.js');
    const events = args[0];
    const board = newBoard();
    const timeline = new Timeline();
    const states = [];
    for (const event of events) {
      const state = fold(board, event);
      timeline.take(event, state);
      states.push(JSON.stringify(state));
    }
    const wrong = [];
    // Not in order: each moment is reached from any other.
    for (let n = 1; n <= states.length; n += 1) {
      const count = ((n * 37) % states.length) + 1;
      if (JSON.stringify(timeline.stateAfter(count)) !== states[count - 1]) wrong.push(count);
      const at = timeline.countAt(timeline.secondAfter(count));
      if (at < count || timeline.secondAfter(at) !== timeline.secondAfter(count)) wrong.push([count, at]);
    }
    // The newest state is not touched by what is folded again.
    if (JSON.stringify(board.incidents[0]) !== states.at(-1)) wrong.push('newest');
    return { wrong, first: timeline.countAt(-5), beyond: timeline.countAt(1e9) };
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn each_moment_of_each_scenario_is_the_fold_of_what_had_happened() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let library = incident::scenario::Library::shipped().unwrap();
    for scenario in library.iter() {
        let timeline = Timeline::compile(scenario, scenario.file.seed);
        let events = super::story_of(&timeline);
        let length = events.len();
        let past = page.run(PAST, vec![Value::Array(events)]).await;
        assert_eq!(past["wrong"], json!([]), "{}", scenario.id());
        assert_eq!((&past["first"], &past["beyond"]), (&json!(1), &json!(length)), "{}", scenario.id());
    }
}

/// An incident of 30,000 events.
const LONG: &str = r"
    const { Timeline } = await import('/timeline.js');
    const { newBoard, fold } = await import('/fold.js');
    const board = newBoard();
    const timeline = new Timeline();
    const [start, sample] = args;
    const sums = [];
    for (let index = 1; index <= 30000; index += 1) {
      const event = index === 1 ? start : { ...sample, id: String(index), index, data: { ...sample.data, offset_s: index / 10 } };
      timeline.take(event, fold(board, event));
    }
    const wrong = [];
    let [steps, count] = [0, 30000];
    for (; count > 1 && steps < 40000; steps += 1) {
      const next = timeline.step(count, -1);
      const state = timeline.stateAfter(next);
      // However old, what is shown is what was: the state of exactly that event.
      if (next >= count || state.index !== next) wrong.push([count, next, state.index]);
      count = next;
    }
    for (let second = 1; second < 3000; second += 7.3) {
      const at = timeline.countAt(second);
      if (timeline.secondAfter(at) > second) wrong.push([second, at]);
    }
    return { wrong, steps, count, exact: timeline.countAt(2900.05) };
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_old_moments_of_a_very_long_incident_are_fewer_but_true() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let library = library();
    let timeline = Timeline::compile(library.get("database-outage").unwrap(), 42);
    let events = super::story_of(&timeline);
    let sample = events.iter().find(|event| event["type"] == "system_metrics").unwrap();
    let past = page.run(LONG, vec![events[0].clone(), sample.clone()]).await;
    assert_eq!((&past["wrong"], &past["count"]), (&json!([]), &json!(1)), "{past}");
    let steps = past["steps"].as_u64().unwrap();
    assert!((5_000..8_000).contains(&steps), "the newest events each, the older ones in leaps: {steps}");
    assert_eq!(past["exact"], 29_000);
}
