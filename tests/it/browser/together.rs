//! An alert, a program and a person in one real incident, over a kill of the server.

use serde_json::{Value, json};

use super::additions::{PEOPLE, open_form};
use super::driver::Browser;
use crate::harness::{Http, Scratch, Serving};
use crate::publish::{action, publish};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What Alertmanager sends about a group with one alert.
pub fn firing() -> Value {
    json!({
        "version": "4", "groupKey": "{}:{service=\"checkout\"}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "incident", "groupLabels": { "service": "checkout" }, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://alertmanager:9093",
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": "HighErrorRate", "service": "checkout", "severity": "critical" },
            "annotations": { "summary": "5 % of the checkouts fail" },
            "startsAt": incident::contract::now().to_string(), "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=up", "fingerprint": "f1",
        }],
    })
}

/// A file of receivers, and the token of its one.
pub fn receivers() -> Scratch {
    let file = "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"prod.token\"\n\
                [receiver.severity]\nlabel = \"severity\"\nmap = { critical = \"SEV1\" }\n";
    Scratch::new().with("prod.token", SECRET).with("receivers.toml", file)
}

/// Delivers an alert and gives the id of its incident.
pub async fn deliver(server: &Serving, body: &Value) -> String {
    let request = Http::new(server.address(), "POST", "/hooks/alertmanager/prod");
    let request = request.header("Content-Type", "application/json").bearer(SECRET);
    let reply = request.body(&body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["incidents"][0].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_alert_an_agent_and_a_person_are_there_once_also_after_a_kill() {
    let folder = receivers();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (journal, file) = (path("journal.db"), path("receivers.toml"));
    let serve = |port: &str| {
        let kept = ["--journal", &journal, "--receivers", &file];
        Serving::again(&[&["serve", "--port", port, "--json", "--quiet"], &kept[..]].concat())
    };
    let server = serve("0");
    let port = server.address().port().to_string();
    let page = Browser::open(&format!("http://{}/", server.address())).await;
    page.until("the quiet page", "document.querySelector('#quiet')").await;
    let alert = firing();
    let id = deliver(&server, &alert).await;
    page.until("the incident", "document.querySelector('headline-panel .real')?.checkVisibility()").await;
    let badges = "[...document.querySelectorAll('headline-panel .badge')].filter((one) => !one.hidden)\
                  .map((badge) => badge.textContent).join()";
    assert_eq!(page.value(badges).await, "SEV1,REAL INCIDENT");

    let mut agents = action(&id, "agent-1", "The pool of checkout-db is exhausted");
    agents["source"] = "/agents/python".into();
    assert_eq!(publish(server.address(), std::slice::from_ref(&agents)).await.status, 200);
    open_form(&page, "Zoë").await;
    page.fill("#addition-text", "Rolled back release 88\u{e007}").await;
    page.until("the note", &format!("{PEOPLE}.length === 1")).await;
    let rows = "[...document.querySelectorAll('#feed [data-type=agent_action]')].map((row) => \
                [row.querySelector('.agent').innerText, row.querySelector('.agent .icon')?.dataset.icon ?? '', \
                 row.querySelector('.summary').innerText])";
    let told = json!([
        ["Prod", "bell", page.value(&format!("{rows}[0][2]")).await],
        ["Diagnosis", "", "The pool of checkout-db is exhausted"],
        ["Zoë", "person", "Rolled back release 88"],
    ]);
    assert_eq!(page.value(rows).await, told);
    assert!(told[0][2].as_str().unwrap().contains("5 % of the checkouts fail"), "{told}");

    server.signal("KILL");
    server.end();
    page.until("the loss", "document.documentElement.dataset.connection !== 'live'").await;
    let server = serve(&port);
    page.until("the return", "document.documentElement.dataset.connection === 'live'").await;
    // Both senders are not sure what was stored.
    deliver(&server, &alert).await;
    assert_eq!(publish(server.address(), &[agents]).await.json()["duplicates"], 1);
    page.fill("#addition-text", "Errors fall\u{e007}").await;
    page.until("the next note", &format!("{PEOPLE}.length === 2")).await;
    let all = [told.as_array().unwrap().clone(), vec![json!(["Zoë", "person", "Errors fall"])]].concat();
    assert_eq!(page.value(rows).await, json!(all));
    page.refresh().await;
    page.until("all of it", &format!("{PEOPLE}.length === 2")).await;
    assert_eq!(page.value(rows).await, json!(all));
    assert_eq!(page.value(badges).await, "SEV1,REAL INCIDENT");
}
