//! The configuration of the two streams: as they are created, and what is refused in what is found.

use async_nats::ServerInfo;
use serde_json::{Value, json};

use super::api::{Api, Fault, NAME_IN_USE, NO_STREAM};
use super::kept::{Kept, Lost};
use super::location::Location;
use super::names::Names;
use super::plans::PART;
use crate::contract::StreamId;

/// The oldest servers that keep what they have acknowledged when their cluster changes.
const OLDEST: (u64, u64, u64) = (2, 12, 6);

/// The largest messages: parts of plans, with their headers and some room.
const LARGEST: usize = PART + 16 * 1024;

/// Where the configuration of the events has the name of the stream as clients know it.
pub(super) const STREAM: &str = "incident.stream";

/// Where it has the position at which the chain began anew, if it did: every event before was gone, and nobody knew the chain
/// of the last one.
pub(super) const ANEW: &str = "incident.anew";

/// Where it has the oldest position that was there when the stream got another name.
const BEGAN: &str = "incident.began";

/// The format of the messages.
pub(super) const FORMAT: &str = "incident.format";

/// The only format so far.
pub(super) const NEWEST: &str = "1";

/// The format of streams while a journal is copied into them: no server starts over them.
pub(super) const UNFINISHED: &str = "copy";

/// What the leader has said of the stream of events.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) stream: StreamId,
    /// The whole configuration, to be changed and sent back.
    pub(super) config: Value,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Where it began when it got its name.
    began: u64,
}

impl Seen {
    /// Reads what `STREAM.INFO` has answered.
    pub(super) fn read(info: &Value) -> Result<Self, String> {
        let metadata = &info["config"]["metadata"];
        let stream = metadata[STREAM].as_str().and_then(|stream| stream.parse().ok());
        let stream = stream.ok_or("its metadata has no incident.stream: it is no stream of incident")?;
        let format = metadata[FORMAT].as_str().unwrap_or_default();
        if format == UNFINISHED {
            return Err(
                "a copy into it was not finished: run the same `incident copy-journal` again".to_owned()
            );
        }
        if format != NEWEST {
            return Err(format!("its format is {format:?}, and this version of incident reads {NEWEST:?}"));
        }
        let number = |name: &str| info["state"][name].as_u64().unwrap_or_default();
        let last = number("last_seq");
        // A stream that never had a message says 0.
        let first = number("first_seq").max(1);
        let position = |name: &str| metadata[name].as_str().and_then(|text| text.parse::<u64>().ok());
        let anew = position(ANEW).map_or(1, |anew| anew.saturating_add(1));
        let began = position(BEGAN).unwrap_or(1).max(anew);
        Ok(Self { stream, config: info["config"].clone(), first, last, began })
    }
}

impl Seen {
    /// Asks the leader.
    pub(super) async fn ask(api: &Api, names: &Names) -> Result<Self, Fault> {
        Self::read(&api.leader_info(&names.events).await?).map_err(Fault::Silent)
    }

    /// The events that are gone though retention has not dropped them, by what is written down of how far it has gone. Retention
    /// writes that down before it drops anything. If nothing is written and events are gone, either something else has dropped
    /// them, or the second stream has lost the note.
    pub(super) fn lost(&self, kept: Option<&Kept>) -> Option<Lost> {
        Lost::before(self.first, Kept::reach(kept, &self.stream, self.first, self.began))
    }

    /// Whether every event is gone, and the chain begins anew at the next one.
    pub(super) fn begins_anew(&self) -> bool {
        let anew = self.config["metadata"][ANEW].as_str();
        self.last == 0 || anew.is_some_and(|anew| anew.parse() == Ok(self.last))
    }
}

/// Opens both streams, or creates them.
///
/// # Errors
/// They are not there and are not to be created, or their configuration could lose or reorder events.
pub(super) async fn open(api: &Api, names: &Names, location: &Location) -> Result<Seen, String> {
    let wanted = events(names, location, &StreamId::fresh());
    let info = open_one(api, &names.events, location, &wanted).await?;
    check(&names.events, &info["config"], &wanted, location)?;
    let seen =
        Seen::read(&info).map_err(|why| format!("the stream {} can't be used: {why}", names.events))?;
    let wanted = control(names, location);
    let info = open_one(api, &names.control, location, &wanted).await?;
    check(&names.control, &info["config"], &wanted, location)?;
    Ok(seen)
}

async fn open_one(api: &Api, name: &str, location: &Location, wanted: &Value) -> Result<Value, String> {
    match api.info(name).await {
        Ok(info) => return Ok(info),
        Err(fault) if fault.is(NO_STREAM) && location.create => {}
        Err(fault) if fault.is(NO_STREAM) => {
            return Err(format!(
                "there is no stream {name}: add create=1 to the location, or create it beforehand"
            ));
        }
        Err(fault) => return Err(format!("the stream {name} can't be asked for: {fault}")),
    }
    match api.ask(&format!("STREAM.CREATE.{name}"), wanted).await {
        Ok(info) => Ok(info),
        // Another server was faster.
        Err(fault) if fault.is(NAME_IN_USE) => {
            api.info(name).await.map_err(|fault| format!("the stream {name} can't be asked for: {fault}"))
        }
        Err(Fault::Refused { text, .. }) if text.contains("allow_atomic") => {
            Err(format!("needs nats-server 2.12 or newer: {text}"))
        }
        Err(fault) => Err(format!("the stream {name} can't be created: {fault}")),
    }
}

/// The stream of events: one subject an incident, and no limit that could drop an event in the middle.
pub(super) fn events(names: &Names, location: &Location, stream: &StreamId) -> Value {
    json!({
        "name": names.events,
        "subjects": [names.all_events()],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "num_replicas": location.replicas.unwrap_or(1),
        "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": -1, "max_consumers": -1,
        "duplicate_window": 100_000_000,
        "deny_delete": true,
        "deny_purge": false,
        "allow_direct": true,
        "allow_atomic": true,
        "metadata": { STREAM: stream.as_str(), FORMAT: NEWEST },
    })
}

/// The second stream: of each subject the newest message.
pub(super) fn control(names: &Names, location: &Location) -> Value {
    json!({
        "name": names.control,
        "subjects": [names.all_control()],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": location.replicas.unwrap_or(1),
        "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": 1, "max_consumers": -1,
        "duplicate_window": 100_000_000,
        "deny_purge": false,
        "allow_direct": true,
        "metadata": { FORMAT: NEWEST },
    })
}

/// Refuses a server that is too old, or takes only small messages.
pub(super) fn check_server(info: &ServerInfo) -> Result<(), String> {
    let ServerInfo { version, max_payload, .. } = info;
    if parsed(version).is_none_or(|version| version < OLDEST) {
        let (major, minor, patch) = OLDEST;
        return Err(format!(
            "the server has version {version}; nats-server {major}.{minor}.{patch} or newer is needed"
        ));
    }
    if *max_payload < LARGEST {
        return Err(format!(
            "the server has max_payload = {max_payload}, and would refuse events and plans: it has to be {LARGEST} or more, as by default"
        ));
    }
    Ok(())
}

/// `2.15.1`, or `2.16.0-RC.1`.
fn parsed(version: &str) -> Option<(u64, u64, u64)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?))
}

/// Refuses a configuration that could lose events, leave holes or change what was written. What only a newer server knows is
/// not refused.
fn check(name: &str, found: &Value, wanted: &Value, location: &Location) -> Result<(), String> {
    let refuse = |key: &str, why: &str| {
        Err(format!("the stream {name} has {key} = {}, and that would {why}: change it", found[key]))
    };
    let same = |key: &str| found[key] == wanted[key];
    for key in ["subjects", "storage", "retention"] {
        if !same(key) {
            return refuse(key, &format!("not be {}", wanted[key]));
        }
    }
    if !same("discard") {
        return refuse("discard", "drop events without a word when it is full");
    }
    let number = |key: &str| found[key].as_i64().unwrap_or_default();
    if found["discard"] == "old" && number("max_bytes") > 0 {
        return refuse("max_bytes", "drop plans of open incidents and the lease when it is reached");
    }
    for key in ["max_msgs", "max_age", "max_msg_size"] {
        if number(key) > 0 {
            return refuse(key, "drop or refuse events that have to be kept");
        }
    }
    let per_subject = wanted["max_msgs_per_subject"].as_i64().unwrap_or_default();
    if number("max_msgs_per_subject").max(-1) != per_subject
        && (per_subject > 0 || number("max_msgs_per_subject") > 0)
    {
        return refuse("max_msgs_per_subject", &format!("not be {per_subject}"));
    }
    for key in [
        "allow_rollup_hdrs",
        "allow_msg_ttl",
        "sealed",
        "deny_purge",
        "no_ack",
        "allow_msg_counter",
        "allow_msg_schedules",
    ] {
        if found[key].as_bool() == Some(true) {
            return refuse(key, "drop or change events, or keep old ones for ever");
        }
    }
    for key in ["sources", "mirror", "subject_transform"] {
        if !found[key].is_null() && found[key] != json!([]) {
            return refuse(key, "bring in messages that are no events");
        }
    }
    let compared = ["allow_direct", "allow_atomic", "deny_delete"];
    for key in compared.into_iter().filter(|key| wanted[*key] == json!(true)) {
        if found[key] != json!(true) {
            let newer = if key == "allow_atomic" { "; it needs nats-server 2.12 or newer" } else { "" };
            return Err(format!("the stream {name} lacks {key} = true: change it{newer}"));
        }
    }
    let replicas = number("num_replicas");
    match location.replicas {
        Some(wanted) if i64::from(wanted) != replicas => Err(format!(
            "the stream {name} has {replicas} replicas, and the location says replicas={wanted}: change one of them"
        )),
        _ => Ok(()),
    }
}

/// What has become unsafe about a stream since it was opened: an operator may have changed it.
pub(super) fn become_unsafe(names: &Names, location: &Location, info: &Value) -> Option<String> {
    let found = &info["config"];
    let checked = if found["name"] == json!(names.events) {
        check(&names.events, found, &events(names, location, &StreamId::fresh()), location)
    } else {
        check(&names.control, found, &control(names, location), location)
    };
    checked.err()
}

/// What is wrong with the configuration of two streams that were found, or what they are.
pub(super) fn judge(
    names: &Names,
    location: &Location,
    found: &Value,
    control_found: &Value,
) -> Result<String, String> {
    let wanted = events(names, location, &StreamId::fresh());
    check(&names.events, &found["config"], &wanted, location)?;
    check(&names.control, &control_found["config"], &control(names, location), location)?;
    let replicas = found["config"]["num_replicas"].as_u64().unwrap_or(1);
    Ok(format!("{} and {}, with {replicas} replicas", names.events, names.control))
}

/// Gives the stream of events another name, because its history is not what clients were told.
pub(super) async fn rename(api: &Api, names: &Names, seen: &Seen) -> Result<Seen, Fault> {
    let mut config = seen.config.clone();
    config["metadata"][STREAM] = json!(StreamId::fresh().as_str());
    config["metadata"][BEGAN] = json!(seen.first.to_string());
    if seen.first > seen.last {
        config["metadata"][ANEW] = json!(seen.last.to_string());
    }
    let info = api.ask(&format!("STREAM.UPDATE.{}", names.events), &config).await?;
    Seen::read(&info).map_err(Fault::Silent)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_could_make_a_hole_is_refused_by_its_name() {
        let location = Location::parse(Path::new("nats://a?durability=always&replicas=3"));
        let Ok(location) = location else { panic!("{location:?}") };
        let names = Names::of("incident");
        let wanted = events(&names, &location, &StreamId::fresh());
        assert_eq!(check("incident", &wanted, &wanted, &location), Ok(()));
        for (key, value) in [
            ("max_age", json!(1)),
            ("max_msgs", json!(100)),
            ("max_msgs_per_subject", json!(5)),
            ("discard", json!("old")),
            ("storage", json!("memory")),
            ("subjects", json!(["other"])),
            ("allow_rollup_hdrs", json!(true)),
            ("allow_msg_ttl", json!(true)),
            ("sources", json!([{ "name": "x" }])),
            ("mirror", json!({ "name": "x" })),
            ("deny_purge", json!(true)),
            ("deny_delete", json!(false)),
            ("allow_direct", json!(null)),
            ("allow_atomic", json!(null)),
            ("num_replicas", json!(1)),
        ] {
            let mut found = wanted.clone();
            found[key] = value;
            let named = if key == "num_replicas" { "replicas=3" } else { key };
            let checked = check("incident", &found, &wanted, &location);
            assert!(matches!(&checked, Err(why) if why.contains(named)), "{key}: {checked:?}");
        }
        let control = control(&names, &location);
        assert_eq!(check("incident_ctl", &control, &control, &location), Ok(()));
        let mut many = control.clone();
        many["max_msgs_per_subject"] = json!(-1);
        assert!(check("incident_ctl", &many, &control, &location).is_err());
        // The stream of events refuses what is too much; this one would drop the oldest messages.
        let limited = |config: &Value| {
            let mut config = config.clone();
            config["max_bytes"] = json!(1_000_000);
            config
        };
        assert_eq!(check("incident", &limited(&wanted), &wanted, &location), Ok(()));
        let refused = check("incident_ctl", &limited(&control), &control, &location);
        assert!(matches!(&refused, Err(why) if why.contains("max_bytes")), "{refused:?}");
    }
}
