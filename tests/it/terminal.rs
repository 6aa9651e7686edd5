//! `incident trigger` on a terminal and on what is none: what is shown as done, as live, and when it gives up.

use crate::harness::{Scratch, Serving, Terminal, incident};

#[test]
fn leaving_early_ticks_nothing_that_is_not_done() {
    let server = Serving::with(&[]);
    let mut terminal =
        Terminal::run(80, &["trigger", "database-outage", "--url", server.url(), "--speed", "10"]);
    terminal.shows("diagnose  00:3");
    terminal.interrupt();
    let (status, screen) = terminal.end();
    assert_eq!(status, Some(0), "{screen}");
    let line = |phase: &str| {
        let found = screen.lines().find(|line| line.contains(phase) && !line.contains("goes on"));
        found.unwrap_or_else(|| panic!("{phase}:\n{screen}")).to_owned()
    };
    assert!(line("detect ").starts_with(" ✓ detect"), "{screen}");
    assert_eq!(line("diagnose "), " … diagnose  not finished", "{screen}");
    assert_eq!(line("resolve"), "   resolve", "{screen}");
    assert!(screen.contains("goes on. Watch it:\n  incident watch"), "{screen}");
    // What the terminal echoes of the keys moves no line.
    assert_eq!(screen.matches("✓ detect").count(), 1, "{screen}");
    let server = Serving::with(&["--trigger", "database-outage"]);
    let mut terminal = Terminal::run(80, &["watch", "--url", server.url()]);
    terminal.shows("● LIVE");
    terminal.interrupt();
    let (status, screen) = terminal.end();
    assert_eq!((status, screen.matches("───").count()), (Some(0), 0), "{screen}");
}

#[test]
fn a_pipe_and_a_dumb_terminal_are_not_told_that_it_was_finished() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "database-outage", "--timeout", "500ms"]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("\ndetect    not finished\n"), "{}", ran.stderr);
    let args = ["trigger", "database-outage", "--url", server.url(), "--speed", "1000"];
    let (status, screen) = Terminal::with(80, &args, &[("TERM", "dumb")]).end();
    assert_eq!(status, Some(0), "{screen}");
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].ends_with("Primary database connection pool exhausted"), "{screen}");
    assert!(lines[1].starts_with("detect    00:"), "a line a phase: {screen}");
    assert!(!screen.contains('✓') && !screen.contains('['), "{screen}");
}

#[test]
fn cancelled_is_not_done_either() {
    let server = Serving::with(&[]);
    let terminal = Terminal::run(80, &["trigger", "database-outage", "--url", server.url()]);
    let screen = terminal.shows("00:0");
    let id = screen.split_whitespace().next().unwrap().to_owned();
    assert_eq!(server.incident(&["cancel", &id]).run().status, Some(0));
    let (status, screen) = terminal.end();
    assert_eq!(status, Some(4), "{screen}");
    assert!(screen.contains(" ✗ detect    cancelled") && !screen.contains('✓'), "{screen}");
}

#[test]
fn a_dead_server_is_said_once_and_given_up_after_a_while() {
    let server = Serving::with(&[]);
    let url = server.url().to_owned();
    let args = ["trigger", "database-outage", "--url", &url, "--reconnect-for", "3s"];
    let terminal = Terminal::run(80, &args);
    let piped = incident(&args).spawn();
    terminal.shows("00:0");
    let mut piped = piped;
    piped.says("SEV1");
    server.signal("KILL");
    // Several attempts later the clock of the incident stands still, and the line says what is waited for.
    let waiting = terminal.shows("no connection for 00:01, waiting for ws://");
    assert_eq!(waiting.matches("connection lost").count(), 1, "{waiting}");
    assert!(!waiting.contains(" / 03:00"), "no clock is shown as live: {waiting}");
    let (status, screen) = terminal.end();
    assert_eq!(status, Some(3), "{screen}");
    assert!(screen.contains("did not answer for 3s") && !screen.contains('✓'), "{screen}");
    let ran = piped.end();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert_eq!(ran.stderr.matches("connection lost").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("waiting up to 3s for {url}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("incident watch --incident database-outage-"), "{}", ran.stderr);
}

#[test]
fn watch_says_a_dead_server_once_and_its_clocks_stand_still() {
    let server = Serving::with(&["--trigger", "database-outage"]);
    let terminal = Terminal::run(80, &["watch", "--url", server.url()]);
    terminal.shows("left 02:5");
    server.signal("KILL");
    let clock = |screen: &str| screen.split("left ").nth(1).unwrap()[..5].to_owned();
    let first = clock(&terminal.shows("DISCONNECTED 00:01"));
    let later = terminal.shows("DISCONNECTED 00:03");
    assert_eq!(clock(&later), first, "{later}");
    assert_eq!(later.matches("connection lost").count(), 1, "{later}");
}

#[test]
fn what_is_cut_ends_in_an_ellipsis() {
    let server = Serving::with(&["--speed", "1000"]);
    for columns in [40, 60, 80, 120] {
        let (status, screen) =
            Terminal::run(columns, &["trigger", "database-outage", "--url", server.url()]).end();
        assert_eq!(status, Some(0), "{screen}");
        let ticked: Vec<&str> = screen.lines().filter(|line| line.starts_with(" ✓ ")).collect();
        assert_eq!(ticked.len(), 5, "{screen}");
        for line in ticked {
            let width = console::measure_text_width(line);
            assert!(width <= columns.into(), "{width} of {columns}: {line}");
            // The longest summary of a phase.
            if line.contains("diagnose") {
                let whole = line.ends_with("Checkout 2026.8.1 never returns connections after a timeout");
                assert!(whole || line.ends_with('…'), "{columns}: {screen}");
            }
        }
    }
}

/// A terminal too narrow to draw on gets lines, as a pipe does.
#[test]
fn nothing_is_drawn_on_a_terminal_of_a_few_columns() {
    let server = Serving::with(&["--speed", "1000"]);
    let scratch = Scratch::new();
    let recording =
        std::fs::read_to_string(crate::harness::fixture("golden/database-outage.ndjson")).unwrap();
    let scratch = scratch.with("run.ndjson", &recording);
    let recording = scratch.path().join("run.ndjson").display().to_string();
    for columns in [1, 2, 3, 10, 19] {
        let trigger = ["trigger", "database-outage", "--url", server.url()];
        let watch = ["watch", "--after", "0", "--no-follow", "--url", server.url()];
        for args in [&trigger[..], &watch, &["validate", &recording]] {
            let bytes = Terminal::run(columns, args).end_with_bytes();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("panicked"), "{columns} columns: {args:?}: {text}");
            assert!(!text.contains("\u{1b}["), "{columns} columns: {args:?}: {text}");
        }
    }
}

/// A terminal may become narrower later: each line would take several, so nothing is drawn until there is room again.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_shrinks_is_not_drawn_on_until_it_grows() {
    let server = Serving::with(&[]);
    let args = ["trigger", "database-outage", "--url", server.url()];
    let mut terminal =
        Terminal::with(80, &args, &[("TERM", "xterm-256color"), ("XTERM_VERSION", "XTerm(379)")]);
    terminal.shows("predict");
    for columns in [19, 8, 3, 1] {
        terminal.resize(columns);
        terminal.lacks(&["predict", "verif", "00:"]);
        terminal.resize(60);
        let screen = terminal.shows("verify");
        // The bar gives way to the text beside it, and nothing wraps.
        assert_eq!(screen.matches("predict").count(), 1, "{columns}:\n{screen}");
    }
}

/// Only the first phases were drawn, as many as there are rows.
#[test]
fn of_more_phases_than_rows_those_around_the_current_one_are_drawn() {
    let mut scenario = String::from(
        "id = \"long\"\ntitle = \"Many phases\"\nseverity = \"SEV2\"\nservices = [\"a\"]\ntarget = \"30m\"\n[agents]\nobserver = \"Looks\"\n",
    );
    for phase in 0..16 {
        scenario += &format!("[[phases]]\nname = \"p{phase:0>2}\"\nat = \"{phase}m\"\nplay = \"10s\"\n");
    }
    for phase in 0..16 {
        scenario += &format!(
            "[[steps]]\nid = \"s{phase}\"\nat = \"{phase}m10s\"\nagent = \"observer\"\naction = \"look\"\nsummary = \"Looks at {phase}\"\n"
        );
    }
    scenario += "[resolution]\nat = \"16m\"\nsummary = \"Over\"\n";
    let folder = Scratch::new().with("long.toml", &scenario);
    let scenarios = folder.path().to_str().unwrap();
    let fixed = ["serve", "--port", "0", "--journal", "memory", "--json", "--quiet", "--speed", "10"];
    let server = Serving::alone(&[&fixed[..], &["--scenarios", scenarios]].concat());
    let terminal = Terminal::of_rows(10, 80, &["trigger", "long", "--url", server.url()]);
    let screen = terminal.shows("… 10 more");
    assert!(screen.contains("p00") && !screen.contains("before") && !screen.contains("p06"), "{screen}");
    for wanted in ["✓ p05", "✓ p10", "✓ p14"] {
        let screen = terminal.shows(wanted);
        assert!(screen.contains(" before"), "{screen}");
    }
    let (status, screen) = terminal.end();
    assert_eq!(status, Some(0), "{screen}");
    assert!(
        screen.contains("… 10 before") && screen.contains("✓ p15") && !screen.contains("more"),
        "{screen}"
    );
}

/// A terminal that becomes narrower breaks the lines that stand there, and what is drawn then leaves none of them behind. But for
/// what is on its way when the width changes, so one clean turn of several is enough.
#[cfg(target_os = "linux")]
#[test]
fn nothing_stays_of_what_was_drawn_when_a_terminal_shrinks() {
    let server = Serving::with(&[]);
    for columns in [70, 41, 25] {
        let seen: Vec<String> = (0..8).map_while(|_| stale_checklist(&server, columns)).collect();
        assert!(seen.len() < 8, "{columns}:\n{}", seen.join("\n\n"));
    }
    let server = Serving::with(&["--trigger", "database-outage"]);
    for columns in [70, 41, 15, 10] {
        let seen: Vec<String> = (0..8).map_while(|_| stale_footer(&server, columns)).collect();
        assert!(seen.len() < 8, "{columns}:\n{}", seen.join("\n\n"));
    }
}

/// The screen of `trigger` after it has become narrower, if it has a line twice.
#[cfg(target_os = "linux")]
fn stale_checklist(server: &Serving, columns: u16) -> Option<String> {
    let args = ["trigger", "database-outage", "--url", server.url(), "--speed", "20"];
    let mut terminal = Terminal::run(100, &args);
    // A phase is done, the second is at work.
    terminal.shows(" ✓ detect");
    terminal.break_at(columns);
    // Drawn for the new width: the next phase is done.
    let screen = terminal.shows(" ✓ diagnose");
    let text = |line: &str| line.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).to_owned() + " ";
    let once = |phase: &str| screen.lines().filter(|line| text(line).starts_with(phase)).count() == 1;
    let is_clean = ["detect ", "diagnose ", "predict ", "resolve ", "verify "].into_iter().all(once)
        && screen.matches(" / ").count() == 1;
    (!is_clean).then_some(screen)
}

/// The screen of `watch` after it has become narrower, if its footer stands there twice.
#[cfg(target_os = "linux")]
fn stale_footer(server: &Serving, columns: u16) -> Option<String> {
    let mut terminal = Terminal::run(100, &["watch", "--url", server.url()]);
    terminal.shows("● LIVE");
    terminal.break_at(columns);
    let began = std::time::Instant::now();
    loop {
        let screen = terminal.text();
        // What was broken is gone with the next drawing.
        if screen.lines().filter(|line| line.starts_with('●')).count() == 1 {
            return None;
        }
        if began.elapsed() > std::time::Duration::from_secs(3) {
            return Some(screen);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
