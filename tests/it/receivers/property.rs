//! Whatever a pair of senders repeats, reorders within reason or loses over restarts: each change is written once.

use proptest::prelude::*;
use serde_json::Value;

use super::lab::{alertmanager, ended, firing, group};

const NAMES: [&str; 3] = ["A", "B", "C"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// An alert begins to fire, or ends.
    Change(usize),
    /// A sender tells of the group: as it is now, or as it was before the last change.
    Tell {
        behind: bool,
    },
    /// Time passes.
    Pass(i64),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0..NAMES.len()).prop_map(Happening::Change),
        4 => any::<bool>().prop_map(|behind| Happening::Tell { behind }),
        2 => (0_i64..50).prop_map(Happening::Pass),
        1 => Just(Happening::Restart),
    ]
}

/// The state of the alerts: since when each fires, and when it ended.
type Alerts = [Option<(i64, Option<i64>)>; 3];

fn told(alerts: &Alerts) -> Option<Value> {
    let alerts: Vec<Value> = NAMES
        .iter()
        .zip(alerts)
        .filter_map(|(name, alert)| match alert {
            Some((since, None)) => Some(firing(name, *since)),
            Some((since, Some(end))) => Some(ended(name, *since, *end)),
            None => None,
        })
        .collect();
    (!alerts.is_empty()).then(|| group(&alerts))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_change_is_written_once(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut lab = alertmanager("settle = \"100s\"");
        let (mut now, mut alerts, mut before) = (0, Alerts::default(), Alerts::default());
        for happening in happenings {
            match happening {
                Happening::Change(which) => {
                    // Both senders have told of the state before.
                    if let Some(body) = told(&alerts) {
                        lab.post(&body);
                    }
                    before = alerts;
                    now += 1;
                    lab.pass(1);
                    alerts[which] = match alerts[which] {
                        Some((since, None)) => Some((since, Some(now))),
                        _ => Some((now, None)),
                    };
                }
                Happening::Tell { behind } => {
                    let Some(body) = told(if behind { &before } else { &alerts }) else { continue };
                    lab.post(&body);
                    let count = lab.events.len();
                    lab.post(&body);
                    prop_assert_eq!(lab.events.len(), count, "a repeat wrote something");
                }
                Happening::Pass(seconds) => {
                    // What is behind is so for a moment.
                    if let Some(body) = told(&alerts) {
                        lab.post(&body);
                    }
                    before = alerts;
                    now += seconds;
                    lab.pass(seconds);
                }
                Happening::Restart => lab.restart(),
            }
        }
        if let Some(body) = told(&alerts) {
            lab.post(&body);
        }
        lab.restart();
        lab.pass(100);
        let fires = alerts.iter().flatten().any(|(_, end)| end.is_none());
        prop_assert_eq!(lab.state.open("prod").count(), usize::from(fires));
        // Of each alert the firings and their ends alternate, and each incident begins and ends once.
        for name in NAMES {
            let words = lab.events.iter().zip(lab.words()).filter(|((_, draft), word)| {
                word.starts_with("alert_") && draft.message.data().get().contains(&format!("fp-{name}@"))
            });
            let words: Vec<String> = words.map(|(_, word)| word).collect();
            for (place, word) in words.iter().enumerate() {
                prop_assert_eq!(word, ["alert_firing", "alert_resolved"][place % 2], "{:?}", words);
            }
        }
        let (starts, ends) = lab.words().iter().fold((0, 0), |(starts, ends), word| {
            (starts + usize::from(word == "started"), ends + usize::from(word == "resolved"))
        });
        prop_assert_eq!(starts, ends + usize::from(fires));
    }

    #[test]
    fn no_body_makes_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in incident::receivers::Kind::ALL {
            let _ = incident::receivers::delivery(kind, &body);
        }
        let now = super::lab::NOON.parse().unwrap();
        let _ = incident::receivers::event(&body, "fresh", now);
        let _ = incident::receivers::change(&body, now);
    }
}
