//! Streams of other programs: read by a profile, held to a contract, judged by the rules that need none of ours.

mod cloud;
mod connections;
mod events;
mod flags;
mod numbered;
mod orders;
mod own;
mod parser;
mod plain;
mod profiles;
mod real;
mod secrets;
mod server;

use futures_util::StreamExt;
use serde_json::Value;

use super::command::json;
use crate::harness::{Ran, Scratch, incident};
use server::{Talk, events as event_server, socket as socket_server};

/// A way to break a stream: the rule that has to fail, in words, further flags, and what the server says.
pub struct Fault {
    pub rule: &'static str,
    pub way: &'static str,
    pub flags: Vec<String>,
    pub talk: Talk,
}

/// How a server is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Socket,
    /// A WebSocket whose server says nothing before it is sent a text.
    Subscribed,
    Events,
}

pub async fn serve(over: Over, talk: Talk) -> Vec<String> {
    match over {
        Over::Socket => vec!["--url".to_owned(), socket_server(false, talk).await],
        Over::Subscribed => vec!["--url".to_owned(), socket_server(true, talk).await],
        Over::Events => vec!["--sse".to_owned(), event_server(talk).await],
    }
}

/// `incident validate … --format json`, on a thread of its own: the server needs this one.
pub async fn validate(args: Vec<String>) -> Ran {
    let run = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        incident(&[&["validate", "--format", "json"], args.as_slice()].concat()).run()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The rules that fail, each with its findings.
pub fn failures(ran: &Ran) -> Vec<(String, Vec<String>)> {
    let report = json(ran);
    let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
    let failed = rules.filter(|rule| rule["status"] == "failed").map(|rule| {
        let findings = rule["findings"].as_array().unwrap().iter();
        let findings = findings.map(|finding| finding["message"].as_str().unwrap().to_owned());
        (rule["rule"].as_str().unwrap().to_owned(), findings.collect())
    });
    failed.collect()
}

/// What a rule says.
pub fn rule<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rules = report["targets"][0]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["rule"] == name).unwrap()
}

/// Each fault is found by its rule and by no other, live and from the transcript.
pub async fn each_breaks_its_rule(over: Over, common: Vec<String>, faults: Vec<Fault>) {
    let judging = faults.into_iter().map(|fault| {
        let common = common.clone();
        async move {
            let folder = Scratch::new();
            let mut args = serve(over, fault.talk).await;
            args.extend(common.iter().cloned());
            args.extend(fault.flags.iter().cloned());
            args.extend(["--transcripts".to_owned(), folder.text().to_owned()]);
            let ran = validate(args).await;
            let found = failures(&ran);
            let names: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
            if names != [fault.rule] {
                return Some(format!("{} ({}): {found:?}", fault.way, fault.rule));
            }
            // The transcript names profile and contract, so that the same is found without flags.
            let limits = fault.flags.windows(2).filter(|pair| pair[0] == "--limit").flatten().cloned();
            let transcript = folder.path().join("server.ndjson").display().to_string();
            let again = validate(limits.chain([transcript]).collect()).await;
            (failures(&again) != found)
                .then(|| format!("{}: live {found:?}, from the transcript {:?}", fault.way, failures(&again)))
        }
    });
    let wrong: Vec<_> = futures_util::stream::iter(judging).buffer_unordered(6).collect().await;
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
