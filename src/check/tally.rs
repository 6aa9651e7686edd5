//! `tally`: the resolution's own account of the incident against what was seen of it.

use super::{Context, Finding, Outcome, Transcript, verdict};
use crate::contract::{Actions, Mark, Message, Status};

/// Planned seconds are whole milliseconds.
const MILLISECOND: f64 = 0.0011;

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Outcome {
    let mut findings = Vec::new();
    let mut judged = 0;
    for events in transcript.incidents().values() {
        let whole = events.iter().zip(1..).all(|((_, message), index)| message.index() == Some(index));
        let mut seen = Actions::default();
        let mut marks: [Option<f64>; 3] = [None; 3];
        for (frame, message) in events {
            match message {
                Message::AgentAction(action) => {
                    if action.status != Status::InProgress {
                        seen.total += 1;
                        seen.failed += u32::from(action.status == Status::Failed);
                    }
                    for mark in &action.marks {
                        let place = match mark {
                            Mark::Detected => 0,
                            Mark::Diagnosed => 1,
                            Mark::Mitigated => 2,
                        };
                        marks[place].get_or_insert(action.offset_s);
                    }
                }
                // With events missing nothing can be counted: `gap` tells.
                Message::IncidentResolved(resolved) if whole => {
                    judged += 1;
                    if resolved.actions != seen {
                        let (told, seen) = (resolved.actions, seen);
                        let message = format!(
                            "the resolution counts {} actions, {} failed; {} and {} were seen",
                            told.total, told.failed, seen.total, seen.failed
                        );
                        findings.push(Finding::new(message).at(frame));
                    }
                    let durations = &resolved.durations;
                    let told = [
                        ("detect_s", durations.detect_s, marks[0]),
                        ("diagnose_s", durations.diagnose_s, marks[1]),
                        ("mitigate_s", durations.mitigate_s, marks[2]),
                        ("resolve_s", Some(durations.resolve_s), Some(resolved.offset_s)),
                    ];
                    for (name, told, seen) in told {
                        let same = match (told, seen) {
                            (Some(told), Some(seen)) => (told - seen).abs() < MILLISECOND,
                            (told, seen) => told == seen,
                        };
                        if !same {
                            let (told, seen) = (shown(told), shown(seen));
                            findings
                                .push(Finding::new(format!("{name} is {told}, seen was {seen}")).at(frame));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    if judged == 0 {
        return Outcome::NotChecked("no incident was seen from its start to its resolution".to_owned());
    }
    verdict(findings, || match judged {
        1 => "the resolution accounts for what was seen".to_owned(),
        many => format!("{many} resolutions account for what was seen"),
    })
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "nothing".to_owned(), |seconds| format!("{seconds} s"))
}
