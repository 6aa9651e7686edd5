//! Sinks on a server: what begins and ends in its journal is posted, and nothing waits for a sink.

use std::path::Path;

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, Retention};
use incident::scenario::Library;
use incident::server::{Options, SinkSetup};
use incident::sinks;
use serde_json::Value;

use super::fake::{Does, Fake, is_firing, scenario, time};
use crate::harness::{Http, Local, Numbers, Scratch, Serving, incident, options, root};

/// A sink of each of these, with further lines.
pub(super) fn setups(fakes: &[(&str, &Fake, &str)]) -> Vec<SinkSetup> {
    let file: String = fakes
        .iter()
        .map(|(name, fake, more)| {
            format!(
                "[[sink]]\nname = \"{name}\"\nkind = \"alertmanager\"\nurl = \"{}\"\n{more}\n",
                fake.url()
            )
        })
        .collect();
    let sinks = sinks::read("sinks.toml", &file).unwrap_or_else(|error| panic!("{error}"));
    sinks.into_iter().map(|sink| SinkSetup { endpoint: sink.url.clone(), sink }).collect()
}

async fn server(setups: Vec<SinkSetup>) -> Local {
    let (_folder, file) = scenario();
    let library = Library::read(Path::new(&file)).library;
    let stream = StreamId::generate(1_700_000_000_000, incident::random::bits());
    let journal = Journal::new(Memory::new(stream, Retention::default()));
    Local::playing(Options { sinks: Some(setups), ..options() }, library, journal).await
}

pub(super) async fn trigger(server: &Local, speed: u32) -> String {
    let body = format!("{{\"scenario\":\"drill\",\"speed\":{speed}}}");
    let reply = Http::trigger(server.address, &body).send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["id"].as_str().unwrap().to_owned()
}

async fn cancel(server: &Local, id: &str) {
    let reply = Http::new(server.address, "DELETE", &format!("/api/incidents/{id}")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn label<'a>(alert: &'a Value, name: &str) -> &'a str {
    alert["labels"][name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_alert_begins_and_ends_as_the_scenario_says_at_the_speed_of_the_drill() {
    let fake = Fake::start().await;
    let server = server(setups(&[("pager", &fake, "labels = { by = \"drills\" }")])).await;
    let id = trigger(&server, 20).await;
    let old = fake.until_firing("Old").await;
    let errors = fake.until_firing("Errors").await;
    let over = fake.until_over("Errors").await;
    for alert in [&old, &errors, &over] {
        assert_eq!((label(alert, "synthetic"), label(alert, "by")), ("true", "drills"), "{alert}");
        assert_eq!(label(alert, "run"), label(&old, "run"));
    }
    assert!(label(&old, "run").len() == 12 && !id.contains(label(&old, "run")));
    assert_eq!((label(&errors, "service"), label(&errors, "severity")), ("api", "critical"));
    assert_eq!(label(&old, "severity"), "warning", "unless the scenario says another");
    assert_eq!(errors["annotations"]["summary"], "Calls fail");
    assert_eq!(over["startsAt"], errors["startsAt"]);
    // From 1 s to 20.5 s, and from 10 min before the beginning: a twentieth of it.
    let secs =
        |since: &Value, until: &Value, end: &str| (time(until, end) - time(since, "startsAt")).as_secs_f64();
    assert!((secs(&errors, &over, "endsAt") - 0.975).abs() < 0.003, "{over}");
    assert!((secs(&old, &errors, "startsAt") - 30.05).abs() < 0.003, "{old}");
    let later = fake.until_firing("Later").await;
    assert_eq!(label(&later, "team"), "shop");
    // The resolution ends what is left.
    for name in ["Later", "Old"] {
        fake.until_over(name).await;
    }
    let numbers = Numbers::until(server.address, "incident_sink_firing_alerts{sink=\"pager\"}", 0.0).await;
    assert!(numbers.get("incident_sink_posts_total{result=\"accepted\",sink=\"pager\"}") >= 4.0);
    numbers.are(&[
        ("incident_sink_alerts_total{sink=\"pager\"}", 6),
        ("incident_sink_posts_total{result=\"failed\",sink=\"pager\"}", 0),
        ("incident_sink_untold_alerts_total{sink=\"pager\"}", 0),
    ]);
}

#[tokio::test]
async fn a_cancelled_drill_ends_its_alerts_and_begins_no_more() {
    let fake = Fake::start().await;
    let server = server(setups(&[("pager", &fake, "")])).await;
    let id = trigger(&server, 1).await;
    let fires = fake.until_firing("Old").await;
    cancel(&server, &id).await;
    let over = fake.until_over("Old").await;
    assert_eq!(over["startsAt"], fires["startsAt"]);
    let after = Numbers::until(server.address, "incident_sink_firing_alerts{sink=\"pager\"}", 0.0).await;
    after.are(&[("incident_sink_alerts_total{sink=\"pager\"}", 2)]);
    assert!(fake.told("Errors").is_none() && fake.told("Later").is_none());
}

/// One hangs, one refuses, one is not there; the drill and the fourth take no notice.
#[tokio::test]
async fn a_sink_that_hangs_or_fails_delays_neither_the_player_nor_other_sinks() {
    let (hangs, refuses, gone, takes) =
        (Fake::start().await, Fake::start().await, Fake::start().await, Fake::start().await);
    hangs.does(Does::Hangs);
    refuses.does(Does::Answers(400));
    let all = [
        ("a-hangs", &hangs, ""),
        ("b-refuses", &refuses, ""),
        ("c-gone", &gone, ""),
        ("d-takes", &takes, ""),
    ];
    let setups = setups(&all);
    drop(gone);
    let server = server(setups).await;
    trigger(&server, 20).await;
    takes.until_firing("Errors").await;
    takes.until_over("Later").await;
    let ended =
        Numbers::until(server.address, "incident_incidents_ended_total{outcome=\"resolved\"}", 1.0).await;
    ended.are(&[
        ("incident_sink_posts_total{result=\"refused\",sink=\"b-refuses\"}", 1),
        ("incident_sink_posts_total{result=\"failed\",sink=\"d-takes\"}", 0),
        ("incident_sink_alerts_total{sink=\"c-gone\"}", 0),
        ("incident_sink_alerts_total{sink=\"a-hangs\"}", 0),
    ]);
    assert!(ended.get("incident_sink_posts_total{result=\"failed\",sink=\"c-gone\"}") >= 1.0);
    assert_eq!((hangs.tries(), hangs.posts().len()), (1, 0), "one request at a time");
    // A server stops although a sink hangs.
    server.drained().await;
}

#[tokio::test]
async fn a_sink_that_comes_back_is_told_since_when_an_alert_fires() {
    let fake = Fake::start().await;
    fake.does(Does::Answers(503));
    let server = server(setups(&[("pager", &fake, "")])).await;
    let id = trigger(&server, 1).await;
    Numbers::at_least(server.address, "incident_sink_posts_total{result=\"failed\",sink=\"pager\"}", 2.0)
        .await;
    fake.does(Does::Takes);
    let told = fake.until_firing("Old").await;
    let path = format!("/api/incidents/{id}/alerts");
    let alerts = crate::harness::get(server.address, &path).await.json();
    let planned =
        alerts["alerts"].as_array().unwrap().iter().find(|alert| label(alert, "alertname") == "Old");
    let ms = |alert: &Value| time(alert, "startsAt").as_millisecond();
    assert_eq!(ms(&told), ms(planned.unwrap()));
}

#[tokio::test]
async fn a_sink_gets_the_scenarios_that_it_wants() {
    let (all, none) = (Fake::start().await, Fake::start().await);
    let both = [("all", &all, "scenarios = [\"dr*\"]"), ("none", &none, "scenarios = [\"other-*\"]")];
    let server = server(setups(&both)).await;
    trigger(&server, 20).await;
    all.until_over("Old").await;
    assert_eq!(none.tries(), 0);
    drop(server);
}

/// A pair gets the same labels, so that it takes them for the same alerts.
#[tokio::test]
async fn two_sinks_are_told_the_same() {
    let (one, other) = (Fake::start().await, Fake::start().await);
    let server = server(setups(&[("one", &one, ""), ("other", &other, "")])).await;
    trigger(&server, 20).await;
    for name in ["Old", "Errors", "Later"] {
        let (a, b) = (one.until_over(name).await, other.until_over(name).await);
        assert_eq!(
            (&a["labels"], &a["startsAt"], &a["endsAt"]),
            (&b["labels"], &b["startsAt"], &b["endsAt"])
        );
    }
    drop(server);
}

#[tokio::test]
async fn drills_at_the_same_time_have_alerts_of_their_own() {
    let fake = Fake::start().await;
    let server = server(setups(&[("pager", &fake, "")])).await;
    let (first, second) = (trigger(&server, 1).await, trigger(&server, 1).await);
    let runs = || {
        let posts = fake.posts();
        let alerts = posts.iter().flat_map(|post| &post.alerts);
        alerts.map(|alert| label(alert, "run").to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    Numbers::at_least(server.address, "incident_sink_alerts_total{sink=\"pager\"}", 2.0).await;
    assert_eq!(runs().len(), 2);
    cancel(&server, &first).await;
    fake.until_over("Old").await;
    let left = Numbers::until(server.address, "incident_sink_firing_alerts{sink=\"pager\"}", 1.0).await;
    left.are(&[("incident_sink_alerts_total{sink=\"pager\"}", 3)]);
    cancel(&server, &second).await;
}

/// A sink that refuses is where one looks: what fires is not what fired at the last post.
#[tokio::test]
async fn what_fires_is_shown_of_a_sink_that_refuses_too() {
    let refuses = Fake::start().await;
    refuses.does(Does::Answers(400));
    let server = server(setups(&[("pager", &refuses, "")])).await;
    let id = trigger(&server, 1).await;
    // `Old` from the start, `Errors` a second later, and none any more. The next post comes 15 s after the first.
    let firing = "incident_sink_firing_alerts{sink=\"pager\"}";
    Numbers::until(server.address, firing, 2.0).await;
    cancel(&server, &id).await;
    Numbers::until(server.address, firing, 0.0).await;
    assert_eq!((refuses.tries(), refuses.posts().len()), (1, 0), "it was posted again");
}

/// The real binary: secrets from files, the banner, and a file that changes while drills are played.
#[tokio::test]
async fn the_file_and_its_secrets_are_read_again_while_alerts_fire() {
    let (one, other) = (Fake::start().await, Fake::start().await);
    let (scenarios, drill) = scenario();
    let sink = |fake: &Fake, more: &str| {
        format!("[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"{}\"\n{more}\n", fake.url())
    };
    let folder = Scratch::new()
        .with("sinks.toml", &sink(&one, "username = \"me\"\npassword_file = \"secret\""))
        .with("secret", "a word with blanks\n");
    let file = folder.path().join("sinks.toml");
    let args = [
        "--journal",
        "memory",
        "--scenarios",
        &drill,
        "--trigger",
        "drill",
        "--sinks",
        file.to_str().unwrap(),
    ];
    let fixed = ["serve", "--port", "0", "--json", "--quiet"];
    let server = Serving::alone(&[&fixed[..], &args].concat());
    one.until_firing("Old").await;
    let basic = "Basic bWU6YSB3b3JkIHdpdGggYmxhbmtz";
    assert!(one.posts().iter().all(|post| post.authorization == basic), "{:?}", one.posts());
    std::fs::write(folder.path().join("secret"), "a-t0ken\n").unwrap();
    std::fs::write(&file, sink(&other, "token_file = \"secret\"")).unwrap();
    // The alert ends where it fired, and goes on where it is told now, since it began.
    let (over, fires) = (one.until_over("Old").await, other.until_firing("Old").await);
    assert_eq!(over["startsAt"], fires["startsAt"]);
    assert_eq!(other.posts()[0].authorization, "Bearer a-t0ken");
    // A mistake changes nothing.
    std::fs::write(&file, "[[sink]]\n").unwrap();
    server.signal("HUP");
    assert!(is_firing(&other.told("Old").unwrap()));
    drop((server, scenarios));
}

/// A new secret is no end: what fires goes on firing.
#[tokio::test]
async fn a_secret_is_rotated_without_an_end() {
    let fake = Fake::start().await;
    let (_scenarios, drill) = scenario();
    let file = format!(
        "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"{}\"\ntoken_file = \"secret\"\n",
        fake.url()
    );
    let folder = Scratch::new().with("sinks.toml", &file).with("secret", "first\n");
    let file = folder.path().join("sinks.toml");
    let args = ["serve", "--port", "0", "--json", "--quiet", "--journal", "memory", "--scenarios", &drill];
    let server =
        Serving::alone(&[&args[..], &["--trigger", "drill", "--sinks", file.to_str().unwrap()]].concat());
    fake.until_firing("Old").await;
    std::fs::write(folder.path().join("secret"), "second\n").unwrap();
    // Until the file was read again, drills are posted with the first one.
    let rotated = async {
        while !fake.posts().iter().any(|post| post.authorization == "Bearer second") {
            assert_eq!(server.incident(&["trigger", "drill", "--no-wait"]).run().status, Some(0));
            tokio::time::sleep(crate::harness::ms(100)).await;
        }
    };
    crate::harness::soon("the new secret", rotated).await;
    assert!(fake.posts().iter().flat_map(|post| &post.alerts).all(is_firing));
}

#[test]
fn the_banner_names_the_sinks_and_no_secret() {
    let folder = Scratch::new().with("secret", "very-secret\n").with(
        "sinks.toml",
        "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1/am\"\ntoken_file = \"secret\"\n",
    );
    let file = folder.path().join("sinks.toml");
    let mut running =
        incident(&["serve", "--port", "0", "--journal", "memory", "--sinks", file.to_str().unwrap()]).spawn();
    assert_eq!(running.says("Sinks"), "  Sinks      pager (http://127.0.0.1:1/am/)");
    running.says("Ready in");
    running.signal("TERM");
    let ran = running.end();
    assert_eq!(ran.status, Some(0));
    assert!(!ran.stderr.contains("very-secret"), "{}", ran.stderr);
}

#[test]
fn a_file_with_mistakes_starts_no_server() {
    let folder = Scratch::new()
        .with("wrong.toml", "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"127.0.0.1:9093\"\n")
        .with(
            "secretless.toml",
            "[[sink]]\nname = \"a\"\nkind = \"alertmanager\"\nurl = \"http://a\"\ntoken_file = \"none.token\"\n",
        );
    for (file, said) in [
        ("wrong.toml", "not the URL of an Alertmanager"),
        ("secretless.toml", "none.token cannot be read"),
        ("nothing.toml", "docs/sinks.md"),
    ] {
        let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--sinks", file])
            .at(folder.path())
            .run();
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

/// The guide's table of metrics is what the server shows.
#[tokio::test]
async fn the_guide_documents_the_metrics_of_sinks() {
    let fake = Fake::start().await;
    let server = server(setups(&[("pager", &fake, "")])).await;
    let numbers = Numbers::at_least(server.address, "incident_sink_alerts_total{sink=\"pager\"}", 0.0).await;
    let guide = std::fs::read_to_string(root().join("docs/sinks.md")).unwrap();
    let mut found = 0;
    for (name, kind, help) in
        numbers.described().into_iter().filter(|(name, ..)| name.starts_with("incident_sink_"))
    {
        let row =
            format!("| `{name}` | {kind} | {} | {} |", numbers.labels(&name), help.trim_end_matches('.'));
        assert!(guide.contains(&row), "docs/sinks.md lacks\n{row}");
        found += 1;
    }
    assert_eq!(found, guide.matches("| `incident_sink_").count());
}
