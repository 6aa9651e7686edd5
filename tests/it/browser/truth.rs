//! The page says only what is so: histories that are there, how far behind it is, times that were, and what it will cost.

use incident::contract::{Cost, Durations, IncidentResolved, Message, Outcome, SystemMetrics};
use incident::journal::Record;
use serde_json::{Value, json};

use super::driver::Browser;
use super::scrub::outage;
use crate::harness::{Local, action, fixture, metrics, started, story};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_last_result_opened_after_a_reload_has_its_rows_curves_and_dots() {
    let server = Local::start().await;
    server.append(outage(180, 180)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.click("#quiet .last button").await;
    page.until("its rows", "document.querySelectorAll('#feed .row').length > 15").await;
    page.until("its curves", "document.querySelectorAll('.chart .line').length >= 4").await;
    page.until("its dots", "document.querySelectorAll('.dots > svg').length > 8").await;
    assert_eq!(page.value("document.querySelector('#feed .row').dataset.index").await, "1");
}

/// The stream begins with the oldest open incident, in the middle of another one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_incident_that_the_stream_tells_from_the_middle_is_loaded_from_its_start() {
    let server = Local::start().await;
    let whole = story("whole", 40);
    let (first, rest) = whole.split_at(20);
    server.append(first.to_vec()).await;
    server.append(vec![started("open")]).await;
    server.append(rest.to_vec()).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.click("#tabs [data-tab='whole']").await;
    page.until("its title", "document.querySelector('h2.title').innerText === 'whole is down'").await;
    page.until("its first event", "document.querySelector('#feed .row')?.dataset.index === '1'").await;
}

/// A model and a status line without a server; the clock of the server stands 47 minutes after the newest event.
const BEHIND: &str = r"
    const { Model } = await import('/model.js');
    const stream = {
      connection: { state: 'live', url: 'ws://x/', paused: null, unreadable: 0, unknown: 0, position: { stream: 's', last: 12000 } },
      caughtUp: false, progress: { done: 12000, total: 119506 }, heartbeat: 5000, vouched: 5000,
    };
    window.fetch = async () => new Response('{}', { status: 404 });
    const model = new Model(stream, () => {});
    const start = Date.parse(args[0].time);
    model.opened({ server_time: new Date(start + 47 * 60_000).toISOString() }, false);
    model.take(args[0], 1, false);
    const status = document.createElement('connection-status');
    document.body.append(status);
    const shown = () => {
      const view = model.view();
      status.update(view);
      const bar = status.querySelector('progress');
      return [status.querySelector('.pill').innerText, status.querySelector('#behind').checkVisibility()
        ? status.querySelector('#behind').innerText : '', bar.checkVisibility() ? [bar.value, bar.max] : null,
        Math.round(view.moment.offset_s)];
    };
    const told = [shown()];
    // All is there: then the clock runs again.
    stream.caughtUp = true;
    stream.progress = { done: 119506, total: 119506 };
    told.push(shown());
    // No message vouches for the time any more.
    stream.vouched = -60_000;
    told.push(shown());
    stream.vouched = 5000;
    // A live event that is late, and a heartbeat after it.
    model.take({ ...args[1], id: '2', index: 2, time: new Date(start + 46 * 60_000).toISOString() }, 2, true);
    told.push(shown());
    model.heard(new Date(start + 47 * 60_000).toISOString());
    told.push(shown());
    return told;
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_that_is_behind_says_how_far_and_its_clocks_wait() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let mut events: Vec<Value> =
        recording.lines().take(2).map(|line| serde_json::from_str(line).unwrap()).collect();
    // Open for hours, so that its clock could run on.
    events[0]["data"]["phases"] = json!([]);
    events[0]["data"]["speed"] = json!(1.0);
    let told = page.run(BEHIND, vec![events[0].clone(), events[1].clone()]).await;
    let told = told.as_array().unwrap();
    assert_eq!(told[0][0], "Catching up");
    assert_eq!(told[0][1].as_str().unwrap().trim(), "12,000 of 119,506 · 47 min behind");
    assert_eq!(told[0][2], json!([12_000, 119_506]));
    assert_eq!(told[0][3], 5, "a heartbeat after what was received, not 47 minutes");
    assert_eq!((&told[1][0], &told[1][1], &told[1][3]), (&json!("Live"), &json!(""), &json!(47 * 60)));
    assert_eq!(told[2][3], 46 * 60, "a heartbeat after the last message");
    assert_eq!((&told[3][0], &told[3][1]), (&json!("Catching up"), &json!("1 min behind")));
    assert_eq!((&told[4][0], &told[4][1]), (&json!("Live"), &json!("")));
}

/// What the status says after live events that come ten seconds late, and after each round of a timer that the test fires itself.
const LATE: &str = r"
    const { Model } = await import('/model.js');
    const stream = {
      connection: { state: 'live', url: 'ws://x/', paused: null, unreadable: 0, unknown: 0, position: { stream: 's', last: 1 } },
      caughtUp: true, progress: { done: 1, total: 1 }, heartbeat: 5000, vouched: 5000,
    };
    window.fetch = async () => new Response('{}', { status: 404 });
    let drawings = 0;
    const model = new Model(stream, () => (drawings += 1));
    const start = Date.parse(args[0].time);
    model.opened({ server_time: new Date(start + 10_000).toISOString() }, false);
    const take = (index) => {
      const event = { ...args[Math.min(index, 2) - 1], id: String(index), index, time: args[0].time };
      model.heard(event.time, event.subject, true);
      model.take(event, index, true);
    };
    const timers = [];
    window.setTimeout = (run) => timers.push(run);
    const behind = () => [model.view().behind !== null, timers.length];
    const round = () => timers.splice(0).forEach((run) => run());
    const told = [];
    take(1);
    take(2);
    told.push(behind());
    round();
    told.push(behind());
    // More was on its way.
    take(3);
    round();
    told.push(behind());
    drawings = 0;
    round();
    told.push([...behind(), drawings]);
    // A heartbeat ends it at once.
    take(4);
    model.heard(new Date(start + 10_000).toISOString());
    told.push(behind());
    round();
    told.push(behind());
    return told;
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_page_that_has_every_event_does_not_wait_for_a_heartbeat_to_say_so() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let events = recording.lines().take(2).map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = page.run(LATE, events).await;
    let told = told.as_array().unwrap();
    assert_eq!(told[0], json!([true, 1]), "events that come late are behind");
    assert_eq!(told[1], json!([true, 1]), "one round may be that of a busy page");
    assert_eq!(told[2], json!([true, 1]), "more came");
    assert_eq!(told[3], json!([false, 0, 1]), "nothing comes any more, and that is drawn");
    assert_eq!(told[4], json!([false, 1]), "a heartbeat says that nothing is missing");
    assert_eq!(told[5], json!([false, 0]), "no timer stays");
}

fn ended(outcome: Outcome, resolve_s: f64) -> Record {
    let Message::IncidentResolved(resolved) = resolution() else { unreachable!() };
    let durations = Durations { resolve_s, ..Durations::default() };
    let resolved = IncidentResolved { outcome, durations, offset_s: Some(resolve_s), ..resolved };
    Record::at("it", 3, &Message::IncidentResolved(resolved))
}

fn resolution() -> Message {
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    crate::harness::envelope(recording.lines().last().unwrap()).message().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_ended_incident_says_how_long_it_took_and_nothing_of_time_to_spare_that_was_not_used() {
    for (outcome, took, name, digits, verdict) in [
        (Outcome::Resolved, 45.0, "Took", "00:45", "Met, 15 s to spare"),
        (Outcome::Resolved, 60.0, "Took", "01:00", "Met"),
        (Outcome::Resolved, 72.0, "Took", "01:12", "Missed by 12 s"),
        (Outcome::Cancelled, 7.0, "Cancelled after", "00:07", "Not reached: cancelled"),
        (Outcome::Cancelled, 72.0, "Cancelled after", "01:12", "Not reached: cancelled"),
    ] {
        let server = Local::start().await;
        server.append(vec![started("it"), metrics("it", 2)]).await;
        let page = Browser::open(&format!("http://{}/", server.address)).await;
        page.until("the incident", "document.querySelector('#scrub-state')?.innerText === 'LIVE'").await;
        server.append(vec![ended(outcome, took)]).await;
        page.until("its end", "document.querySelector('#headline').dataset.state !== 'open'").await;
        let text = async |selector: &str| page.text(selector).await.trim().to_owned();
        assert_eq!(text(".vital.end .label").await, name, "{outcome:?} after {took}");
        assert_eq!(text(".vital.end .value").await, digits, "{outcome:?} after {took}");
        assert_eq!(text("#countdown").await, "01:00", "the target, which no longer runs");
        assert_eq!(text(".vital.timer .first").await, verdict, "{outcome:?} after {took}");
        let breached = page.value("'breached' in document.querySelector('#headline').dataset").await;
        assert_eq!(breached, outcome == Outcome::Resolved && took > 60.0, "{outcome:?} after {took}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_divider_stands_where_its_phase_began_and_not_at_its_first_row() {
    let server = Local::start().await;
    server.append(outage(120, 120)).await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the rows", "document.querySelectorAll('#feed .divider').length === 4").await;
    let dividers = "[...document.querySelectorAll('#feed .divider .digits')].map((one) => one.innerText)";
    assert_eq!(page.value(dividers).await, json!(["T+00:00", "T+00:25", "T+01:10", "T+01:30"]));

    // Without a plan: the first event of the phase, which may be one without a row.
    let server = Local::start().await;
    let Message::IncidentStarted(mut start) = message(&started("it")) else { unreachable!() };
    start.phases.clear();
    let mut sample = message(&metrics("it", 2));
    if let Message::SystemMetrics(sample) = &mut sample {
        (sample.phase, sample.offset_s) = (Some("diagnose".to_owned()), Some(40.0));
    }
    let mut late = message(&action("it", 3, "looked"));
    if let Message::AgentAction(late) = &mut late {
        (late.phase, late.offset_s) = (Some("diagnose".to_owned()), Some(55.0));
    }
    let messages = [Message::IncidentStarted(start), sample, late];
    let records = messages.iter().zip(1..).map(|(message, index)| Record::at("it", index, message));
    server.append(records.collect()).await;
    page.goto(&format!("http://{}/", server.address)).await;
    page.until("the phase", "document.querySelector('#feed .divider[data-phase=diagnose]')").await;
    assert_eq!(page.text("#feed .divider[data-phase=diagnose] .digits").await, "T+00:40");
}

fn message(record: &Record) -> Message {
    Message::parse(record.kind.as_str(), &record.data).unwrap()
}

/// The projection after each event of `args[0]`.
const PROJECTED: &str = r"
    const { newBoard, fold } = await import('/fold.js');
    const { projectionOf } = await import('/projection.js');
    const board = newBoard();
    return args[0].map((event) => {
      fold(board, event);
      const [state] = board.incidents;
      return [state.offset_s, state.state, projectionOf(state, state.offset_s)];
    });
";

/// At a flat rate it would have been $39,000.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn what_it_will_cost_is_projected_with_the_phases_to_come_and_as_a_range() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let events: Vec<Value> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = page.run(PROJECTED, vec![Value::Array(events)]).await;
    let mut seen = 0;
    for one in told.as_array().unwrap() {
        let (second, projection) = (one[0].as_f64().unwrap(), &one[2]);
        if one[1] != "open" {
            assert_eq!(*projection, json!(null), "nothing is projected after the end");
            continue;
        }
        let Some(cost) = projection["cost"].as_object() else { continue };
        seen += 1;
        let [low, middle, high] = ["low", "middle", "high"].map(|name| cost[name].as_f64().unwrap());
        assert!(low <= middle && middle <= high, "{one}");
        assert!(low <= 30_334.0 && 30_333.0 <= high, "what it became is within the range at {second}: {one}");
        assert!((middle - 30_333.0).abs() < 2_700.0, "at {second}: {one}");
        let [early, end, late] =
            ["low", "middle", "high"].map(|name| projection["end_s"][name].as_f64().unwrap());
        assert!(second <= early && early <= end && end <= late, "{one}");
        if second > 75.0 && second < 160.0 {
            assert_eq!((end, late, &projection["by"]), (165.0, 420.0, &json!("forecast")), "{one}");
        }
    }
    assert!(seen > 90, "{seen} projections");
}

/// In a currency of no worth, or by a publisher's mistake.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_amount_that_has_no_name_is_short_wherever_it_stands() {
    let server = Local::start().await;
    for (subject, total) in [("a", 1e300), ("b", 12_345_678.0)] {
        let costs = Message::SystemMetrics(SystemMetrics {
            origin: None,
            observed_at: None,
            offset_s: Some(1.0),
            synthetic: true,
            phase: None,
            metrics: std::collections::BTreeMap::new(),
            users_affected: None,
            cost: Some(Cost { currency: "USD".to_owned(), total, per_minute: 0.0 }),
        });
        server.append(vec![started(subject), Record::at(subject, 2, &costs)]).await;
    }
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    for (subject, text) in [("a", "$1.0e+300"), ("b", "$12.35M")] {
        let shown =
            format!("document.querySelector('#tabs [data-tab={subject}] .muted')?.innerText === '{text}'");
        page.until("what it costs, in its tab", &shown).await;
    }
    let written = "
        const { cash, cashShort, compact } = await import('/format.js');
        return [cash(1e300, 'USD'), cash(-1e15, 'USD'), cash(999999999999999, 'USD'), cashShort(1e300, 'USD'), compact(1e300)];
    ";
    let wanted = ["$1.0e+300", "$-1.0e+15", "$999,999,999,999,999", "$1.0e+300", "1.0e+300"];
    assert_eq!(page.run(written, vec![]).await, json!(wanted));
}
