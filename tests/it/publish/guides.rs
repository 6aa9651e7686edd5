//! `docs/publish.md` and `docs/problems.md` are true: each command runs, and the table is the one in the code.

use std::process::Command;

use incident::ingest::Kind;

use super::{action, publish, started};
use crate::harness::{Local, Scratch, Serving, get, root};

fn guide(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The blocks of shell code.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.collect()
}

/// The first block of code in a language.
fn block(text: &str, language: &str) -> String {
    let rest = text.split_once(&format!("\n```{language}\n")).unwrap().1;
    rest.split("\n```").next().unwrap().to_owned()
}

/// Runs one block as a reader would, against this server.
fn run(block: &str, server: &Serving, folder: &Scratch) -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_incident")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let ran = Command::new("bash")
        .args(["-euc", &block.replace("127.0.0.1:7911", &server.address().to_string())])
        .env("PATH", path)
        .env("INCIDENT_URL", server.url())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{block}\n{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_guide_run() {
    let (server, folder) = (Serving::with(&[]), Scratch::new());
    let all = blocks(&guide("publish.md"));
    let blocks: Vec<_> = all.iter().filter(|block| !block.contains("curl")).collect();
    assert!(blocks.len() >= 2, "{all:?}");
    for block in blocks {
        run(block, &server, &folder);
    }
    let ended = get(server.address(), "/api/incidents/checkout-42").await.json();
    assert_eq!(ended["state"], "resolved", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl: ./tests/run installs it and runs this"]
async fn the_requests_of_the_guide_are_answered() {
    let (server, folder) = (Serving::with(&[]), Scratch::new());
    let all = blocks(&guide("publish.md"));
    let blocks: Vec<_> = all.iter().filter(|block| block.contains("curl")).collect();
    assert!(blocks.len() >= 4, "{all:?}");
    let mut answers = Vec::new();
    for block in blocks {
        let said = run(block, &server, &folder);
        assert!(said.contains("\"position\":"), "{block}\n{said}");
        answers.push(said);
    }
    // The position is the one of a server that has other events before.
    let shown = block(&guide("publish.md"), "json");
    assert_eq!(answers[0].trim().replace("\"position\":1}", "\"position\":881}"), shown.trim());
}

/// The examples that the guide names: `tests/it/examples.rs` runs them.
#[test]
fn the_guide_names_every_example_that_publishes() {
    let text = guide("publish.md");
    let files = std::fs::read_dir(root().join("examples")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.starts_with("publish.")).collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("(../examples/{name})")), "docs/publish.md lacks {name}");
    }
}

/// The problem document in the guide is the one that this mistake gets.
#[tokio::test]
async fn the_guide_shows_what_a_refusal_is() {
    let server = Local::start().await;
    let mut batch = vec![started("a", "0"), action("a", "1", "looks"), action("a", "2", "looks")];
    let mut wrong = action("a", "3", "looks");
    wrong["data"]["confidence"] = serde_json::json!(1.4);
    batch.push(wrong);
    let refused = publish(server.address, &batch).await;
    let shown: serde_json::Value = serde_json::from_str(&block(&guide("problems.md"), "json")).unwrap();
    assert_eq!(refused.json(), shown);
    assert_eq!(refused.status, shown["status"]);
}

#[test]
fn the_table_of_problems_is_the_one_in_the_code() {
    let row = |kind: &Kind| {
        format!("| `{0}` | {1} | {2} | {3} |", kind.name(), kind.status(), kind.title(), kind.advice())
    };
    let wanted: Vec<String> = Kind::ALL.iter().map(row).collect();
    let text = guide("problems.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows, wanted, "docs/problems.md should have:\n{}", wanted.join("\n"));
}
