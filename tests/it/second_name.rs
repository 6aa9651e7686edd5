//! A journal under two names, one after the other: a hard link, or a container into which only the file is mounted. Each name has files of
//! its own beside it.

use std::fs;

use crate::harness::{Scratch, incident};
use crate::moved::Served;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_under_one_name_is_not_served_under_the_other() {
    // A container gets a file that a first start has made, which has no events.
    for is_empty in [false, true] {
        killed_under_one_name(is_empty).await;
    }
}

async fn killed_under_one_name(is_empty: bool) {
    let folder = Scratch::new();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name).join("journal.db"));
    for journal in [&first, &second] {
        fs::create_dir(journal.parent().unwrap()).unwrap();
    }
    let server = Served::over(&first);
    if !is_empty {
        server.play().await;
    }
    server.stop();
    fs::hard_link(&first, &second).unwrap();
    let server = Served::over(&second);
    server.play().await;
    server.kill();
    // The newest events are in the log beside the second name.
    let ran = incident(&["check-journal", first.to_str().unwrap()]).run();
    assert!(ran.status == Some(5) && ran.stdout.contains("under another name"), "{ran:?}");
    let ran = incident(&["serve", "--port", "0", "--journal", first.to_str().unwrap()]).run();
    assert!(ran.status == Some(3) && ran.stderr.contains("under another name"), "{ran:?}");
    let server = Served::over(&second);
    server.play().await;
    server.stop();
    let ran = incident(&["check-journal", second.to_str().unwrap(), "--json"]).run();
    let head = if is_empty { "\"head\":216" } else { "\"head\":324" };
    assert!(ran.status == Some(0) && ran.stdout.contains(head), "{ran:?}");
}
