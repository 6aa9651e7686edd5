//! `resume`: a client that comes back gets exactly what it missed.

use std::collections::BTreeMap;

use super::context::Context;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    if transcript.probes.is_empty() {
        return Verdict::NotChecked("the stream was not cut and resumed".to_owned());
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
            let message = format!("after a cut at {after} event {} of what follows is another one", same + 1);
            findings.push(Finding::new(message));
        } else if probe.frames.len() < expected.len() {
            let lost = expected.len() - probe.frames.len();
            findings.push(Finding::new(format!("after a cut at {after} {lost} events are lost")));
        } else if probe.frames.len() > expected.len() {
            let more = probe.frames.len() - expected.len();
            findings.push(Finding::new(format!("after a cut at {after} {more} events too many come")));
        }
    }
    let cuts =
        transcript.probes.iter().map(|probe| probe.after.to_string()).collect::<Vec<_>>().join(" and ");
    verdict(findings, || format!("cut at {cuts}: replayed {replayed}, lost 0"))
}
