//! Rules about the stream, each the only one to fail on streams that are broken in its way.

use incident::check::MustResolve;
use incident::contract::MessageType;
use serde_json::json;

use super::only;

#[test]
fn envelope() {
    only(
        "envelope",
        [
            ("another version", |stream| stream.frames[9].0["specversion"] = "0.3".into()),
            ("an attribute in capitals", |stream| stream.frames[9].0["traceId"] = "x".into()),
            ("a position with zeros in front", |stream| {
                let id = stream.frames[9].0["id"].as_str().unwrap().to_owned();
                stream.frames[9].0["id"] = format!("00{id}").into();
            }),
            ("not JSON", |stream| stream.frames.insert(9, ("{nonsense".into(), 12.0))),
            ("too large", |stream| stream.frames[9].0["padding"] = "x".repeat(70_000).into()),
            ("no time", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.frames[beat].0.as_object_mut().unwrap().remove("time");
            }),
        ],
    );
}

#[test]
fn schema() {
    only(
        "schema",
        [
            ("a confidence above 1", |stream| {
                let place = stream.step("alert");
                stream.data(place)["confidence"] = json!(1.5);
            }),
            ("a number as text", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.data(beat)["head"] = "1".into();
            }),
            ("a type that nobody knows", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.frames[beat].0["type"] = "weather".into();
            }),
        ],
    );
}

#[test]
fn order() {
    only(
        "order",
        [
            ("two events change places", |stream| {
                let samples = stream.all(MessageType::SystemMetrics);
                stream.frames.swap(samples[4], samples[5]);
                stream.arrivals = false;
            }),
            ("time falls back", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[10];
                stream.frames[place].0["time"] = "2026-11-22T09:59:59.000000Z".into();
            }),
            ("the incident goes back", |stream| {
                let place = stream.step("status");
                let offset = stream.data(place)["offset_s"].as_f64().unwrap();
                stream.data(place)["offset_s"] = json!(offset - 5.0);
                // It arrives as late as it was planned to, so that only the order is wrong.
                stream.data(place)["late_s"] = json!(5.0);
            }),
        ],
    );
}

#[test]
fn gap() {
    only(
        "gap",
        [
            ("an event is left out", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.frames.remove(place);
            }),
            ("positions jump", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.shift_positions(place, 3);
            }),
            ("it begins later than was promised", |stream| {
                stream.shift_positions(0, 3);
                stream.greeting()["follows"]["to"] = 3.into();
                // Or the first heartbeat tells too.
                stream.arrivals = false;
            }),
            ("a replay stops short", |stream| {
                stream.cut(20, 0.0);
                stream.greeting()["follows"]["to"] = 50.into();
                stream.greeting()["head"] = 50.into();
                stream.must_resolve = MustResolve::None;
                stream.arrivals = false;
            }),
            ("an index jumps", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                for (frame, _) in &mut stream.frames[place..] {
                    if let Some(index) = frame["index"].as_u64() {
                        frame["index"] = (index + 1).into();
                    }
                }
            }),
        ],
    );
}

#[test]
fn duplicate() {
    only(
        "duplicate",
        [
            ("an event comes twice", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                let again = stream.frames[place].clone();
                stream.frames.insert(place + 1, again);
            }),
            ("an event is stored twice", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                let again = stream.frames[place].clone();
                stream.frames.insert(place + 1, again);
                stream.shift_positions(place + 1, 1);
            }),
        ],
    );
}

#[test]
fn resume() {
    only(
        "resume",
        [
            ("the first event is lost", |stream| {
                let mut probe = stream.probe(40);
                probe.frames.remove(0);
                stream.probes.push(probe);
            }),
            ("the tail is lost", |stream| {
                let mut probe = stream.probe(40);
                probe.frames.pop();
                stream.probes.push(probe);
            }),
            ("an event changed", |stream| {
                let mut probe = stream.probe(40);
                probe.frames[5] = probe.frames[5].replace("\"synthetic\":true", "\"synthetic\":false");
                stream.probes.push(probe);
            }),
            ("an event that was seen comes again", |stream| {
                let mut probe = stream.probe(40);
                probe.after = 41;
                stream.probes.push(probe);
            }),
        ],
    );
}

#[test]
fn pacing() {
    only(
        "pacing",
        [
            ("one event is late", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.frames[place].1 += 0.6;
            }),
            ("the clock drifts", |stream| {
                for (_, arrival) in &mut stream.frames {
                    *arrival *= 1.01;
                }
            }),
        ],
    );
}

#[test]
fn silence() {
    only(
        "silence",
        [
            ("an event is late within its tolerance", |stream| {
                stream.expect("max_silence = \"2s\"");
                let place = stream.all(MessageType::SystemMetrics)[50];
                stream.frames[place].1 += 0.2;
            }),
            ("nothing more comes of an open incident", |stream| {
                stream.expect("max_silence = \"10s\"");
                stream.cut(40, 11.0);
                stream.must_resolve = MustResolve::None;
            }),
            ("nothing more comes after a replay", |stream| {
                stream.expect("max_silence = \"10s\"");
                stream.cut(40, 11.0);
                let held = stream.frames.iter().filter(|(frame, _)| frame["subject"].is_string()).count();
                stream.greeting()["follows"]["to"] = held.into();
                stream.must_resolve = MustResolve::None;
            }),
            ("an event is early", |stream| {
                stream.expect("max_silence = \"2s\"");
                let place = stream.all(MessageType::SystemMetrics)[50];
                stream.frames[place].1 -= 0.2;
            }),
        ],
    );
}

#[test]
fn heartbeat() {
    only(
        "heartbeat",
        [
            ("nothing before the incident", |stream| {
                stream.frames.retain(|(frame, arrival)| frame["type"] != "heartbeat" || *arrival > 10.0);
                for (_, arrival) in &mut stream.frames[1..] {
                    *arrival += 5.0;
                }
            }),
            ("nothing after the last event", |stream| {
                let end = stream.frames.len();
                stream.cut(end, 13.0);
            }),
            ("a tail is lost before anything came", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[0];
                stream.data(beat)["head"] = 2.into();
            }),
            ("a tail is lost", |stream| {
                let beat = stream.all(MessageType::Heartbeat)[5];
                let head = stream.data(beat)["head"].as_u64().unwrap();
                stream.data(beat)["head"] = (head + 2).into();
            }),
        ],
    );
}
