//! Hostile files: scenarios, recordings, tokens and journals, in a folder whose files have hostile names.

use std::fs;
use std::path::PathBuf;

use incident::visible::is_hidden;

use super::corpus::{HOSTILE, SHORT};
use super::events::{events, nonsense, other, playable};
use super::server::TOKEN;
use crate::harness::{Scratch, Serving, fixture, incident};

/// The folder, and what is in it. A name in braces in the arguments of a drive stands for one of its paths.
pub struct Files {
    folder: Scratch,
}

/// A TOML string with everything that it can have.
fn toml(text: &str) -> String {
    let written = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if is_hidden(c) => format!("\\U{:08X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(written).collect::<String>())
}

/// A scenario whose every text is hostile, and that can be played.
pub fn scenario() -> String {
    let text = fs::read_to_string(fixture("scenarios/database-outage.toml")).unwrap();
    let mut text = text.replace("id       = \"database-outage\"", "id = \"hostile\"");
    // A text of several lines is a mistake.
    let line = HOSTILE.replace(['\r', '\n'], " ");
    let agents = ["detection", "diagnosis", "prediction", "resolution", "communication"];
    for name in agents.into_iter().chain(["detect", "diagnose", "predict", "resolve", "verify"]) {
        let hostile = toml(&format!("{line}{name}"));
        text = text.replace(&format!("\"{name}\""), &hostile);
        // As a key, at the beginning of a line and in tables within one.
        let (own, expected) = text.split_once("[expect]").unwrap();
        let (own, expected) =
            (own.replace(&format!(" {name} = "), &format!(" {hostile} = ")), expected.to_owned());
        let keys = own.lines().map(|line| match line.split_once('=') {
            Some((key, rest)) if key.trim() == name => format!("{hostile} ={rest}"),
            _ => line.to_owned(),
        });
        text = keys.collect::<Vec<_>>().join("\n") + "\n[expect]" + &expected;
    }
    for value in [
        "Primary database connection pool exhausted",
        "checkout",
        "Connection leak in checkout release 2026.8.1",
        "Organic traffic spike",
        "14 alerts on checkout and orders-db are one incident",
        "ratio",
    ] {
        text = text.replace(&format!("\"{value}\""), &toml(&format!("{line}{value}")));
    }
    text
}

/// A scenario with a mistake of each kind, each at a hostile text.
fn broken() -> String {
    let hostile = toml(HOSTILE);
    let text = scenario().replace("id = \"hostile\"", &format!("id = {hostile}"));
    let text =
        text.replace("\"SEV1\"", &hostile).replace("target   = \"3m\"", &format!("target = {hostile}"));
    format!(
        "{text}\n[[steps]]\nid = {hostile}\nat = {hostile}\nagent = {hostile}\naction = \"x\"\nsummary = \"x\"\ncaused_by = {hostile}\n\
         {hostile} = 1\n[{hostile}]\n{hostile} = {hostile}\n[expect]\n{hostile} = {hostile}\n"
    )
}

/// The same with a reference to nothing and no other mistake.
fn unknown() -> String {
    let text = scenario();
    let step = text.find("[[steps]]").unwrap();
    let (before, after) = text.split_at(step);
    let agent = after.find("agent").unwrap();
    let line = after[agent..].find('\n').unwrap();
    format!("{before}{}agent = {}{}", &after[..agent], toml(HOSTILE), &after[agent + line..])
}

/// Receivers whose every text is hostile.
fn receivers() -> String {
    let (hostile, token) = (toml(HOSTILE), toml(&format!("receiver{SHORT}")));
    format!(
        "[[receiver]]\nname = \"prod\"\nkind = \"alertmanager\"\ntoken_file = {token}\ngroup_by = [{hostile}]\n\
         title = {}\n[receiver.services]\nlabels = [{hostile}]\n",
        toml(&format!("{HOSTILE}{{alertname}}"))
    )
}

/// A group of Alertmanager whose every text is hostile.
fn sample() -> String {
    let words = serde_json::json!({ HOSTILE: HOSTILE, "alertname": HOSTILE, "summary": HOSTILE });
    serde_json::json!({
        "version": "4",
        "groupKey": HOSTILE,
        "groupLabels": words,
        "alerts": [{
            "status": "firing",
            "labels": words,
            "annotations": words,
            "startsAt": "2026-11-26T12:00:00Z",
            "fingerprint": HOSTILE,
            "generatorURL": format!("http://{HOSTILE}"),
        }],
    })
    .to_string()
}

impl Files {
    pub fn new() -> Self {
        let lines = |lines: Vec<String>| lines.join("\n") + "\n";
        let files = [
            (format!("good/{SHORT}.toml"), scenario()),
            (format!("mixed/{SHORT}.toml"), scenario()),
            (format!("mixed/broken{SHORT}.toml"), broken()),
            (format!("mixed/raw{SHORT}.toml"), format!("# {HOSTILE}\nid = {HOSTILE}\n")),
            (format!("unknown{SHORT}.toml"), unknown()),
            (format!("broken{SHORT}.toml"), broken()),
            (format!("raw{SHORT}.toml"), format!("id = \"x\"\n# {HOSTILE}\ntitle = {HOSTILE}\n")),
            (format!("run{SHORT}.ndjson"), lines(events())),
            (format!("torn{SHORT}.ndjson"), lines([&events()[1..], &nonsense()[..]].concat())),
            (format!("nonsense{SHORT}.ndjson"), lines(nonsense())),
            (format!("bytes{SHORT}.ndjson"), format!("{HOSTILE}\n{{\"{HOSTILE}\n")),
            (format!("partial{SHORT}.ndjson"), lines([&playable()[..], &other()[..]].concat())),
            (format!("good_tokens{SHORT}"), format!("write {TOKEN}\n")),
            (format!("tokens{SHORT}"), format!("{HOSTILE} {HOSTILE}\n")),
            (format!("no{SHORT}.db"), HOSTILE.to_owned()),
            (format!("receivers{SHORT}.toml"), receivers()),
            (format!("receiver{SHORT}"), format!("{TOKEN}\n")),
            (format!("sample{SHORT}.json"), sample()),
        ];
        let folder = files.iter().fold(Scratch::new(), |folder, (name, text)| folder.with(name, text));
        Self { folder }
    }

    /// Adds a journal of a hostile incident, and one that is damaged.
    pub fn with_journals(self) -> Self {
        let (journal, damaged) = (self.path("journal"), self.path("damaged"));
        let (good, file) = (self.path("good"), journal.to_str().unwrap().to_owned());
        let args = ["serve", "--port", "0", "--json", "--quiet", "--speed", "1000", "--journal", &file];
        let server = Serving::alone(&[&args[..], &["--scenarios", good.to_str().unwrap()]].concat());
        assert_eq!(server.incident(&["trigger", "hostile", "--quiet"]).run().status, Some(0));
        server.signal("TERM");
        assert_eq!(server.end(), Some(0));
        fs::copy(&journal, &damaged).unwrap();
        let database = rusqlite::Connection::open(&damaged).unwrap();
        database.execute("UPDATE incidents SET subject = ?1", [HOSTILE]).unwrap();
        database.execute("UPDATE events SET subject = ?1 WHERE position > 3", [HOSTILE]).unwrap();
        drop(database);
        self
    }

    /// The path that a name in braces stands for. `new` is a file that is not there.
    pub fn path(&self, name: &str) -> PathBuf {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = || COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = match name {
            "folder" => String::new(),
            "good" | "mixed" => name.to_owned(),
            "scenario" => format!("good/{SHORT}.toml"),
            "unknown" | "broken" | "raw" | "receivers" => format!("{name}{SHORT}.toml"),
            "run" | "torn" | "nonsense" | "bytes" | "partial" => format!("{name}{SHORT}.ndjson"),
            "journal" | "damaged" | "no" => format!("{name}{SHORT}.db"),
            "sample" => format!("sample{SHORT}.json"),
            "tokens" | "good_tokens" => format!("{name}{SHORT}"),
            "missing" => format!("missing{SHORT}"),
            "new" => format!("new{}{SHORT}", count()),
            other => panic!("no file is called {other}"),
        };
        self.folder.path().join(file)
    }
}

/// Proves that the corpus is what it is meant to be: the hostile scenario can be played.
#[test]
fn the_hostile_scenario_is_sound() {
    let files = Files::new();
    let ran = incident(&["validate", files.path("scenario").to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    assert!(events().iter().all(|event| !event.contains('\n')));
}
