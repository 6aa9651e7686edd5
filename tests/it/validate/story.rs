//! Rules about what the stream tells, each the only one to fail on streams that are broken in its way.

use incident::check::MustResolve;
use incident::contract::MessageType;
use serde_json::json;

use super::only;

#[test]
fn lifecycle() {
    only(
        "lifecycle",
        [
            ("the end is missing", |stream| {
                let place = stream.resolution();
                stream.frames.truncate(place);
            }),
            ("the start is missing", |stream| {
                let place = stream.all(MessageType::IncidentStarted)[0];
                stream.frames.remove(place);
                // Nobody promised it.
                stream.greeting()["follows"]["from"] = 2.into();
                stream.greeting()["follows"]["to"] = 1.into();
            }),
            ("the one that was triggered goes on", |stream| {
                let place = stream.resolution();
                stream.frames.truncate(place);
                stream.must_resolve = MustResolve::Only("database-outage-x7k2p".to_owned());
            }),
            ("the one that was triggered never begins", |stream| {
                stream.must_resolve = MustResolve::Only("database-outage-aaaaa".to_owned());
            }),
            ("a phase that was not announced", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.data(place)["phase"] = "panic".into();
            }),
            ("a phase comes again", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[60];
                stream.data(place)["phase"] = "detect".into();
            }),
            ("an agent that was not announced", |stream| {
                let place = stream.step("status");
                stream.data(place)["agent"] = "nobody".into();
            }),
            ("an effect before its cause", |stream| {
                let place = stream.step("forecast");
                stream.data(place)["caused_by"] = 100_000.into();
            }),
            ("a step that never ends", |stream| {
                let place = stream.step("status");
                stream.data(place)["status"] = "in_progress".into();
                let end = stream.resolution();
                let total = stream.data(end)["actions"]["total"].as_u64().unwrap();
                stream.data(end)["actions"]["total"] = (total - 1).into();
            }),
            ("something after the end", |stream| {
                let sample = stream.all(MessageType::SystemMetrics).pop().unwrap();
                let (mut more, arrival) = stream.frames[sample].clone();
                let end = stream.frames.last().unwrap().0.clone();
                more["id"] = (end["id"].as_str().unwrap().parse::<u64>().unwrap() + 1).to_string().into();
                more["index"] = (end["index"].as_u64().unwrap() + 1).into();
                stream.frames.push((more, arrival));
            }),
        ],
    );
}

#[test]
fn cost() {
    only(
        "cost",
        [
            ("the total falls", |stream| {
                let place = stream.all(MessageType::SystemMetrics)[20];
                stream.data(place)["cost"]["total"] = json!(1.0);
            }),
            ("it grows faster than its rate", |stream| {
                let last = stream.all(MessageType::SystemMetrics).pop().unwrap();
                let total = stream.data(last)["cost"]["total"].as_f64().unwrap();
                stream.data(last)["cost"]["total"] = json!(total + 500.0);
                let end = stream.resolution();
                stream.data(end)["cost"]["total"] = json!(total + 500.0);
            }),
            ("the final cost is another", |stream| {
                let end = stream.resolution();
                stream.data(end)["cost"]["total"] = json!(99_999.0);
            }),
            ("it leaps between two samples with phases between", |stream| {
                for place in stream.all(MessageType::SystemMetrics) {
                    let offset = stream.data(place)["offset_s"].as_f64().unwrap();
                    if (40.0..170.0).contains(&offset) {
                        stream.data(place).as_object_mut().unwrap().remove("cost");
                    } else if offset >= 170.0 {
                        let total = stream.data(place)["cost"]["total"].as_f64().unwrap();
                        stream.data(place)["cost"]["total"] = json!(total + 50_000.0);
                    }
                }
                let end = stream.resolution();
                let total = stream.data(end)["cost"]["total"].as_f64().unwrap();
                stream.data(end)["cost"]["total"] = json!(total + 50_000.0);
            }),
            ("it stands still while phases pass", |stream| {
                let mut early = None;
                for place in stream.all(MessageType::SystemMetrics) {
                    let offset = stream.data(place)["offset_s"].as_f64().unwrap();
                    if (40.0..170.0).contains(&offset) {
                        stream.data(place).as_object_mut().unwrap().remove("cost");
                    } else if offset >= 170.0 {
                        stream.data(place)["cost"]["total"] = json!(early);
                        stream.data(place)["cost"]["per_minute"] = json!(0.0);
                    } else {
                        early = stream.data(place)["cost"]["total"].as_f64();
                    }
                }
                let end = stream.resolution();
                stream.data(end)["cost"]["total"] = json!(early);
            }),
            ("the currency changes", |stream| {
                let end = stream.resolution();
                stream.data(end)["cost"]["currency"] = "EUR".into();
            }),
        ],
    );
}

#[test]
fn confidence() {
    only(
        "confidence",
        [
            ("beliefs over 1", |stream| {
                let place = stream.step("pool");
                stream.data(place)["hypotheses"][0]["p"] = json!(0.9);
                stream.data(place)["hypotheses"][1]["p"] = json!(0.3);
            }),
            ("a forecast that falls", |stream| {
                let place = stream.step("forecast");
                stream.data(place)["forecast"]["p10"] = json!(500.0);
            }),
            ("another claim", |stream| {
                let place = stream.step("cause");
                stream.data(place)["hypotheses"][0]["claim"] = "Cosmic rays".into();
            }),
        ],
    );
}

#[test]
fn tally() {
    only(
        "tally",
        [
            ("actions miscounted", |stream| {
                let end = stream.resolution();
                stream.data(end)["actions"]["failed"] = 1.into();
            }),
            ("fewer users than were seen", |stream| {
                let end = stream.resolution();
                stream.data(end)["users_peak"] = 1.into();
            }),
            ("a duration that was not", |stream| {
                let end = stream.resolution();
                stream.data(end)["durations"]["detect_s"] = json!(2.0);
            }),
            ("a mark that nobody set", |stream| {
                let place = stream.step("cause");
                stream.data(place).as_object_mut().unwrap().remove("marks");
            }),
        ],
    );
}

#[test]
fn expect() {
    only(
        "expect",
        [
            ("detected late", |stream| stream.expect("detect = { max = \"5s\" }")),
            ("diagnosed early", |stream| stream.expect("diagnose = { min = \"2m\" }")),
            ("mitigated late", |stream| stream.expect("mitigate = { max = \"60s\" }")),
            ("resolved late", |stream| stream.expect("resolve = { max = \"179s\" }")),
            ("too few actions", |stream| stream.expect("actions = { min = 50 }")),
            ("too many failures", |stream| stream.expect("failed = { max = 1 }")),
            ("other phases", |stream| stream.expect("phases = [\"detect\", \"resolve\"]")),
            ("another order", |stream| stream.expect("order = [\"cause\", \"alert\"]")),
            ("a step that never completes", |stream| stream.expect("order = [\"alert\", \"page\"]")),
            ("another cause", |stream| stream.expect("root_cause = \"traffic\"")),
            ("too long a silence by plan", |stream| {
                stream.expect("max_silence = \"1900ms\"");
            }),
        ],
    );
}
