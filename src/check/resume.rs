//! The rule `resume`: a client that reconnects gets exactly the events that it missed.

use std::collections::BTreeMap;

use super::context::Context;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    if transcript.probes.is_empty() {
        return Verdict::NotChecked("the connection was not cut and resumed".to_owned());
    }
    let first: BTreeMap<u64, &str> = transcript
        .events()
        .filter_map(|(frame, _, _)| Some((frame.position()?, frame.raw.as_str())))
        .collect();
    let mut findings = Vec::new();
    let mut replayed = 0;
    for probe in &transcript.probes {
        let after = probe.after;
        let expected: Vec<&str> = first.range(after + 1..).map(|(_, raw)| *raw).collect();
        replayed += probe.frames.len();
        let same = expected.iter().zip(&probe.frames).take_while(|(one, other)| *one == other).count();
        if same < expected.len().min(probe.frames.len()) {
            let message = format!(
                "after the cut at position {after}, the server sent another event as number {}",
                same + 1
            );
            findings.push(Finding::new(message));
        } else if probe.frames.len() < expected.len() {
            let lost = expected.len() - probe.frames.len();
            findings
                .push(Finding::new(format!("after the cut at position {after}, {lost} events are missing")));
        } else if probe.frames.len() > expected.len() {
            let more = probe.frames.len() - expected.len();
            findings.push(Finding::new(format!(
                "after the cut at position {after}, the server sent {more} events too many"
            )));
        }
    }
    let cuts =
        transcript.probes.iter().map(|probe| probe.after.to_string()).collect::<Vec<_>>().join(" and ");
    verdict(findings, || format!("cut at position {cuts}: {replayed} events replayed, none lost"))
}
