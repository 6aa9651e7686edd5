//! No second server comes into a journal that is in use, whatever is removed and by whatever name.

use std::fs;

use crate::harness::incident;
use crate::moved::{Served, beside, prepared};

#[tokio::test(flavor = "multi_thread")]
async fn no_second_server_comes_in_whatever_is_removed() {
    for removed in [&["lock"][..], &["head"], &["lock", "head"], &["lock", "head", "shm", "wal"]] {
        let (_folder, journal) = prepared().await;
        let mut server = Served::over(&journal);
        server.play().await;
        for suffix in removed {
            fs::remove_file(beside(&journal, suffix)).unwrap();
        }
        for _ in 0..3 {
            let ran = incident(&["serve", "--port", "0", "--journal", journal.to_str().unwrap()]).run();
            assert_eq!(ran.status, Some(3), "{removed:?}: {ran:?}");
            assert!(ran.stderr.contains("is in use by"), "{removed:?}: {ran:?}");
        }
        if removed.contains(&"wal") {
            server.trigger().await.problem(503);
        } else {
            // The server keeps its place, and makes the files again.
            server.play().await;
            server.says("the server made it again");
            assert!(removed.iter().all(|suffix| beside(&journal, suffix).exists()), "{removed:?}");
            server.stop();
            let ran = incident(&["check-journal", journal.to_str().unwrap()]).run();
            assert_eq!(ran.status, Some(0), "{removed:?}: {ran:?}");
        }
    }
}

/// By another name it is the same file.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn no_second_server_comes_in_by_another_name() {
    let (folder, journal) = prepared().await;
    let server = Served::over(&journal);
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&journal, &link).unwrap();
    let hard = folder.path().join("hard.db");
    fs::hard_link(&journal, &hard).unwrap();
    for name in [&link, &hard] {
        let ran = incident(&["serve", "--port", "0", "--journal", name.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(ran.stderr.contains("is in use by"), "{ran:?}");
    }
    server.play().await;
}
