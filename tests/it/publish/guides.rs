//! `docs/publish.md` and `docs/problems.md` are true: each command runs, and the table is the one in the code.

use std::process::Command;

use incident::ingest::Kind;

use crate::harness::{Scratch, Serving, get, root};

fn guide(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The blocks of shell code.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.collect()
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
    assert!(blocks.len() >= 3, "{all:?}");
    for block in blocks {
        let said = run(block, &server, &folder);
        assert!(said.contains("\"position\":"), "{block}\n{said}");
    }
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
