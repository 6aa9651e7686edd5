//! What was listened to is judged by the same expectations again, without a server.

use std::process::{Command, Stdio};

use crate::harness::{Scratch, Serving, incident};
use crate::mistakes::SOUND;

/// A scenario whose variant is detected after 20 s, within these bounds; without it within 6 s.
fn scenario(bounds: &str) -> String {
    format!(
        "{SOUND}detect = {{ max = \"6s\" }}\n[variant.late.change.steps.alert]\nat = \"20s\"\n\
         [variant.late.change.expect]\ndetect = {bounds}\n"
    )
}

/// The output of the command that `validate` prints to check the same again without a server.
fn offline(folder: &Scratch, args: &[&str]) -> (String, Option<i32>, String) {
    let ran = incident(args).at(folder.path()).run();
    let command = ran.stdout.lines().find_map(|line| line.strip_prefix("Offline:"));
    let command = command.unwrap_or_else(|| panic!("{ran:?}")).trim().to_owned();
    let shell = command.replacen("incident", env!("CARGO_BIN_EXE_incident"), 1);
    let again = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout).into_owned() + &String::from_utf8_lossy(&again.stderr);
    (ran.stdout, again.status.code(), format!("{command}\n{said}"))
}

#[test]
fn a_variant_is_judged_by_its_own_expectations_when_it_is_read_again() {
    let text = scenario("{ min = \"15s\", max = \"18s\" }");
    let line = text.lines().position(|line| line == "[variant.late.change.expect]").unwrap() + 1;
    let folder = Scratch::new().with("v.toml", &text);
    let args = ["validate", "v.toml", "--set", "variant=late", "--rule", "expect", "--transcripts", "tr"];
    let (first, status, again) = offline(&folder, &args);
    let found = "the incident was detected after 20 s; allowed is 15s to 18s";
    for said in [&first, &again] {
        assert!(said.contains(found) && said.contains(&format!("v.toml:{line}")), "{said}");
    }
    assert!(first.contains("1 target, 1 check: 0 passed, 1 failed"), "{first}");
    assert_eq!(status, Some(5), "{again}");
}

#[test]
fn a_variant_that_meets_its_own_expectations_passes_when_it_is_read_again() {
    let folder = Scratch::new().with("v.toml", &scenario("{ min = \"15s\", max = \"22s\" }"));
    let at_home = ["validate", "v.toml", "--rule", "expect", "--transcripts", "tr"];
    let ran = incident(&at_home).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = incident(&["validate", "tr", "--expect", "v.toml", "--rule", "expect"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // The other way round a fault is found.
    let folder = folder.with("v.toml", &scenario("{ max = \"7s\" }"));
    let ran = incident(&["validate", "tr", "--expect", "v.toml", "--rule", "expect"]).at(folder.path()).run();
    assert!(ran.status == Some(5) && ran.stdout.contains("allowed is at most 7s"), "{ran:?}");
}

#[test]
fn what_was_heard_of_a_built_in_scenario_is_read_again_where_no_file_has_it() {
    let folder = Scratch::new();
    let args = ["validate", "noise", "--timeout", "1s", "--speed", "1", "--rule", "lifecycle"];
    let (_, status, again) = offline(&folder, &args);
    assert!(status == Some(5) && again.contains("FAIL lifecycle"), "{again}");
}

/// A scenario that a parameter says how long it may take: as it is, it does not take longer.
fn with_parameter() -> String {
    format!("{SOUND}resolve = {{ max = \"{{most}}\" }}\n[parameters]\nmost = \"61s\"\n")
}

#[test]
fn an_incident_is_judged_by_the_settings_with_which_it_was_started() {
    let folder = Scratch::new().with("p.toml", &with_parameter());
    let found = "the incident was resolved after 60 s; allowed is at most 5s";
    let args = ["validate", "p.toml", "--set", "most=5s", "--rule", "expect", "--transcripts", "tr"];
    let (first, status, again) = offline(&folder, &args);
    assert!(first.contains(found), "{first}");
    assert!(status == Some(5) && again.contains(found), "{again}");
    // So is the same stream where the scenario is named.
    let transcript = "tr/a.ndjson";
    let ran =
        incident(&["validate", transcript, "--expect", "p.toml", "--rule", "expect"]).at(folder.path()).run();
    assert!(ran.status == Some(5) && ran.stdout.contains(found), "{ran:?}");
    // What the file does not offer any more is left out, which is told.
    let folder = folder.with("p.toml", &with_parameter().replace("most", "longest"));
    let ran =
        incident(&["validate", transcript, "--expect", "p.toml", "--rule", "expect"]).at(folder.path()).run();
    let said =
        "judged by the [expect] of p.toml without its setting most: the scenario has no parameter \"most\"";
    assert!(ran.status == Some(0) && ran.stdout.contains(said), "{ran:?}");
}

#[test]
fn what_is_triggered_with_settings_is_judged_by_them() {
    let folder = Scratch::new().with("p.toml", &with_parameter());
    let file = folder.path().join("p.toml");
    let flags = ["serve", "--port", "0", "--json", "--quiet", "--journal", "memory", "--speed", "60"];
    let server = Serving::alone(&[&flags[..], &["--scenarios", file.to_str().unwrap()]].concat());
    let args =
        ["validate", "--url", server.url(), "--trigger", "a", "--set", "most=5s", "--expect", "p.toml"];
    let rest = ["--rule", "expect", "--gentle", "--transcripts", "tr"];
    let (first, status, again) = offline(&folder, &[&args[..], &rest].concat());
    let found = "allowed is at most 5s";
    assert!(first.contains(found), "{first}");
    assert!(status == Some(5) && again.contains(found), "{again}");
}

/// What was not read any more is not missing, wherever the transcript ends.
#[cfg(target_os = "linux")]
#[test]
fn a_transcript_that_is_interrupted_while_it_is_read_has_no_new_faults() {
    /// As much as a pipe takes without a reader.
    const MOST: usize = 60_000;
    let folder = Scratch::new();
    let ran = incident(&["validate", "noise", "--transcripts", "tr"]).at(folder.path()).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(folder.path().join("tr/noise.ndjson")).unwrap();
    let ends: Vec<usize> =
        text.match_indices('\n').map(|(end, _)| end + 1).filter(|end| *end < MOST).collect();
    for part in 1..6 {
        let first = &text[..ends[ends.len() * part / 6]];
        let interrupted = |wait: u64| {
            let mut running = Command::new(env!("CARGO_BIN_EXE_incident"))
                .args(["validate", "/dev/stdin"])
                .current_dir(folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut pipe = running.stdin.take().unwrap();
            std::io::Write::write_all(&mut pipe, first.as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(wait));
            let signalled = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
            assert!(signalled.success());
            // That is the end of what there is to be read.
            drop(pipe);
            running.wait_with_output().unwrap()
        };
        // A signal that comes before the program listens for it ends it at once.
        let ran =
            [200, 800, 3_200, 12_800].into_iter().map(interrupted).find(|ran| ran.status.code().is_some());
        let ran = ran.expect("a program that listens for signals");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.code() == Some(130) && !said.contains("FAIL"), "{part}: {ran:?}");
    }
}

/// Each check would change what is watched, and begin the next one.
#[test]
fn transcripts_do_not_go_into_a_folder_that_is_watched() {
    let folder = Scratch::new().with("v.toml", &scenario("{ max = \"30s\" }"));
    for into in [".", "../.", folder.path().to_str().unwrap()] {
        let at = folder.path().join("sub");
        std::fs::create_dir_all(&at).unwrap();
        let (at, watched) = if into == "../." { (at.as_path(), "..") } else { (folder.path(), ".") };
        let ran = incident(&["validate", watched, "--watch", "--transcripts", into]).at(at).run();
        assert!(
            ran.status == Some(2) && ran.stderr.contains("can't take the transcripts"),
            "{into}: {ran:?}"
        );
    }
}
