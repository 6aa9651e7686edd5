//! What is shown says what it means: the confidence of a rejection is the belief in what it rejects.

use crate::harness::{Serving, Terminal, incident, root};

#[test]
fn a_rejection_shows_what_its_number_is_the_belief_in() {
    let file = root().join("scenarios/database-outage.toml").display().to_string();
    let server = Serving::alone(&["serve", "--port", "0", "--json", "--speed", "1000", "--scenarios", &file]);
    let ran = server.incident(&["trigger", "database-outage"]).run();
    let id = ran.stdout.split_whitespace().next().unwrap().to_owned();
    let belief = "belief in “Organic traffic spike” now 7%";

    let terminal =
        Terminal::run(200, &["watch", "--after", "0", "--include", "No spike", "--url", server.url()]);
    let screen = terminal.shows("No spike");
    let line = screen.lines().find(|line| line.contains("No spike")).unwrap();
    assert!(line.ends_with(&format!("when the errors began ({belief})")) && !line.contains("7% ✓"), "{line}");
    // For programs the column stays a number.
    let piped = server.incident(&["watch", "--after", "0", "--no-follow", "--include", "No spike"]).run();
    let confidence: f64 = piped.stdout.split('\t').nth(5).unwrap().parse().unwrap();
    assert!((0.065..0.075).contains(&confidence), "{}", piped.stdout);

    let report = server.incident(&["report", &id]).run().stdout;
    let row = report.lines().find(|line| line.contains("No spike")).unwrap();
    assert!(row.contains(belief) && !row.contains("| 7% |"), "{row}");

    let plan = incident(&["validate", "--timeline", &file]).run().stdout;
    let row = plan.lines().find(|line| line.contains("no-spike")).unwrap();
    assert!(row.contains(belief) && !row.contains(" 7% diagnosis"), "{row}");
}
