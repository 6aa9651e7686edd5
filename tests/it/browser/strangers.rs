//! Texts and numbers of strangers, of any length and in any direction, break no layout at any size.

use std::fmt::Write;

use incident::journal::Record;
use serde_json::{Value, json};

use super::checks;
use super::driver::{Browser, Size};
use crate::harness::{Local, envelope};

/// The four sizes, and the first of them at 200 %.
const SIZES: [Size; 5] = [
    Size { width: 1440, height: 900, touch: false },
    Size { width: 1024, height: 768, touch: false },
    Size { width: 844, height: 390, touch: true },
    Size { width: 390, height: 844, touch: true },
    Size { width: 720, height: 450, touch: false },
];

/// 10,000 characters without a space, right to left, emoji that are joined, many words, both directions in one text, characters
/// that steer, and marks without a letter.
fn texts() -> Vec<String> {
    let hebrew = "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5e2}\u{5d5}\u{5dc}\u{5dd} ".repeat(30);
    vec![
        "x".repeat(10_000),
        hebrew.clone(),
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f525}".repeat(40),
        "lorem ipsum dolor ".repeat(560),
        format!("{}{hebrew}{}", "W".repeat(60), "y".repeat(3_000)),
        "a\u{202e}b\n".repeat(50),
        "\u{301}".repeat(200),
    ]
}

/// An incident in which everything is as long or as large as it may be.
struct Strange {
    title: String,
    currency: String,
    synthetic: bool,
    events: Vec<Record>,
}

impl Strange {
    fn new(title: String, currency: &str, synthetic: bool) -> Self {
        let mut strange = Self { title, currency: currency.to_owned(), synthetic, events: Vec::new() };
        strange.tell();
        strange
    }

    fn add(&mut self, kind: &str, second: usize, mut data: Value) {
        let index = self.events.len() as u64 + 1;
        data["offset_s"] = json!(second);
        data["synthetic"] = json!(self.synthetic);
        let event = json!({
            "specversion": "1.0", "id": index.to_string(), "source": "/streams/S", "type": kind, "subject": "strange",
            "time": "2026-11-22T11:02:07.310552Z", "index": index, "data": data,
        });
        let message = envelope(&event.to_string()).message().unwrap();
        self.events.push(Record::at("strange", index, &message));
    }

    fn tell(&mut self) {
        let texts = texts();
        let wide = "W".repeat(60);
        let names = [
            wide.clone(),
            texts[1][..110].to_owned(),
            "person:".to_owned() + &"\u{dc}".repeat(60),
            "a_".repeat(30),
        ];
        let phases: Vec<Value> = (0..8)
            .map(|at| json!({ "name": format!("{}{at}", names[at % 2]), "start_s": at * 15, "end_s": at * 15 + 15 }))
            .collect();
        let agents: Vec<Value> =
            names.iter().zip(&texts).map(|(id, role)| json!({ "id": id, "role": role })).collect();
        let mut services: Vec<String> = (0..20).map(|at| format!("{at}-{wide}")).collect();
        services.insert(0, texts[2].clone());
        let began = incident::contract::now() - jiff::SignedDuration::from_secs(60);
        self.add(
            "incident_started",
            0,
            json!({
                "title": self.title, "severity": "SEV1", "services": services, "impact_started_at": began.to_string(),
                "target_s": 20.0, "phases": phases, "agents": agents,
                "metrics": [
                    { "name": wide, "unit": wide }, { "name": texts[1], "unit": "ratio" },
                    { "name": texts[2], "unit": "ms" }, { "name": "m".repeat(60), "unit": "1/s" },
                ],
            }),
        );
        let status = ["completed", "failed", "in_progress"];
        for (at, text) in texts.iter().enumerate() {
            let hypotheses: Vec<Value> = texts.iter().enumerate().map(|(other, claim)| {
                json!({ "id": format!("h{other}"), "claim": claim, "p": if other == at { 0.5 } else { 0.07 } })
            }).collect();
            let quantity = if at % 2 == 1 { "time_to_resolve" } else { wide.as_str() };
            let unit = if at % 2 == 1 { "s" } else { wide.as_str() };
            let marks: &[&str] = if at == 3 { &["mitigated"] } else { &[] };
            self.add(
                "agent_action",
                5 + at * 5,
                json!({
                    "agent": names[at % 4], "action": if at % 2 == 0 { &wide } else { &names[3] },
                    "status": status[at % 3], "summary": text, "confidence": 0.42,
                    "attempt": at * 100_000_000, "caused_by": 1, "hypotheses": hypotheses, "marks": marks,
                    "evidence": [{ "kind": wide, "ref": "z".repeat(400), "text": text }, { "kind": "metric", "ref": wide, "value": 1e300 }],
                    "forecast": { "quantity": quantity, "unit": unit, "p10": 30.0, "p50": 70.0 + at as f64, "p90": 1e7 },
                }),
            );
            self.add(
                "system_metrics",
                6 + at * 5,
                json!({
                    "metrics": { wide.clone(): if at == 5 { 1e300 } else { -1e15 * at as f64 }, texts[1].clone(): 123.456, texts[2].clone(): 1e11, "m".repeat(60): at },
                    "users_affected": 9_007_199_254_740_991_u64,
                    "cost": { "currency": self.currency, "total": 1e11 * (at + 1) as f64, "per_minute": 9e10 },
                }),
            );
        }
    }

    fn ended(mut self) -> Vec<Record> {
        let texts = texts();
        self.add(
            "incident_resolved",
            100,
            json!({
                "outcome": "resolved", "summary": texts[0], "root_cause": "h4", "followups": texts,
                "durations": { "detect_s": 1e6, "diagnose_s": 2e6, "mitigate_s": 3e6, "resolve_s": 1e7 },
                "cost": { "currency": self.currency, "total": 1e21, "per_minute": 0.0 },
                "users_peak": 9_007_199_254_740_991_u64, "actions": { "total": 1_000_000_000, "failed": 1_000_000_000 },
            }),
        );
        self.events
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium and axe-core: ./tests/run installs them and runs this"]
async fn no_text_and_no_number_breaks_the_layout() {
    let texts = texts();
    for size in SIZES {
        for (name, strange) in [
            ("a word of 10,000 letters", Strange::new(texts[0].clone(), "USD", true)),
            (
                "right to left, with a currency of its own",
                Strange::new(texts[1].clone(), &"W".repeat(60), true),
            ),
            ("emoji, real", Strange::new(texts[2].clone(), "EUR", false)),
        ] {
            let mut state = String::new();
            write!(state, "{name} at {}x{}", size.width, size.height).unwrap();
            let server = Local::start().await;
            let page = Browser::sized(size, &format!("http://{}/", server.address)).await;
            page.until("the connection", "document.querySelector('#quiet')").await;
            let mut events = strange.ended();
            let end = events.pop().unwrap();
            server.append(events).await;
            page.until("the incident", "document.querySelectorAll('#feed [data-position]').length > 7").await;
            page.until("the charts", "document.querySelectorAll('.chart').length >= 4").await;
            checks::fits(&page, &format!("{state}, open")).await;
            server.append(vec![end]).await;
            page.until("the result", "document.querySelector('#result')").await;
            checks::hold(&page, &format!("{state}, ended")).await;
            page.refresh().await;
            page.until("the last result", "document.querySelector('#quiet .result')").await;
            checks::fits(&page, &format!("{state}, last result")).await;
        }
    }
}

/// What is cut can be read: with one click, or the key of a button.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_long_text_is_cut_and_opens() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    page.until("the connection", "document.querySelector('#quiet')").await;
    server.append(Strange::new("Long".to_owned(), "USD", true).events).await;
    let row = "document.querySelector('#feed [data-index=\"2\"] .summary')";
    page.until("the row", row).await;
    let length = format!("{row}.textContent.length");
    assert!(page.value(&length).await.as_u64().unwrap() < 700);
    page.value("document.querySelector('#feed [data-index=\"2\"] .more-text').click()").await;
    assert_eq!(page.value(&length).await, 10_000);
    page.value("document.querySelector('#feed [data-index=\"2\"] .more-text').click()").await;
    assert!(page.value(&length).await.as_u64().unwrap() < 700);
}
