//! How a validator gets in is nowhere to be read: not in the result, a report, a transcript or the command to repeat.

use std::fs;

use super::server::{Does, events, say, socket, talk};
use crate::harness::{Scratch, incident};

const SECRET: &str = "s3cr3t";

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_fails_hides_how_it_got_in() {
    let said = || talk(|_| vec![say("no event\n\n"), Does::Wait(100), Does::Close(1000)]);
    let url = format!("{}?key={SECRET}", socket(true, said()).await);
    let sse = format!("{}?key={SECRET}#{SECRET}", events(talk(|_| vec![say("data: no event\n\n")])).await);
    let text = format!("{{\"token\":\"{SECRET}\"}}");
    let subprotocol = format!("bearer.{SECRET}");
    let header = format!("X-Key: {SECRET}");
    for from in [
        &["--url", &url, "--profile", "plain", "--send", &text, "--subprotocol", &subprotocol][..],
        &["--url", &url, "--profile", "plain", "--send", &text],
        &["--sse", &sse, "--profile", "sse"],
    ] {
        let folder = Scratch::new();
        let report = format!("json={}", folder.path().join("report").display());
        let kept = folder.path().join("kept");
        let more = ["--header", &header, "--for", "300ms", "--report", &report, "--transcripts"];
        let args = [&["validate"], from, &more, &[kept.to_str().unwrap()]].concat();
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let run = move || incident(&args.iter().map(String::as_str).collect::<Vec<_>>()).run();
        let ran = tokio::task::spawn_blocking(run).await.unwrap();
        let both = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!both.contains(SECRET), "{from:?}: {both}");
        assert_eq!(ran.status, Some(5), "{both}");
        assert!(both.contains("Again:") && both.contains("?…"), "{both}");
        let files: Vec<_> = fs::read_dir(&kept).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files.iter().chain([&folder.path().join("report")]) {
            let text = fs::read_to_string(file).unwrap();
            assert!(!text.contains(SECRET), "{}: {text}", file.display());
        }
    }
}
