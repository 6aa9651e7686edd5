//! The wire contract: one fixture a message type, round-tripped and held to the schema; and positions.

use incident::contract::{
    Envelope, IncidentEvent, MessageType, Position, PositionError, Source, StreamId, schema,
};
use incident::json_schema::Schema;
use serde_json::{Value, json};

use crate::harness::{encode, fixtures};

fn validator() -> Schema {
    Schema::compile(&schema::document()).unwrap()
}

/// Every message type with its fixture.
fn messages() -> Vec<(MessageType, String)> {
    let named = fixtures("messages").into_iter();
    let messages: Vec<_> = named
        .map(|(name, text)| {
            let kind = name.split('.').next().unwrap();
            (MessageType::from_name(kind).expect("a type's name"), text)
        })
        .collect();
    for kind in MessageType::ALL {
        let (name, real) = (kind.as_str(), messages.iter().filter(|(other, _)| other == kind).count());
        assert_eq!(real, if kind.is_control() { 1 } else { 2 }, "a drill's {name} and a real incident's");
    }
    messages
}

#[test]
fn every_message_type_survives_the_round_trip() {
    for (kind, text) in messages() {
        let envelope: Envelope = serde_json::from_str(&text).unwrap();
        let message = envelope.message().unwrap_or_else(|error| panic!("{}: {error}", kind.as_str()));
        assert_eq!(message.kind(), kind);
        let source: Source = envelope.source.parse().unwrap();
        let id = envelope.id.parse().unwrap();
        let of = envelope.subject.as_deref().zip(envelope.index);
        let of = of.map(|(subject, index)| IncidentEvent { subject, index });
        let again = encode(&source, id, of, envelope.time, &message);
        let (again, written): (Value, Value) =
            (serde_json::from_str(&again).unwrap(), serde_json::from_str(&text).unwrap());
        assert_eq!(again, written, "{}", kind.as_str());
        assert_eq!(envelope.position().is_none(), kind.is_control(), "control messages are not numbered");
        assert_eq!(envelope.index.is_none(), kind.is_control());
        assert_eq!(message.offset_s().is_some(), message.is_synthetic(), "only a drill is planned");
    }
}

#[test]
fn every_message_type_satisfies_the_schema_and_its_own_payload_schema() {
    let validator = validator();
    let envelopes = Schema::compile(&schema::envelope()).unwrap();
    for (kind, text) in messages() {
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(validator.mismatch(&message), None, "{}", kind.as_str());
        assert_eq!(envelopes.mismatch(&message), None, "{}", kind.as_str());
        let payloads = Schema::compile(&schema::payload(kind)).unwrap();
        assert_eq!(payloads.mismatch(&message["data"]), None, "{}", kind.as_str());
    }
}

#[test]
fn a_message_without_one_of_its_required_parts_is_no_message() {
    let validator = validator();
    let mut tried = 0;
    for (kind, text) in messages() {
        let message: Value = serde_json::from_str(&text).unwrap();
        let payload = schema::payload(kind);
        let names = payload["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let data = names.map(|name| format!("/data/{name}"));
        let numbered: &[&str] = if kind.is_control() { &[] } else { &["subject", "index"] };
        let attributes = ["specversion", "id", "source", "type", "time", "data"].iter().chain(numbered);
        let attributes = attributes.map(|name| format!("/{name}"));
        for path in data.chain(attributes) {
            let mut broken = message.clone();
            let (parent, name) = path.rsplit_once('/').unwrap();
            broken.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
            assert!(validator.mismatch(&broken).is_some(), "{} without {path}", kind.as_str());
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} variants were tried");
}

#[test]
fn a_message_with_a_wrong_value_is_no_message() {
    let validator = validator();
    let valid: Vec<(MessageType, Value)> =
        messages().into_iter().map(|(kind, text)| (kind, serde_json::from_str(&text).unwrap())).collect();
    for (kind, path, wrong) in [
        (MessageType::IncidentStarted, "/index", json!(0)),
        (MessageType::IncidentStarted, "/index", json!("1")),
        (MessageType::IncidentStarted, "/index", json!(1_u64 << 31)),
        (MessageType::IncidentStarted, "/data/severity", json!("SEV6")),
        (MessageType::IncidentStarted, "/data/speed", json!(0)),
        (MessageType::IncidentStarted, "/data/target_s", json!(-1)),
        (MessageType::IncidentStarted, "/data/impact_started_at", json!("yesterday")),
        (MessageType::IncidentStarted, "/data/phases/0/play_s", json!("long")),
        (MessageType::IncidentStarted, "/data/services", json!("checkout")),
        (MessageType::AgentAction, "/data/confidence", json!(1.01)),
        (MessageType::AgentAction, "/data/confidence", json!(-0.01)),
        (MessageType::AgentAction, "/data/hypotheses/0/p", json!(2)),
        (MessageType::AgentAction, "/data/status", json!("done")),
        (MessageType::AgentAction, "/data/marks/0", json!("fixed")),
        (MessageType::AgentAction, "/data/caused_by", json!(0)),
        (MessageType::AgentAction, "/data/attempt", json!(0)),
        (MessageType::AgentAction, "/data/offset_s", json!(-1)),
        (MessageType::AgentAction, "/data/evidence/0/ref", json!(7)),
        (MessageType::SystemMetrics, "/data/metrics/error_rate", json!("high")),
        (MessageType::SystemMetrics, "/data/users_affected", json!(-1)),
        (MessageType::SystemMetrics, "/data/users_affected", json!(1.5)),
        (MessageType::SystemMetrics, "/data/cost/currency", json!("usd")),
        (MessageType::SystemMetrics, "/data/cost/total", json!(-0.01)),
        (MessageType::IncidentResolved, "/data/outcome", json!("gone")),
        (MessageType::IncidentResolved, "/data/durations/resolve_s", json!(-1)),
        (MessageType::IncidentResolved, "/data/actions/total", json!(-1)),
        (MessageType::StreamOpened, "/data/follows/kind", json!("restarted")),
        (MessageType::StreamOpened, "/data/follows/reason", json!("bored")),
        (MessageType::StreamOpened, "/data/heartbeat_ms", json!(0)),
        (MessageType::StreamOpened, "/data/oldest", json!(0)),
        (MessageType::Heartbeat, "/data/state", json!("stopped")),
        (MessageType::Heartbeat, "/data/head", json!(-1)),
        (MessageType::AgentAction, "/specversion", json!("0.3")),
        (MessageType::AgentAction, "/type", json!("agent_actions")),
        (MessageType::AgentAction, "/type", json!("system_metrics")),
        (MessageType::AgentAction, "/id", json!("0")),
        (MessageType::AgentAction, "/id", json!("-1")),
        (MessageType::AgentAction, "/id", json!("017")),
        (MessageType::AgentAction, "/id", json!(17)),
        (MessageType::AgentAction, "/source", json!("/servers/5f3a9c01")),
        (MessageType::AgentAction, "/source", json!("/streams/")),
        (MessageType::AgentAction, "/subject", json!("")),
        (MessageType::AgentAction, "/time", json!("2026-11-22 10:00")),
        (MessageType::AgentAction, "/data", json!("text")),
        (MessageType::Heartbeat, "/source", json!("/streams/01J9ZC3V7Q4M2XKD")),
    ] {
        let mut broken = valid.iter().find(|(known, _)| *known == kind).unwrap().1.clone();
        let place = broken.pointer_mut(path).unwrap_or_else(|| panic!("{path} is not in {}", kind.as_str()));
        *place = wrong;
        assert!(
            validator.mismatch(&broken).is_some(),
            "{} with {path} = {}",
            kind.as_str(),
            broken.pointer(path).unwrap()
        );
    }
}

#[test]
fn what_later_versions_add_is_no_mistake() {
    let validator = validator();
    for (kind, text) in messages() {
        let mut message: Value = serde_json::from_str(&text).unwrap();
        message["traceparent"] = json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        message["data"]["added_later"] = json!({ "x": [1] });
        assert_eq!(validator.mismatch(&message), None, "{}", kind.as_str());
        let envelope: Envelope = serde_json::from_value(message.clone()).unwrap();
        assert!(envelope.message().is_ok(), "{}", kind.as_str());
        // But a CloudEvents attribute is lower-case letters and digits.
        message["traceParent"] = json!("x");
        assert!(validator.mismatch(&message).is_some(), "{}", kind.as_str());
    }
}

#[test]
fn an_event_of_a_stream_names_its_incident() {
    let validator = validator();
    for (kind, text) in messages() {
        let mut message: Value = serde_json::from_str(&text).unwrap();
        message.as_object_mut().unwrap().remove("subject");
        assert_eq!(validator.mismatch(&message).is_none(), kind.is_control(), "{}", kind.as_str());
    }
}

#[test]
fn what_is_no_position_is_refused() {
    use PositionError::{NoStream, Number, Stream};
    let long = format!("{}/1", "x".repeat(65));
    for (text, why) in [
        ("", NoStream),
        ("0", NoStream),
        ("17", NoStream),
        ("S", NoStream),
        ("/17", Stream),
        (" S/17", Stream),
        ("S S/17", Stream),
        ("a/b/1", Stream),
        ("ü/1", Stream),
        (long.as_str(), Stream),
        ("S/", Number),
        ("S/-1", Number),
        ("S/+1", Number),
        ("S/ 1", Number),
        ("S/1 ", Number),
        ("S/1.0", Number),
        ("S/1e3", Number),
        ("S/0x1", Number),
        ("S/one", Number),
        ("S/\u{663}", Number),
        ("S/9007199254740992", Number),
        ("S/18446744073709551615", Number),
        ("S/18446744073709551616", Number),
        ("S/99999999999999999999999999", Number),
    ] {
        assert_eq!(text.parse::<Position>(), Err(why), "{text:?}");
    }
}

#[test]
fn a_position_is_a_stream_and_a_number_that_javascript_holds() {
    let longest = format!("{}/1", "x".repeat(64));
    for (text, n) in [
        ("01J9ZC3V7Q4M2XKD/17", 17),
        ("S/0", 0),
        ("S/007", 7),
        ("a-b_C9/1", 1),
        ("S/9007199254740991", (1 << 53) - 1),
        (longest.as_str(), 1),
    ] {
        let position: Position = text.parse().unwrap();
        assert_eq!(position.n, n, "{text}");
        assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
    }
}

#[test]
fn stream_names_sort_by_their_birth_and_differ_within_a_millisecond() {
    let names: Vec<String> = [1_u64, 31, 32, 1_700_000_000_000, 1_700_000_000_001, (1 << 50) - 1]
        .map(|at| StreamId::generate(at, u64::MAX).to_string())
        .to_vec();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
    assert!(names.iter().all(|name| name.len() == 16 && name.parse::<StreamId>().is_ok()), "{names:?}");
    assert_ne!(StreamId::generate(7, 0), StreamId::generate(7, 1));
}
