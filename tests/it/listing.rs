//! `incident list`, `show` and `cancel`: the commands that people look for, and files where names are expected.

use incident::journal::Retention;
use incident::scenario::SHIPPED;
use serde_json::Value;

use crate::harness::{
    Local, PATIENCE, Ran, Scratch, Serving, Terminal, get, incident, metrics, options, resolved, root,
    started as begun,
};
use crate::publish::{publish, started};

const GOOD: &str = include_str!("../fixtures/scenarios/database-outage.toml");

/// A scenario with one mistake, in its first line.
fn bad() -> String {
    format!("what = 1\n{}", GOOD.replacen("\"database-outage\"", "\"bad\"", 1))
}

fn columns(ran: &Ran) -> Vec<Vec<&str>> {
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn the_scenarios_are_listed_one_a_line() {
    let ran = incident(&["list"]).run();
    let lines = columns(&ran);
    let names: Vec<&str> = lines.iter().map(|line| line[0]).collect();
    let mut shipped = SHIPPED.map(|(file, _)| file.trim_end_matches(".toml"));
    shipped.sort_unstable();
    assert_eq!(names, shipped);
    let outage = lines.iter().find(|line| line[0] == "database-outage").unwrap();
    assert_eq!(outage, &["database-outage", "SEV1", "180.0", "Primary database connection pool exhausted"]);
}

#[tokio::test]
async fn a_server_lists_its_own_scenarios_in_the_same_words() {
    let server = Serving::with(&[]);
    let here = incident(&[
        "list",
        "--json",
        "--scenarios",
        root().join("tests/fixtures/scenarios").to_str().unwrap(),
    ])
    .run();
    let there = server.incident(&["list", "--json"]).run();
    assert_eq!((there.status, there.stderr.as_str()), (Some(0), ""));
    let [here, there] = [here, there].map(|ran| serde_json::from_str::<Value>(&ran.stdout).unwrap());
    assert_eq!(here, there);
    assert_eq!(get(server.address(), "/api/scenarios").await.json(), there);
    let names = server.incident(&["list"]).run();
    assert_eq!(columns(&names).len(), 2);
}

/// A real incident and a drill must not be taken for each other, here as on the page.
#[tokio::test(flavor = "multi_thread")]
async fn real_incidents_and_drills_carry_their_mark() {
    let server = Serving::with(&["--trigger", "database-outage"]);
    let reply = publish(server.address(), &[started("pay-1", "1")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let ran = server.incident(&["list", "--running"]).run();
    let mut marks: Vec<_> =
        columns(&ran).iter().map(|line| (line[1], line[2])).map(|(a, b)| format!("{a} {b}")).collect();
    marks.sort();
    assert_eq!(marks, ["DRILL SEV1", "REAL SEV2"]);
    for columns in [60, 120] {
        let (_, screen) = Terminal::run(columns, &["list", "--running", "--url", server.url()]).end();
        for mark in ["KIND", "DRILL", "REAL"] {
            assert!(screen.contains(mark), "{mark} on {columns} columns: {screen}");
        }
    }
    let watch =
        server.incident(&["watch", "--after", "0", "--no-follow", "--type", "incident_started"]).run();
    let mut firsts: Vec<_> = watch.stdout.lines().map(|line| line.split('\t').next_back().unwrap()).collect();
    firsts.sort_unstable();
    assert_eq!(
        firsts,
        ["DRILL SEV1 Primary database connection pool exhausted", "REAL INCIDENT SEV2 Checkout fails"]
    );
}

#[test]
fn running_incidents_are_listed_and_cancelled() {
    let server = Serving::with(&[]);
    assert_eq!(columns(&server.incident(&["list", "--running"]).run()), [[""; 0]; 0]);
    let id = server.incident(&["trigger", "database-outage", "--no-wait"]).run().stdout.trim().to_owned();
    let ran = server.incident(&["list", "--running"]).run();
    let lines = columns(&ran);
    assert_eq!((lines.len(), &lines[0][..3]), (1, &[id.as_str(), "DRILL", "SEV1"][..]));
    let cancelled = server.incident(&["cancel", &id]).run();
    assert_eq!((cancelled.status, cancelled.stdout.as_str()), (Some(0), ""), "{}", cancelled.stderr);
    assert_eq!(cancelled.stderr, format!("{id} is cancelled\n"));
    assert_eq!(columns(&server.incident(&["list", "--running"]).run()).len(), 0);
    let nobody = server.incident(&["cancel", "nobody"]).run();
    assert_eq!(nobody.status, Some(2), "{}", nobody.stderr);
    assert!(nobody.stderr.contains("incident list --running"), "{}", nobody.stderr);
}

#[test]
fn a_scenario_is_shown_as_its_file_is() {
    let ran = incident(&["show", "database-outage"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout, std::fs::read_to_string(root().join("scenarios/database-outage.toml")).unwrap());
    let unknown = incident(&["show", "databse-outage"]).run();
    assert_eq!((unknown.status, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("did you mean \"database-outage\"?"), "{}", unknown.stderr);
}

#[test]
fn what_is_shown_can_be_served_and_validated_as_ones_own() {
    let folder = Scratch::new();
    let folder = folder.with("scenarios/database-outage.toml", "");
    // As the shell does in `incident show database-outage > scenarios/database-outage.toml`.
    let ran = incident(&["show", "database-outage"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    std::fs::write(folder.path().join("scenarios/database-outage.toml"), &ran.stdout).unwrap();
    let ran = incident(&["validate", "database-outage", "--rule", "schema"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("PASS scenarios/database-outage.toml"), "{}", ran.stdout);
}

#[test]
fn a_file_where_a_name_is_expected_is_told_how_it_is_played() {
    let folder = Scratch::new().with("my.toml", GOOD).with("bad.toml", &bad());
    let ran = incident(&["trigger", "my.toml"]).at(folder.path()).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    for piece in ["my.toml is a file", "--scenarios my.toml --trigger database-outage"] {
        assert!(ran.stderr.contains(piece), "{}", ran.stderr);
    }
    let ran = incident(&["trigger", "./bad.toml"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(6), "{}", ran.stderr);
    assert!(ran.stderr.contains("bad.toml:1:1"), "{}", ran.stderr);
    let ran = incident(&["trigger", "nowhere.toml"]).at(folder.path()).run();
    assert!(ran.stderr.contains("nowhere.toml"), "{}", ran.stderr);
}

#[test]
fn one_bad_file_is_told_and_the_good_ones_are_served_listed_and_checked() {
    let folder = Scratch::new().with("scenarios/good.toml", GOOD).with("scenarios/bad.toml", &bad());
    let scenarios = folder.path().join("scenarios").display().to_string();
    let mut server =
        incident(&["serve", "--port", "0", "--scenarios", &scenarios, "--trigger", "database-outage"])
            .spawn();
    server.says("what = 1");
    server.says("warning: 1 mistake in 1 scenario file");
    let told = server.says("Scenarios");
    assert!(told.contains("1 from") && told.contains("1 file has mistakes"), "{told}");
    server.says("Ready in");
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));

    // A trigger of the bad one shows its mistakes.
    let ran = incident(&["serve", "--port", "0", "--scenarios", &scenarios, "--trigger", "bad"]).run();
    assert_eq!(ran.status, Some(6), "{}", ran.stderr);

    let ran = incident(&["list"]).at(folder.path()).run();
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 1), "{ran:?}");
    assert!(ran.stderr.contains("scenarios/bad.toml"), "{}", ran.stderr);

    for args in [
        &["validate"][..],
        &["validate", "scenarios"],
        &["validate", "scenarios/good.toml", "scenarios/bad.toml"],
    ] {
        let ran = incident(&[args, &["--rule", "schema"]].concat()).at(folder.path()).run();
        assert_eq!(ran.status, Some(6), "{args:?} {ran:?}");
        assert!(ran.stderr.contains("scenarios/bad.toml:1:1"), "{}", ran.stderr);
        assert!(
            ran.stdout.contains("PASS scenarios/good.toml") && ran.stdout.contains("1 mistake in"),
            "{}",
            ran.stdout
        );
    }
    let ran =
        incident(&["validate", "scenarios", "--format", "json", "--rule", "schema"]).at(folder.path()).run();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (report["passed"].as_bool(), report["wrong_files"][0]["mistakes"][0]["line"].as_u64()),
        (Some(false), Some(1))
    );
}

#[test]
fn one_file_is_served_alone() {
    let folder = Scratch::new().with("a.toml", GOOD).with("b.toml", "id = ");
    let server = Serving::alone(&[
        "serve",
        "--port",
        "0",
        "--json",
        "--scenarios",
        folder.path().join("a.toml").to_str().unwrap(),
    ]);
    assert_eq!(columns(&server.incident(&["list"]).run()).len(), 1);
}

/// No running server has the files that are listed here, and nothing can be watched where nothing is open.
#[test]
fn what_stands_below_a_list_can_be_done_with_it() {
    let folder = Scratch::new().with("mine.toml", GOOD);
    let file = folder.path().join("mine.toml");
    let (_, screen) = Terminal::run(400, &["list", "--scenarios", file.to_str().unwrap()]).end();
    assert!(screen.contains("Play one: incident serve --scenarios "), "{screen}");
    assert!(screen.contains("mine.toml --trigger NAME"), "{screen}");
    let server = Serving::with(&[]);
    let (_, screen) = Terminal::run(400, &["list", "--running", "--url", server.url()]).end();
    assert!(screen.contains("0 open incidents on ") && !screen.contains("Watch one"), "{screen}");
}

/// Nobody had asked since, and retention dropped the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_whose_end_was_dropped_unseen_is_not_listed_as_open() {
    let server = Local::with(options(), Retention { events: 4, age: None }).await;
    let listed = async || {
        let list = get(server.address, "/api/incidents").await.json();
        let ids =
            list["incidents"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    server.append(vec![begun("a")]).await;
    assert_eq!(listed().await, ["a"]);
    server.append(vec![resolved("a", 2), begun("b")]).await;
    server.append((2..9).map(|index| metrics("b", index)).collect()).await;
    assert_eq!(listed().await, ["b"]);
    assert_eq!(get(server.address, "/api/incidents/a").await.status, 404);
}

/// As `cp -p`, `tar` and packages with fixed times put files in the place of others.
#[test]
fn a_scenario_whose_place_is_taken_by_one_of_the_same_length_and_time_is_played_as_it_is_then() {
    let folder = Scratch::new().with("s/database-outage.toml", GOOD);
    let path = folder.path().join("s/database-outage.toml");
    let scenarios = folder.path().join("s").display().to_string();
    let server = Serving::alone(&["serve", "--port", "0", "--json", "--quiet", "--scenarios", &scenarios]);
    let listed = || server.incident(&["list"]).run().stdout;
    assert!(listed().contains("SEV1"));
    let other = folder.path().join("other");
    std::fs::write(&other, GOOD.replacen("SEV1", "SEV4", 1)).unwrap();
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
    std::fs::rename(&other, &path).unwrap();
    let began = std::time::Instant::now();
    while !listed().contains("SEV4") {
        assert!(began.elapsed() < PATIENCE, "{}", listed());
    }
}
