//! `sinks.toml`: what it can say, and every mistake with its place.

use incident::plan::RESERVED_LABELS;
use incident::sinks::{self, Credentials, SINK_KEYS};

const SOUND: &str = "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9093\"\n";

#[test]
fn a_file_says_where_and_for_which_scenarios() {
    let text = format!(
        "{SOUND}labels = {{ team = \"drills\" }}\nscenarios = [\"api-*\", \"drill\"]\ntoken_file = \"t\"\n\
         generator_url = \"https://wiki.example/drills\"\nca_file = \"ca.pem\"\n\
         [[sink]]\nname = \"b\"\nkind = \"alertmanager\"\nurl = \"https://alerts.example/am/\"\n\
         username = \"me\"\npassword_file = \"p\"\n"
    );
    let sinks = sinks::read("sinks.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let [one, other] = sinks.as_slice() else { panic!("{sinks:?}") };
    assert_eq!(one.url.http("/api/v2/alerts"), "http://127.0.0.1:9093/api/v2/alerts");
    assert_eq!(other.url.http("/api/v2/alerts"), "https://alerts.example/am/api/v2/alerts");
    assert_eq!(one.credentials, Some(Credentials::Token("t".into())));
    assert_eq!(other.credentials, Some(Credentials::Basic("me".to_owned(), "p".into())));
    assert_eq!(one.labels["team"], "drills");
    for (scenario, wanted) in [("api-overload", true), ("drill", true), ("drill-2", false)] {
        assert_eq!(one.scenarios.allow(scenario), wanted, "{scenario}");
        assert!(other.scenarios.allow(scenario), "all without a list");
    }
}

/// What is added, what has to be said, the help.
const CASES: &[(&str, &str, &str)] = &[
    ("lables = { a = \"b\" }", "a sink has no key \"lables\"", "did you mean \"labels\"?"),
    ("labels = { run = \"x\" }", "the label \"run\" is set by the program", "with other names"),
    ("labels = { \"a-b\" = \"x\" }", "\"a-b\" can't be the name of a label", "no digit first"),
    ("labels = { a = \"x\\ny\" }", "the value of a label", "in one line"),
    ("scenarios = []", "scenarios is empty", "remove it for all"),
    ("scenarios = \"a\"", "scenarios is the text \"a\"", "a list of texts"),
    ("username = \"me\"", "username needs password_file", "add password_file"),
    ("password_file = \"p\"", "password_file needs username", "add username"),
    ("username = \"a:b\"\npassword_file = \"p\"", "can't have a colon", ""),
    (
        "token_file = \"t\"\nusername = \"a\"\npassword_file = \"p\"",
        "both token_file and username",
        "one of them",
    ),
    ("generator_url = \"here\"", "\"here\" is not a URL", "https://"),
    ("[[sinks]]\n", "the file has no key \"sinks\"", "did you mean \"sink\"?"),
    (
        "[[sink]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://b:1\"",
        "two sinks with the name \"pager\"",
        "of its own",
    ),
    (
        "[[sink]]\nname = \"Ä\"\nkind = \"alertmanager\"\nurl = \"http://b:1\"",
        "can't be the name of a sink",
        "a-z",
    ),
    (
        "[[sink]]\nname = \"b\"\nkind = \"alertmanger\"\nurl = \"http://b:1\"",
        "there is no kind",
        "did you mean \"alertmanager\"?",
    ),
    ("[[sink]]\nname = \"b\"\nkind = \"alertmanager\"", "the sink has no url", "add url"),
    ("[[sink]]\nkind = \"alertmanager\"\nurl = \"http://b:1\"", "the sink has no name", "add name"),
];

#[test]
fn each_mistake_is_told_with_help() {
    for (more, message, help) in CASES {
        let error = sinks::read("sinks.toml", &format!("{SOUND}{more}\n")).expect_err(more);
        let told = error.diagnostics.iter().find(|found| found.message.contains(message));
        let told = told.unwrap_or_else(|| panic!("{more:?} says {error}"));
        assert!(told.help.as_deref().unwrap_or_default().contains(help), "{more:?}: {:?}", told.help);
    }
    let all = format!("[[sink]]\n{}", CASES[..6].iter().map(|(more, ..)| *more).take(1).collect::<String>());
    let error = sinks::read("sinks.toml", &all).unwrap_err();
    assert_eq!(error.diagnostics.len(), 4, "name, kind, url and the key: {error}");
    assert!(sinks::read("sinks.toml", "").unwrap_err().to_string().contains("the file has no sink"));
}

#[test]
fn only_the_url_of_an_alertmanager_is_one() {
    for url in [
        "127.0.0.1:9093",
        "ws://127.0.0.1:9093",
        "http://",
        "http://a/?x=1",
        "http://a:99999/",
        "ftp://a/",
        "http://me:secret@a/",
        "http://a/api/v2/alerts",
        "http://a/ws",
    ] {
        let why = sinks::url(url).expect_err(url);
        assert!(!why.contains("secret"), "{why}");
    }
    assert!(sinks::url("http://a/api/v2/alerts/").unwrap_err().contains("leave out /api/v2/alerts"));
    for (url, posts) in [
        ("http://a:1", "http://a:1/x"),
        ("https://a/b/c", "https://a/b/c/x"),
        ("http://a/b//", "http://a/b/x"),
    ] {
        assert_eq!(sinks::url(url).unwrap().http("/x"), posts);
    }
}

/// What a mistake shows of the file lands in logs.
#[test]
fn the_lines_around_a_mistake_show_no_secret() {
    let head = "[[sink]]\nname = \"a\"\nkind = \"alertmanager\"\n";
    for (text, mistake) in [
        ("url = \"https://h/?key=s3cret\"\n", "is not the URL"),
        ("url = \"https://me:s3cret@h/\"\n", "no user and no password"),
        ("url = \"https://h/\"\ntoken = \"s3cret\"\n", "has no key"),
        ("url = \"https://h/\"\ntoken = \"s3cret\n", "sinks.toml"),
        ("url = \"https://h/\"\npassword = 's3cret'\nnoise = 1\n", "has no key"),
        ("url = \"https://h/\"\ntoken = s3cret\n", "sinks.toml"),
        ("url = \"https://h/\"\ntoken = [\"s3cret\"]\n", "has no key"),
    ] {
        let error = sinks::read("sinks.toml", &format!("{head}{text}")).unwrap_err();
        for shown in [error.render(false), error.to_string()] {
            assert!(shown.contains(mistake) && !shown.contains("s3cret"), "{shown}");
        }
    }
}

/// The guide has a row for every key and every label that is set.
#[test]
fn the_guide_has_every_key() {
    let guide = std::fs::read_to_string(crate::harness::root().join("docs/sinks.md")).unwrap();
    for key in SINK_KEYS {
        assert!(guide.contains(&format!("| `{key}` |")), "docs/sinks.md has no row for {key}");
    }
    for label in RESERVED_LABELS {
        assert!(guide.contains(&format!("`{label}`")), "docs/sinks.md says nothing of {label}");
    }
}
