//! Hostile texts of publishers and of senders of alerts: whatever shows them shows them as text.

use serde_json::{Value, json};

use super::corpus::{HOSTILE, assert_clean, assert_tame};
use super::server::TOKEN;
use crate::browser::driver::Browser;
use crate::harness::{Http, Scratch, Serving, Terminal, incident};
use crate::publish::{event, publish};

const RECEIVERS: &str = "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"t\"\nsettle = \"0s\"\n\
    [[receiver]]\nname = \"graf\"\nkind = \"grafana\"\ntoken_file = \"t\"\n\
    [[receiver]]\nname = \"pd\"\nkind = \"pagerduty\"\ntoken_file = \"t\"\n";

const PUBLISHED: &str = "pay-7";

/// What a browser or a viewer of Markdown could make a link or an element of.
fn texts() -> [String; 5] {
    let link = "[x](javascript:alert(1)) <a href=javascript:alert(1)>y</a> ![z](data:text/html,<script>) \u{1b}]8;;http://evil/\u{1b}\\l";
    // A letter that covers the lines above it, and a text that nobody sees.
    let (covers, unseen) =
        (format!("a{}", "\u{301}".repeat(5_000)), format!("b{}", "\u{fe01}".repeat(3_000)));
    [HOSTILE.to_owned(), format!("{HOSTILE}{link}"), "L".repeat(10_000), covers, unseen]
}

/// A delivery in which everything that a sender can fill is hostile.
fn delivery(text: &str, version: &str) -> Value {
    let words = json!({ text.chars().take(60).collect::<String>(): text, "alertname": text, "service": text, "severity": text, "summary": text });
    json!({
        "version": version, "receiver": text, "status": "firing", "groupKey": text, "groupLabels": words,
        "commonLabels": words, "commonAnnotations": words, "externalURL": format!("javascript:alert(1)//{text}"),
        "title": text, "message": text, "state": text,
        "alerts": [{
            "status": "firing", "labels": words,
            "annotations": { "summary": text, "description": text, "runbook_url": "javascript:alert(1)" },
            "startsAt": "2026-11-26T12:00:00Z", "fingerprint": text,
            "generatorURL": format!("https://host/{text}"), "dashboardURL": "javascript:alert(2)",
            "panelURL": format!("http://host/{text}"), "silenceURL": "data:text/html,<script>", "valueString": text,
        }],
    })
}

/// A server with incidents of every sender and of a publisher, and a drill to which a publisher adds.
async fn attacked(speed: &str) -> (Serving, Vec<String>, Scratch) {
    let folder = Scratch::new().with("r.toml", RECEIVERS).with("t", &format!("{TOKEN}\n"));
    let receivers = folder.path().join("r.toml").display().to_string();
    let args = [
        "serve",
        "--port",
        "0",
        "--json",
        "--journal",
        "memory",
        "--speed",
        speed,
        "--receivers",
        &receivers,
    ];
    let server = Serving::alone(&[&args[..], &["--trigger", "memory-leak"]].concat());
    let address = server.address();
    let mut ids = vec![PUBLISHED.to_owned()];
    for text in texts() {
        for (path, version) in [("alertmanager/prod", "4"), ("grafana/graf", "1")] {
            let post = Http::new(address, "POST", &format!("/hooks/{path}"))
                .header("Content-Type", "application/json");
            let reply = post.bearer(TOKEN).body(&delivery(&text, version).to_string()).send().await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
            ids.extend(
                reply.json()["incidents"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|id| id.as_str().unwrap().to_owned()),
            );
        }
        let trigger = json!({
            "routing_key": TOKEN, "event_action": "trigger", "dedup_key": text.chars().take(200).collect::<String>(),
            "client": text, "client_url": "javascript:alert(3)",
            "links": [{ "href": "javascript:alert(4)", "text": text }, { "href": format!("https://host/{text}"), "text": text }],
            "payload": { "summary": text.chars().take(1_000).collect::<String>(), "source": text, "severity": "critical", "component": text, "group": text,
                "class": text, "custom_details": { "a": text } },
        });
        let post = Http::new(address, "POST", "/hooks/pagerduty/pd/v2/enqueue")
            .header("Content-Type", "application/json");
        let reply = post.body(&trigger.to_string()).send().await;
        assert_eq!(reply.status, 202, "{}", reply.body);
    }
    let drill = server.incident(&["list", "--running"]).run().stdout;
    let drill =
        drill.lines().find(|line| line.contains("\tDRILL\t")).unwrap().split('\t').next().unwrap().to_owned();
    for (text, number) in texts().iter().zip(1..) {
        // A line break is refused in all texts but one.
        let line = text.replace(['\r', '\n'], " ");
        let started = json!({ "title": line, "severity": "SEV1", "services": [line] });
        let act = json!({ "agent": line, "action": "looked", "status": "failed", "summary": line,
            "evidence": [{ "kind": "log", "ref": line, "text": text }] });
        let mut events = vec![event(PUBLISHED, &format!("{number}{HOSTILE}"), "agent_action", &act)];
        if number == 1 {
            events.insert(0, event(PUBLISHED, "started", "incident_started", &started));
        }
        events.push(event(&drill, &format!("{number}d"), "agent_action", &act));
        for one in events {
            let reply = publish(address, std::slice::from_ref(&one)).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    }
    (server, ids, folder)
}

/// The forms of what shows that the text came: with its escape, and as receivers have it, which drop what no alert means.
fn assert_seen(text: &str, from: &str) {
    let seen = [
        "z\\u{1b}]0;pwned",
        "z\\\\u{1b}\\]0;pwned",
        "z\\u001b]0;pwned",
        "z\\\\u{1b}]0;pwned",
        "z]0;pwned",
        "z\\]0;pwned",
    ];
    assert!(seen.iter().any(|form| text.contains(form)), "{from}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_publisher_and_no_sender_steers_an_output() {
    let (server, ids, folder) = attacked("60").await;
    let recording = folder.path().join("run.ndjson").display().to_string();
    let all = ["watch", "--after", "0", "--no-follow"];
    for args in [
        &all[..],
        &[&all[..], &["--utc", "--quiet"]].concat(),
        &[&all[..], &["--record", &recording]].concat(),
        &["list", "--running"],
        &["list", "--running", "--json"],
    ] {
        let ran = server.incident(args).run();
        assert_eq!(ran.status, Some(0), "{args:?}: {}", ran.stderr);
        assert_clean(&format!("{}{}", ran.stdout, ran.stderr), &format!("{args:?} in a pipe"));
        assert_seen(&ran.stdout, &format!("{args:?} in a pipe"));
        for columns in [40, 60, 120, 200] {
            let args: Vec<&str> = args.iter().copied().chain(["--url", server.url()]).collect();
            if !args.contains(&"--record") {
                let bytes = Terminal::in_colors(columns, &args).end_with_bytes();
                assert_tame(&bytes, &format!("{args:?} on {columns} columns"));
            }
        }
    }
    for id in &ids {
        let ran = server.incident(&["report", id]).run();
        assert_eq!(ran.status, Some(0), "{id}: {}", ran.stderr);
        assert_clean(&ran.stdout, &format!("the report of {id}"));
        let links = ran.stdout.replace("\\](", "");
        assert!(!links.contains("](") && !links.contains("<script"), "{links}");
    }
    assert_seen(&server.incident(&["report", PUBLISHED]).run().stdout, "the report");
    let of_recording = incident(&["report", &recording]).run();
    assert_clean(&format!("{}{}", of_recording.stdout, of_recording.stderr), "the report of the recording");
    // What a check finds quotes the events.
    let broken =
        std::fs::read_to_string(&recording).unwrap().replace("\"status\":\"failed\"", "\"status\":\"lost\"");
    let broken = broken.replace("\"subject\":\"pay-7\"", &format!("\"subject\":{}", json!(HOSTILE)));
    std::fs::write(folder.path().join("broken.ndjson"), broken).unwrap();
    for kind in ["pretty", "json", "junit", "sarif", "github"] {
        let ran = incident(&["validate", "broken.ndjson", "--format", kind]).at(folder.path()).run();
        assert_eq!(ran.status, Some(5), "{kind}: {}", ran.stderr);
        let both = format!("{}{}", ran.stdout, ran.stderr);
        assert_clean(&both, &format!("validate as {kind}"));
        assert!(!both.contains("<script"), "{both}");
    }
}

/// What a publisher says in a drill is shown by who has triggered it.
#[tokio::test(flavor = "multi_thread")]
async fn no_publisher_steers_a_trigger() {
    let server =
        Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--journal", "memory", "--speed", "8"]);
    let address = server.address();
    let add = async |id: &str| {
        for (text, number) in texts().iter().zip(1..) {
            let text = text.replace(['\r', '\n'], " ");
            let act = json!({ "agent": text, "action": "looked", "status": "completed", "summary": text, "confidence": 0.99 });
            let reply = publish(address, &[event(id, &format!("{id} {number}"), "agent_action", &act)]).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    };
    let open = || {
        let list = server.incident(&["list", "--running"]).run().stdout;
        list.split('\t').next().filter(|id| !id.is_empty()).map(str::to_owned)
    };
    for columns in [None, Some(40), Some(80), Some(200)] {
        let args = ["trigger", "database-outage", "--timeout", "8s", "--url", server.url()];
        let running = columns.is_none().then(|| incident(&args).spawn());
        let terminal = columns.map(|columns| Terminal::in_colors(columns, &args));
        let id = loop {
            if let Some(id) = open() {
                break id;
            }
        };
        add(&id).await;
        let from = format!("trigger on {columns:?} columns");
        if let Some(running) = running {
            let ran = running.end();
            assert_clean(&format!("{}{}", ran.stdout, ran.stderr), &from);
        }
        if let Some(terminal) = terminal {
            let bytes = terminal.end_with_bytes();
            assert_tame(&bytes, &from);
        }
        server.incident(&["cancel", &id]).run();
    }
}

const SEEN: &str = "
    const made = [...document.body.querySelectorAll('script, img:not([src$=svg]), iframe, a[href]')].map((node) => node.outerHTML);
    const wide = [...document.querySelectorAll('main *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1);
    return [document.body.innerText, document.title, made, document.documentElement.scrollWidth > innerWidth];
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn no_publisher_and_no_sender_steers_the_page() {
    let (server, ids, _folder) = attacked("1").await;
    let page = Browser::open(&format!("http://{}/", server.address())).await;
    for id in &ids {
        page.until("its row", &format!("document.querySelector('[data-board=\"{id}\"]')")).await;
    }
    is_tame(&page, "the list of all").await;
    for id in &ids {
        page.goto(&format!("http://{}/?incident={id}", server.address())).await;
        page.until("the incident", &format!("document.querySelector('#feed [data-incident=\"{id}\"]')"))
            .await;
        is_tame(&page, id).await;
    }
}

/// Nothing that the page shows has become an element, has made it wide, or is hidden.
async fn is_tame(page: &Browser, of: &str) {
    let seen = page.run(SEEN, Vec::new()).await;
    assert_eq!(seen[2], json!([]), "{of}: a text became an element");
    assert_eq!(seen[3], json!(false), "{of}: a text makes the page wider than the window");
    for part in [0, 1] {
        let text = seen[part].as_str().unwrap();
        let hidden = |c: &char| incident::visible::is_hidden(*c) && !matches!(c, '\n' | '\t');
        assert_eq!(text.chars().find(hidden), None, "{of}: {}", text.escape_debug());
        assert!(!text.contains(&"\u{301}".repeat(7)), "{of}: marks cover the lines above");
    }
}
