//! Every command and every flag that changes what is printed, driven with the corpus: in a pipe and on a terminal.

use std::panic::catch_unwind;
use std::sync::{LazyLock, Mutex};

use super::corpus::{HOSTILE, SHOWN, assert_clean, assert_tame};
use super::files::Files;
use super::liar::{LIES, Lie, liar};
use crate::harness::{Terminal, incident};

/// What a drive has to show, so that it is known that the hostile text came as far as the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Text from elsewhere, through the gate.
    Text,
    /// The same as JSON.
    Json,
    /// The file as it is; on a terminal through the gate.
    File,
    /// Nothing from elsewhere: such texts are refused or left out before.
    Nothing,
}
use Shows::{File, Json, Nothing, Text};

/// Arguments, with `{URL}` for a server that lies, `{NAME}` for a file, and `{text}` for the hostile text.
pub type Drive = (Shows, &'static [&'static str]);

/// Run against each of the hostile servers.
pub const AT_SERVERS: &[Drive] = &[
    (Text, &["watch", "--url", "{URL}", "--no-reconnect", "--after", "0"]),
    (Json, &["watch", "--url", "{URL}", "--no-reconnect", "--after", "0", "--json"]),
    (
        Text,
        &["watch", "--url", "{URL}", "--no-reconnect", "--after", "0", "--utc", "--type", "system_metrics"],
    ),
    (
        Text,
        &[
            "watch",
            "--url",
            "{URL}",
            "--no-follow",
            "--no-reconnect",
            "--after",
            "0",
            "--tail",
            "3",
            "--record",
            "{new}",
        ],
    ),
    (
        Text,
        &[
            "watch",
            "--url",
            "{URL}",
            "--until-resolved",
            "--after",
            "0",
            "--no-reconnect",
            "--include",
            "z",
            "--exclude",
            "qqq",
        ],
    ),
    (Text, &["watch", "--url", "{URL}", "--no-reconnect", "--incident", "x-1", "--min-confidence", "0.1"]),
    (
        Text,
        &[
            "watch",
            "--url",
            "{URL}",
            "--no-reconnect",
            "--after",
            "0",
            "--phase",
            "{text}diagnose",
            "--quiet",
        ],
    ),
    (Text, &["trigger", "x", "--url", "{URL}", "--reconnect-for", "1s", "--timeout", "2s"]),
    (
        Text,
        &[
            "trigger",
            "x",
            "--url",
            "{URL}",
            "--reconnect-for",
            "1s",
            "--timeout",
            "3s",
            "--speed",
            "3",
            "--seed",
            "1",
        ],
    ),
    (Json, &["trigger", "x", "--url", "{URL}", "--reconnect-for", "1s", "--timeout", "2s", "--json"]),
    (Text, &["trigger", "x", "--url", "{URL}", "--no-wait"]),
    (
        Text,
        &["trigger", "x", "--url", "{URL}", "--reconnect-for", "1s", "--timeout", "2s", "--report", "{new}"],
    ),
    (
        Nothing,
        &[
            "trigger",
            "x",
            "--url",
            "{URL}",
            "--reconnect-for",
            "1s",
            "--timeout",
            "2s",
            "--alerts-to",
            "http://127.0.0.1:1",
        ],
    ),
    (Text, &["trigger", "x", "--url", "{URL}", "--no-wait", "--set", "{text}=1"]),
    (Text, &["list", "--url", "{URL}"]),
    (Text, &["list", "--url", "{URL}", "--running"]),
    (Json, &["list", "--url", "{URL}", "--running", "--json"]),
    (Text, &["cancel", "x-1", "--url", "{URL}"]),
    (Nothing, &["publish", "{run}", "--url", "{URL}", "--retry-for", "1s"]),
    (Nothing, &["publish", "{run}", "--url", "{URL}", "--retry-for", "1s", "--json"]),
    (Nothing, &["publish", "action", "--subject", "a", "{text}", "--url", "{URL}", "--retry-for", "1s"]),
    (
        Nothing,
        &[
            "publish",
            "note",
            "--subject",
            "a",
            "--by",
            "{text}",
            "{text}",
            "--url",
            "{URL}",
            "--retry-for",
            "1s",
        ],
    ),
    (Text, &["report", "x-1", "--url", "{URL}"]),
    (Nothing, &["report", "x-1", "--url", "{URL}", "--output", "{new}"]),
    (Text, &["health", "--url", "{URL}"]),
    (Text, &["health", "--url", "{URL}", "--ready", "--timeout", "2s"]),
    (Text, &["validate", "--url", "{URL}", "--trigger", "x", "--timeout", "2s"]),
    (Json, &["validate", "--url", "{URL}", "--for", "1s", "--format", "json"]),
    (Text, &["validate", "--url", "{URL}", "--for", "1s", "--clients", "3", "--gentle", "--verbose"]),
    (Text, &["validate", "--url", "{URL}", "--for", "1s", "--report", "github=-"]),
    (Nothing, &["validate", "--sse", "{URL}", "--for", "1s"]),
];

/// Run once.
pub const AT_FILES: &[Drive] = &[
    (Text, &["validate", "{run}"]),
    (Text, &["validate", "{torn}", "--verbose"]),
    (Text, &["validate", "{nonsense}", "--quiet"]),
    (Json, &["validate", "{nonsense}", "--format", "json"]),
    (Text, &["validate", "{bytes}"]),
    (Text, &["validate", "{scenario}", "--transcripts", "{new}", "--verbose"]),
    (Text, &["validate", "{mixed}"]),
    (Json, &["validate", "{mixed}", "--format", "json"]),
    (Text, &["validate", "{broken}"]),
    (Text, &["validate", "{unknown}"]),
    (Text, &["validate", "{raw}"]),
    (Text, &["validate", "--timeline", "{scenario}"]),
    (Text, &["validate", "--timeline", "{raw}"]),
    (Text, &["validate", "{run}", "--expect", "{scenario}"]),
    (Text, &["validate", "{run}", "--expect", "{broken}"]),
    (Text, &["validate", "{missing}.toml"]),
    (Text, &["validate", "{missing}"]),
    (Text, &["validate", "{run}", "--rule", "{text}"]),
    (Text, &["validate", "{run}", "--skip", "{text}"]),
    (Text, &["validate", "{run}", "--limit", "{text}"]),
    (Text, &["validate", "{run}", "--profile", "{text}"]),
    (Text, &["validate", "{run}", "--profile", "{broken}"]),
    (Text, &["validate", "{run}", "--contract", "{broken}"]),
    (Text, &["validate", "--url", "ws://127.0.0.1:1/", "--header", "{text}"]),
    (Nothing, &["validate", "--url", "ws://127.0.0.1:1/", "--subprotocol", "{text}"]),
    (
        Nothing,
        &["validate", "--url", "ws://127.0.0.1:1/", "--send", "{text}", "--profile", "plain", "--for", "1s"],
    ),
    (Json, &["validate", "{nonsense}", "--report", "sarif=-"]),
    (Text, &["validate", "{nonsense}", "--report", "github=-", "--format", "pretty"]),
    (Text, &["validate", "{nonsense}", "--report", "junit={new},github=-"]),
    (Text, &["validate", "{nonsense}", "--report", "{text}"]),
    (Nothing, &["validate", "--list"]),
    (Text, &["validate", "{run}", "--profile", "{missing}.toml"]),
    (Text, &["validate", "{run}", "--profile", "{raw}"]),
    (Text, &["validate", "{run}", "--profile", "cloudevents"]),
    (Text, &["validate", "{run}", "--contract", "{missing}.json"]),
    (Text, &["validate", "{run}", "--contract", "{nonsense}"]),
    (Text, &["validate", "--sse", "{text}"]),
    (Text, &["validate", "--url", "ws://127.0.0.1:1/", "--send", "@{missing}"]),
    (Text, &["list", "--scenarios", "{good}"]),
    (Text, &["list", "--scenarios", "{mixed}"]),
    (Json, &["list", "--scenarios", "{mixed}", "--json"]),
    (Text, &["list", "--scenarios", "{missing}"]),
    (File, &["show", "hostile", "--scenarios", "{good}"]),
    (Text, &["show", "{text}"]),
    (Text, &["show", "broken{text}", "--scenarios", "{mixed}"]),
    (Text, &["new", "{text}"]),
    (Nothing, &["new", "mine", "--output", "-"]),
    (Nothing, &["new", "mine", "--output", "{good}/x/y"]),
    (Text, &["export", "{text}", "--openmetrics"]),
    (Text, &["export", "{scenario}", "--openmetrics", "--step", "1m"]),
    (Nothing, &["export", "{scenario}", "--logs-ndjson"]),
    (Nothing, &["export", "{scenario}", "--alerts-json"]),
    (Nothing, &["export", "{scenario}", "--changes-json"]),
    (Nothing, &["export", "{scenario}", "--openmetrics", "--step", "1m", "--output", "{new}"]),
    (Text, &["export", "{scenario}", "--openmetrics", "--set", "variant={text}"]),
    (Text, &["export", "{scenario}", "--openmetrics", "--start", "{text}"]),
    (Text, &["export", "{broken}", "--openmetrics"]),
    (Text, &["validate", "{scenario}", "--set", "{text}=1"]),
    (Text, &["validate", "--timeline", "{scenario}", "--set", "{text}=1"]),
    (Text, &["report", "{run}"]),
    (Nothing, &["report", "{run}", "--output", "{new}"]),
    (Text, &["report", "{run}", "--incident", "nothing"]),
    (Text, &["report", "{torn}"]),
    (Text, &["report", "{nonsense}"]),
    (Text, &["report", "{bytes}"]),
    (Text, &["report", "{missing}"]),
    (Text, &["publish", "{missing}"]),
    (Nothing, &["publish", "{nonsense}", "--url", "ws://127.0.0.1:1/", "--retry-for", "100ms"]),
    (
        Nothing,
        &["publish", "{run}", "--source", "{text}", "--url", "ws://127.0.0.1:1/", "--retry-for", "100ms"],
    ),
    (Text, &["cancel", "{text}"]),
    (Text, &["trigger", "{raw}"]),
    (Text, &["trigger", "{scenario}"]),
    (Text, &["trigger", "x", "--token-file", "{tokens}"]),
    (Text, &["trigger", "x", "--alerts-to", "{text}"]),
    (Text, &["trigger", "x", "--alerts-to", "http://127.0.0.1:1", "--alert-label", "{text}"]),
    (Text, &["trigger", "x", "--alerts-to", "http://127.0.0.1:1", "--alerts-token-file", "{missing}"]),
    (Text, &["list", "--running", "--token-file", "{tokens}"]),
    (Text, &["watch", "--cacert", "{tokens}", "--url", "wss://127.0.0.1:1/"]),
    (Text, &["watch", "--record", "{run}", "--url", "ws://127.0.0.1:1/"]),
    (Text, &["check-journal", "{journal}"]),
    (Json, &["check-journal", "{damaged}", "--json"]),
    (Text, &["check-journal", "{damaged}"]),
    (Text, &["check-journal", "{damaged}", "--salvage", "{new}"]),
    (Text, &["check-journal", "{journal}", "--backup", "{new}"]),
    (Text, &["check-journal", "{no}"]),
    (Text, &["check-journal", "{missing}"]),
    (Text, &["check-journal", "nats://127.0.0.1:1?durability=always&stream={text}"]),
    (Text, &["copy-journal", "{journal}", "{new}"]),
    (Nothing, &["copy-journal", "{journal}", "{new}", "--new-stream", "--json"]),
    (Text, &["copy-journal", "{damaged}", "{new}"]),
    (Text, &["copy-journal", "{missing}", "{new}"]),
    (Text, &["copy-journal", "{journal}", "nats://127.0.0.1:1?durability=always&creds={missing}"]),
    (Text, &["check-receivers", "{receivers}"]),
    (Text, &["check-receivers", "{receivers}", "--payload", "{sample}"]),
    (Json, &["check-receivers", "{receivers}", "--payload", "{sample}", "--json"]),
    (Text, &["check-receivers", "{receivers}", "--payload", "{sample}", "--receiver", "{text}"]),
    (Text, &["check-receivers", "{receivers}", "--payload", "{nonsense}"]),
    (Text, &["check-receivers", "{receivers}", "--payload", "{missing}"]),
    (Text, &["check-receivers", "{broken}"]),
    (Text, &["check-receivers", "{missing}"]),
    (Text, &["serve", "--port", "0", "--receivers", "{broken}"]),
    (Text, &["serve", "--port", "0", "--sinks", "{broken}"]),
    (Text, &["serve", "--port", "0", "--sinks", "{missing}"]),
    (Text, &["serve", "--port", "0", "--scenarios", "{raw}"]),
    (Text, &["serve", "--port", "0", "--scenarios", "{missing}"]),
    (Text, &["serve", "--port", "0", "--scenarios", "{mixed}", "--trigger", "{text}"]),
    (Text, &["serve", "--port", "0", "--replay", "{nonsense}"]),
    (Text, &["serve", "--port", "0", "--replay", "{bytes}"]),
    (Text, &["serve", "--port", "0", "--token-file", "{tokens}"]),
    (Text, &["serve", "--port", "0", "--journal", "{no}"]),
    (Text, &["serve", "--port", "0", "--journal", "nats://{text}?durability=always"]),
    (Text, &["serve", "--port", "0", "--journal", "{damaged}", "--log-format", "text"]),
    (Text, &["serve", "--port", "0", "--tls-cert", "{tokens}", "--tls-key", "{tokens}"]),
    (Json, &["serve", "--port", "0", "--log-format", "json", "--replay", "{nonsense}"]),
    (Text, &["serve", "--allow-origin", "{text}"]),
    (Text, &["serve", "--peers", "{text}"]),
    (Text, &["serve", "--base-path", "{text}"]),
    (Text, &["serve", "--bind", "{text}"]),
    (Text, &["man", "{text}"]),
    (Text, &["completions", "{text}"]),
    (Text, &["{text}"]),
    (Text, &["watch", "--{text}"]),
    (Text, &["watch", "--url", "{text}"]),
    (Text, &["watch", "--after", "{text}"]),
    (Text, &["watch", "--include", "({text}"]),
    (Text, &["schema", "{text}"]),
    (Nothing, &["schema"]),
    (Nothing, &["schema", "--asyncapi"]),
    (Nothing, &["schema", "--scenario"]),
    (Text, &["schema", "--check", "{missing}"]),
    (Text, &["schema", "--check", "{bytes}"]),
    (Nothing, &["man", "watch"]),
    (Nothing, &["completions", "bash"]),
];

/// The arguments with everything in braces replaced.
fn filled(args: &[&str], files: &Files, url: &str) -> Vec<String> {
    let filled = args.iter().map(|arg| {
        let arg = arg.replace("{URL}", url).replace("{text}", &HOSTILE.replace('\0', ""));
        match arg.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
            Some((before, (name, after))) if name.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                format!("{before}{}{after}", files.path(name).display())
            }
            _ => arg,
        }
    });
    filled.collect()
}

fn drive((shows, args): Drive, lie: Option<(Lie, &str)>, files: &Files) {
    let url = lie.map_or("", |(_, url)| url);
    // What a server says that is none does not get far as the text of an output, but for its body.
    let told = matches!(lie, None | Some((Lie::Friendly, _)))
        || (matches!(lie, Some((Lie::Problem, _))) && shows == Text);
    let name = |place: &str| format!("{args:?} {place}, {:?}", lie.map(|(lie, _)| lie));

    let given = filled(args, files, url);
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let ran = incident(&given).run();
    // Reports are for people, in files too.
    let written =
        given.iter().position(|arg| ["--output", "--report"].contains(arg)).map(|flag| given[flag + 1]);
    if let Some(text) = written.and_then(|file| std::fs::read_to_string(file).ok()) {
        assert_clean(&text, &name("in its file"));
        assert!(text.contains("]0;pwned"), "{}: {text}", name("in its file"));
    }
    let both = format!("{}{}", ran.stdout, ran.stderr);
    let from = name("in a pipe");
    let json = args.contains(&"--json") && !["list", "check-journal", "check-receivers"].contains(&args[0]);
    match shows {
        // An event is the bytes that the server sent: one line of JSON.
        Json if json => {
            let lines =
                ran.stdout.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_err());
            assert_eq!(lines.collect::<Vec<_>>(), [""; 0], "{from}");
            assert_clean(&ran.stderr, &from);
        }
        File => assert!(ran.stdout.contains("\\U0000001B") && ran.stderr.is_empty(), "{from}: {both}"),
        _ => assert_clean(&both, &from),
    }
    // A drawn mistake is wrapped, where the length of the path wants it.
    let unwrapped: String = both.split('│').flat_map(str::split_whitespace).collect();
    // As it is shown, as JSON writes it, or as JSON writes what is shown.
    let shown = [SHOWN, "z\\u001b]0;pwned\\u0007", "z\\\\u{1b}]0;pwned\\\\u{7}"]
        .iter()
        .any(|form| unwrapped.contains(form));
    assert!(shown || !told || matches!(shows, Nothing | File), "{from} shows nothing:\n{both}");

    let given = filled(args, files, url);
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    assert_tame(&Terminal::in_colors(120, &given).end_with_bytes(), &name("on a terminal"));
}

static FILES: LazyLock<Files> = LazyLock::new(|| Files::new().with_journals());

/// Runs drives on a few threads: most of their time they wait. All that fail are told.
fn all(drives: Vec<(Drive, Option<(Lie, &str)>)>) {
    let next = Mutex::new(drives.into_iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((one, lie)) = next.lock().unwrap().next() else { return };
                    if catch_unwind(|| drive(one, lie, &FILES)).is_err() {
                        failed.lock().unwrap().push(format!("{:?} {:?}", one.1, lie.map(|(lie, _)| lie)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn no_file_steers_an_output() {
    all(AT_FILES.iter().map(|one| (*one, None)).collect());
}

#[test]
fn no_server_steers_an_output() {
    let urls = LIES.map(|lie| (lie, liar(lie)));
    let drives =
        urls.iter().flat_map(|(lie, url)| AT_SERVERS.iter().map(|one| (*one, Some((*lie, url.as_str())))));
    all(drives.collect());
}
