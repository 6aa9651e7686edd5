//! `incident check-receivers` and `incident serve --receivers`: the real binary.

use serde_json::json;

use super::lab::{ended, firing, group};
use crate::harness::{Http, PATIENCE, Scratch, Serving, incident};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const FILE: &str = "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = \"prod.token\"\n";

fn folder() -> Scratch {
    let sample = group(&[firing("High", 0), firing("Watchdog", 0)]).to_string();
    let file = format!(
        "{FILE}title = \"{{alertname}} on {{service}}\"\n[[receiver.drop]]\nmatch = {{ alertname = \"Watchdog\" }}\n"
    );
    Scratch::new()
        .with("receivers.toml", &file)
        .with("prod.token", &format!("# for the alerts\n{SECRET}\n"))
        .with("sample.json", &sample)
}

/// Several receivers may name one file.
#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_warned_about_once() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder().with("two.toml", &format!("{FILE}{}", FILE.replace("prod\"", "test\"")));
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("prod.token"), open).unwrap();
    // It can't listen there: what is said before matters.
    let args =
        ["serve", "--bind", "192.0.2.1", "--allow-remote", "--journal", "memory", "--receivers", "two.toml"];
    let ran = incident(&args).at(folder.path()).run();
    assert_eq!(ran.stderr.matches("other users can read").count(), 1, "{ran:?}");
}

#[test]
fn a_sample_shows_what_would_be_written() {
    let folder = folder();
    let ran =
        incident(&["check-receivers", "receivers.toml", "--payload", "sample.json"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    for line in [
        "receivers.toml: 1 receiver",
        "/hooks/alertmanager/prod",
        "ignored    1 alert (dropped)",
        "incident   prod-checkout-",
        "title      High on checkout",
        "severity   SEV1",
        "services   checkout",
        "agent_action       alert_firing: High fires on checkout (SEV1)",
    ] {
        assert!(ran.stdout.contains(line), "{line:?} is not in\n{}", ran.stdout);
    }
    let args =
        ["check-receivers", "receivers.toml", "--payload", "sample.json", "--receiver", "prod", "--json"];
    let ran = incident(&args).at(folder.path()).run();
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["events"][0]["type"], "incident_started");
    assert_eq!(told["ignored"], json!({ "dropped": 1 }));
}

/// The guide's file, sample and output.
#[test]
fn the_guide_shows_what_the_command_prints() {
    let guide = std::fs::read_to_string(crate::harness::root().join("docs/receivers.md")).unwrap();
    let block = |opening: &str| guide.split(opening).nth(1).unwrap().split("```").next().unwrap().to_owned();
    let folder = Scratch::new()
        .with("receivers.toml", &block("```toml\n"))
        .with("sample.json", &block("```json\n"))
        .with("prod.token", &format!("{SECRET}\n"));
    let shown = block("```\n$ incident check-receivers receivers.toml --payload sample.json\n");
    let ran =
        incident(&["check-receivers", "receivers.toml", "--payload", "sample.json"]).at(folder.path()).run();
    let digest = ran.stdout.split("checkout-").nth(1).unwrap().split('\n').next().unwrap();
    assert_eq!(ran.stdout.replace(digest, "DIGEST"), shown);
}

#[test]
fn mistakes_are_shown_with_their_place() {
    let folder = folder()
        .with(
            "wrong.toml",
            "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_fil = \"prod.token\"\n",
        )
        .with("scoped.token", &format!("write {SECRET}\n"))
        .with("scoped.toml", &FILE.replace("prod.token", "scoped.token"))
        .with("missing.toml", &FILE.replace("prod.token", "missing.token"))
        .with("pager.toml", &FILE.replace("alertmanager", "pagerduty").replace("prod.token", "short.token"))
        .with("short.token", "0123456789abcdef\n")
        .with(
            "both.toml",
            &format!("{}{}", FILE.replace("\"prod\"", "\"am\""), FILE.replace("alertmanager", "grafana")),
        )
        .with("large.json", "{\"version\": \"1\", \"n\": 1e400}")
        .with("bad.json", "{\"version\": \"4\"}");
    let run = |args: &[&str]| incident(&[&["check-receivers"], args].concat()).at(folder.path()).run();
    for (args, exit, says) in [
        (&["wrong.toml"][..], 2, "did you mean \"token_file\"?"),
        (&["wrong.toml"], 2, "wrong.toml:4:1"),
        (&["wrong.toml"], 2, "2 mistakes in the file with receivers wrong.toml"),
        (&["scoped.toml"], 2, "scoped.token:1: the token of a receiver stands alone"),
        (&["missing.toml"], 2, "missing.token cannot be read"),
        (&["pager.toml"], 2, "has not 32 characters"),
        (&["nothing.toml"], 2, "the file with receivers nothing.toml cannot be read"),
        (&["receivers.toml", "--payload", "bad.json"], 5, "groupKey is missing (at /groupKey)"),
        (&["receivers.toml", "--payload", "bad.json", "--receiver", "x"], 2, "the file has prod"),
        (&["receivers.toml", "--payload", "large.json"], 2, "the sample is one of grafana"),
        (&["both.toml", "--payload", "large.json"], 5, "a number is too large"),
    ] {
        let ran = run(args);
        assert_eq!(ran.status, Some(exit), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {says:?} is not in\n{}", ran.stderr);
    }
}

/// A token in the place of its file's name is told nowhere.
#[test]
fn a_secret_that_stands_for_its_file_is_not_told() {
    let sinks = "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1\"\n";
    let signed = "[[receiver]]\nname = \"prod\"\nkind = \"grafana\"\nhmac_secret_file = \"prod.token\"\n";
    for (name, text, args) in [
        ("token_file", FILE.to_owned(), &["check-receivers", "x.toml"][..]),
        (
            "token_file",
            FILE.to_owned(),
            &["serve", "--port", "0", "--journal", "memory", "--receivers", "x.toml"],
        ),
        ("hmac_secret_file", signed.to_owned(), &["check-receivers", "x.toml"]),
        (
            "token_file",
            format!("{sinks}token_file = \"prod.token\"\n"),
            &["serve", "--port", "0", "--journal", "memory", "--sinks", "x.toml", "--log-format", "json"],
        ),
        (
            "password_file",
            format!("{sinks}username = \"me\"\npassword_file = \"prod.token\"\n"),
            &["serve", "--port", "0", "--journal", "memory", "--sinks", "x.toml"],
        ),
    ] {
        for secret in ["hunTerPwd", "ab3/hunTer0123456789abcdefPwd"] {
            let folder = Scratch::new().with("x.toml", &text.replace("prod.token", secret));
            let ran = incident(args).at(folder.path()).run();
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(ran.status, Some(2), "{args:?}: {told}");
            assert!(
                told.contains(&format!("{name} of")) && told.contains("names cannot be read"),
                "{args:?}: {told}"
            );
            assert!(!told.contains("hunTer"), "{args:?}: {told}");
        }
    }
}

/// Asks again until the answer is this one: the file is read again soon, not at once.
async fn answers(server: &Serving, path: &str, token: &str, status: u16) {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let body = group(&[ended("A", 0, 1)]).to_string();
        let reply = Http::new(server.address(), "POST", path).bearer(token).body(&body).send().await;
        if reply.status == status {
            return;
        }
        assert!(std::time::Instant::now() < end, "{path} answers {}", reply.status);
        tokio::time::sleep(crate::harness::ms(50)).await;
    }
}

#[tokio::test]
async fn a_server_reads_the_file_and_its_secrets_again() {
    let folder = folder();
    let file = folder.path().join("receivers.toml");
    let server = Serving::with(&["--journal", "memory", "--receivers", file.to_str().unwrap()]);
    let path = "/hooks/alertmanager/prod";
    answers(&server, path, SECRET, 200).await;
    let next = "fedcba9876543210";
    let folder = folder.with("prod.token", &format!("{SECRET}\n{next}\n"));
    answers(&server, path, next, 200).await;
    // A mistake changes nothing; a new receiver brings a new file with secrets, which is watched too.
    let folder = folder.with("receivers.toml", "[[receiver]]\n");
    server.signal("HUP");
    let folder = folder.with("other.token", "0123456789abcdef\n");
    let both = format!("{FILE}{}", FILE.replace("prod", "other"));
    let folder = folder.with("receivers.toml", &both);
    answers(&server, "/hooks/alertmanager/other", "0123456789abcdef", 200).await;
    let folder = folder.with("other.token", &format!("{next}\n"));
    answers(&server, "/hooks/alertmanager/other", "0123456789abcdef", 401).await;
    answers(&server, path, SECRET, 200).await;
    // A file without a token withdraws what it had, as that of the server's own tokens does.
    let folder = folder.with("prod.token", "# nobody\n");
    answers(&server, path, SECRET, 401).await;
    answers(&server, "/hooks/alertmanager/other", next, 200).await;
    let folder = folder.with("prod.token", &format!("{next}\n"));
    answers(&server, path, next, 200).await;
    drop(folder);
}
