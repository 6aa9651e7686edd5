//! What people see on terminals of 60, 80, 120 and 200 columns, held to files.

use std::path::PathBuf;

use serde_json::json;

use crate::harness::{Local, Scratch, Serving, Terminal, ensure_file_contents, fixture, incident, root};
use crate::publish::{action, publish, resolved, started};
use crate::validate::command::SHORT;

const WIDTHS: [u16; 4] = [60, 80, 120, 200];

/// A server on which one outage is over, and the outage's id.
fn over(scenarios: &str) -> (Serving, String) {
    let args = ["serve", "--port", "0", "--json", "--quiet", "--speed", "1000", "--seed", "42"];
    let server = Serving::alone(&[&args[..], &["--scenarios", scenarios]].concat());
    let name = incident(&["list", "--scenarios", scenarios]).run().stdout;
    let name = name.split('\t').next().unwrap();
    let ran = server.incident(&["trigger", name]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let id = ran.stdout.split_whitespace().next().unwrap().to_owned();
    (server, id)
}

/// The last part of an incident's id is drawn: the same five characters stand in the files.
fn settled(text: &str, id: &str) -> String {
    let drawn = id.rsplit('-').next().unwrap();
    text.replace(&format!("-{drawn}"), "-x7k2p") + "\n"
}

fn file(name: &str, columns: u16) -> PathBuf {
    fixture("terminal").join(format!("{name}.{columns}.txt"))
}

fn assert_fits(text: &str, columns: u16) {
    for line in text.lines() {
        let width = console::measure_text_width(line);
        assert!(width <= columns.into(), "{width} of {columns} columns: {line}");
    }
}

fn demo() -> String {
    root().join("scenarios/database-outage.toml").display().to_string()
}

#[test]
fn watch_is_laid_out_for_the_width_there_is() {
    let (server, id) = over(&demo());
    let files = WIDTHS.map(|columns| {
        let args = ["watch", "--after", "0", "--url", server.url()];
        let terminal = Terminal::run(columns, &args);
        // The footer of an incident that has ended does not change any more.
        terminal.shows("RESOLVED");
        let text = terminal.shows("resolved in 03:00");
        assert_fits(&text, columns);
        (file("watch", columns), settled(&text, &id))
    });
    ensure_file_contents(&files);
}

#[test]
fn wide_characters_and_many_metrics_fit_too() {
    let text = std::fs::read_to_string(fixture("scenarios/database-outage.toml")).unwrap();
    let text = text.replace(
        "14 alerts on checkout and orders-db are one incident",
        "決済と注文データベースの十四件の警報は一つの障害である。関係者に連絡し、原因の調査を始める",
    );
    let text = text.replace("[impact]", "接続数 = { unit = \"count\", keys = { 0s = 100 } }\n待ち行列 = { unit = \"count\", keys = { 0s = 7 } }\n[impact]").replace("接続数 =", "\"接続数\" =").replace("待ち行列 =", "\"待ち行列\" =");
    let folder = Scratch::new().with("wide.toml", &text);
    let (server, id) = over(folder.path().join("wide.toml").to_str().unwrap());
    let files = WIDTHS.map(|columns| {
        let args = ["watch", "--after", "0", "--include", "十四|resolved in", "--url", server.url()];
        let terminal = Terminal::run(columns, &args);
        terminal.shows("RESOLVED");
        let text = terminal.shows("resolved in 03:00");
        assert_fits(&text, columns);
        (file("wide", columns), settled(&text, &id))
    });
    ensure_file_contents(&files);
}

#[test]
fn the_list_fits() {
    let files = WIDTHS.map(|columns| {
        let (status, list) = Terminal::run(columns, &["list"]).end();
        assert_eq!(status, Some(0), "{list}");
        assert_fits(&list, columns);
        (file("list", columns), list + "\n")
    });
    ensure_file_contents(&files);
}

/// Every word of what a pipe gets is on the terminal as a whole.
fn assert_whole_words(piped: &str, terminal: &str, columns: u16) {
    let shown: std::collections::HashSet<&str> = terminal.split_whitespace().collect();
    for word in piped.split_whitespace() {
        assert!(shown.contains(word), "{columns} columns: {word:?} is broken in\n{terminal}");
    }
}

#[test]
fn the_timeline_breaks_no_word() {
    let long = "load_of_the_first_database = 0.5 and latency_p99 = 2590 follow the number of the connections";
    let text = SHORT.replace("Looks", long).replace("every = \"500ms\"", "every = \"1s\"");
    let text = text
        .replace("[metrics]\n", "[metrics]\nusers_who_wait = { unit = \"count\", keys = { 0s = 12000 } }\n");
    let folder = Scratch::new().with("short.toml", &text);
    let file = folder.path().join("short.toml");
    let args = ["validate", "--timeline", file.to_str().unwrap()];
    let piped = incident(&args).run();
    assert!(piped.status == Some(0) && piped.stdout.contains("users_who_wait=12000"), "{piped:?}");
    for columns in WIDTHS {
        let (status, shown) = Terminal::run(columns, &args).end();
        assert_eq!(status, Some(0), "{shown}");
        assert_fits(&shown, columns);
        assert_whole_words(&piped.stdout, &shown, columns);
    }
}

/// The phase gives way, then the middle of the id: each incident is one row.
#[test]
fn open_incidents_with_long_names_are_one_row_each() {
    let text = std::fs::read_to_string(demo()).unwrap();
    let long = "detect-and-diagnose-everything-at-once";
    let text =
        text.replace("\"detect\"", &format!("\"{long}\"")).replace("{ detect = ", &format!("{{ {long} = "));
    let folder = Scratch::new().with("long.toml", &text);
    let path = folder.path().join("long.toml");
    let server =
        Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--scenarios", path.to_str().unwrap()]);
    let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let end = ran.stdout.trim().rsplit('-').next().unwrap().to_owned();
    for columns in WIDTHS {
        let (status, list) = Terminal::run(columns, &["list", "--running", "--url", server.url()]).end();
        assert_eq!(status, Some(0), "{list}");
        let rows: Vec<&str> =
            list.lines().skip(1).take_while(|line| !line.contains("open incident")).collect();
        let [row] = rows[..] else { panic!("{columns} columns: {list}") };
        assert!(
            row.contains(&end) && row.contains("DRILL") && row.contains("SEV"),
            "{columns} columns: {list}"
        );
        assert!(row.contains("dete"), "{columns} columns: {list}");
    }
}

/// Terminals do not agree how wide a sequence of emoji is, so on a terminal there is none, and no column moves.
#[tokio::test(flavor = "multi_thread")]
async fn sequences_of_emoji_move_no_column() {
    let server = Local::start().await;
    let mut warns = action("pay-1", "2", "❤\u{fe0f} The database is well 👨\u{200d}👩\u{200d}👧");
    warns["data"]["agent"] = json!("⚠\u{fe0f}⚠\u{fe0f} bot");
    let mut plain = action("pay-1", "3", "Looked");
    plain["data"]["agent"] = json!("plain");
    let reply = publish(server.address, &[started("pay-1", "1"), warns, plain, resolved("pay-1", "4")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let url = format!("http://{}", server.address);
    let args = ["watch", "--after", "0", "--no-follow", "--url", &url];
    let shown = String::from_utf8(Terminal::run(120, &args).end_with_bytes()).unwrap();
    assert!(!shown.contains(['\u{fe0f}', '\u{200d}']), "{shown:?}");
    let rows: Vec<&str> = shown.lines().filter(|line| line.contains("✓ L") || line.contains("✓ ❤")).collect();
    let [warns, plain] = rows[..] else { panic!("{shown}") };
    let before = |row: &str| console::measure_text_width(row.split('✓').next().unwrap());
    assert_eq!(before(warns), before(plain), "{shown}");
    assert!(warns.contains("⚠⚠ bot") && warns.contains("👨👩👧"), "{warns}");
    // A program gets what was sent.
    let piped = incident(&args).run().stdout;
    assert!(piped.contains("❤\u{fe0f} The database is well 👨\u{200d}👩\u{200d}👧"), "{piped}");
}

/// That no dictionary is there to find their words was written in between.
#[tokio::test(flavor = "multi_thread")]
async fn of_scripts_without_spaces_nothing_is_said_but_the_text() {
    let texts = ["กำลังตรวจสอบประเทศ", "ກຳລັງກວດສອບ", "ကမ္ဘာမြန်မာ", "កម្ពុជាភាសា"];
    let server = Local::start().await;
    let told = texts.iter().zip(2..).map(|(text, n): (&&str, u32)| action("pay-1", &n.to_string(), text));
    let all: Vec<_> = std::iter::once(started("pay-1", "1")).chain(told).collect();
    let reply = publish(server.address, &all).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let url = format!("http://{}", server.address);
    let args = ["watch", "--after", "0", "--no-follow", "--url", &url];
    let shown = String::from_utf8(Terminal::run(120, &args).end_with_bytes()).unwrap();
    assert!(texts.iter().all(|text| shown.contains(text)) && !shown.contains("ICU4X"), "{shown}");

    let folder = Scratch::new()
        .with("x.toml", &SHORT.replace("[metrics]", &format!("\"{}\" = 1\n[metrics]", texts[0])));
    let file = folder.path().join("x.toml").display().to_string();
    for columns in WIDTHS {
        let bytes = Terminal::run(columns, &["validate", &file]).end_with_bytes();
        let shown = String::from_utf8(bytes).unwrap();
        assert!(shown.contains("x.toml:") && !shown.contains("ICU4X"), "{shown}");
    }
}

#[test]
fn the_last_words_of_trigger_are_whole() {
    let server = Serving::with(&["--speed", "1000"]);
    for columns in [20, 27, 40, 60] {
        let (status, screen) =
            Terminal::run(columns, &["trigger", "database-outage", "--url", server.url()]).end();
        assert_eq!(status, Some(0), "{screen}");
        let last = screen.split("Resolved in ").nth(1).unwrap_or_else(|| panic!("{screen}"));
        assert_whole_words("right on target actions, failed", last, columns);
    }
    let server = Serving::with(&[]);
    let mut terminal = Terminal::run(40, &["trigger", "database-outage", "--url", server.url()]);
    terminal.shows("00:0");
    terminal.interrupt();
    let (_, screen) = terminal.end();
    // A command that is copied has no break in it but those that the terminal makes.
    assert!(screen.contains("goes on. Watch it:\n  incident watch --incident database-out"), "{screen}");
}
