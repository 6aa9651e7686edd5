//! The same faults as transcripts, judged by the command.

use incident::check::TranscriptHeader;
use incident::check::{Finding, Limits};
use serde_json::Value;

use super::all;
use crate::harness::{Scratch, incident};
use crate::validate::command::json;
use crate::validate::good;
use crate::validate::sound::{EPOCH, Stream, failed};

/// The transcript of a stream.
fn transcript(stream: &Stream) -> String {
    let header =
        TranscriptHeader::new("ws://127.0.0.1/ws".to_owned(), EPOCH.parse().unwrap(), stream.arrivals, None);
    let lines = stream.observations().into_iter().map(|observed| observed.to_line());
    [header.line()].into_iter().chain(lines).map(|line| line + "\n").collect()
}

/// Message, line and pointer of a finding.
type Said = (String, Option<u64>, String);

/// What the command found: of each rule that failed the message, line and pointer of each finding.
fn found(target: &Value) -> Vec<(&str, Vec<Said>)> {
    let failed = target["rules"].as_array().unwrap().iter().filter(|rule| rule["status"] == "failed");
    let findings = |rule: &Value| {
        let findings = rule["findings"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        findings
            .map(|finding| (text(&finding["message"]), finding["line"].as_u64(), text(&finding["pointer"])))
            .collect()
    };
    failed.map(|rule| (rule["rule"].as_str().unwrap(), findings(rule))).collect()
}

#[test]
fn the_command_finds_the_same_in_transcripts() {
    let mut expected = Vec::new();
    let mut folder = Scratch::new();
    // A few of each group.
    for fault in all().step_by(3) {
        let made = good::streams().iter().find_map(|(_, good)| {
            let mut stream = good.clone();
            (fault.make)(&mut stream).map(|()| stream)
        });
        let stream = made.unwrap();
        // The limits and expectations of a transcript are those of the command line.
        if stream.limits == Limits::default() && stream.expect.is_none() {
            folder = folder.with(&format!("{:03}.ndjson", expected.len()), &transcript(&stream));
            expected.push((fault, failed(stream.judgement())));
        }
    }
    assert!(expected.len() >= 30, "{}", expected.len());
    let ran = incident(&["validate", folder.text(), "--format", "json"]).run();
    assert_eq!(ran.status, Some(5), "{}", ran.stderr);
    let report = json(&ran);
    let targets = report["targets"].as_array().unwrap();
    assert_eq!(targets.len(), expected.len());
    for (target, (fault, failed)) in targets.iter().zip(expected) {
        let same =
            |finding: Finding| (finding.message, finding.line.map(|line| line as u64), finding.pointer);
        let failed: Vec<_> = failed
            .into_iter()
            .map(|(rule, findings)| (rule, findings.into_iter().map(same).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found(target), failed, "{}", fault.name);
        assert_eq!(failed[0].0, fault.rule, "{}", fault.name);
    }
}
