//! The GitHub Action, the GitLab job and our own CI: their scripts run with the program of this build.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use crate::harness::{Scratch, fixture, root};

const BINARY: &str = env!("CARGO_BIN_EXE_incident");

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The script of a step of the action.
fn script(step: &str) -> String {
    let action = text("action.yml");
    let (_, rest) = action.split_once(&format!("    - name: {step}\n")).unwrap();
    let (_, rest) = rest.split_once("      run: |\n").unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("        "));
    lines.map(|line| line.get(8..).unwrap_or_default().to_owned() + "\n").collect()
}

/// Runs the script of a step in a folder, with these variables and what GitHub sets. Returns its outputs too.
fn step(name: &str, folder: &Path, variables: &[(&str, &str)]) -> (Output, Vec<(String, String)>) {
    let outputs = folder.join("outputs");
    fs::write(&outputs, "").unwrap();
    let ran = Command::new("bash")
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &script(name)])
        .env("GITHUB_OUTPUT", &outputs)
        .env("RUNNER_TEMP", folder)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    let outputs = fs::read_to_string(outputs).unwrap();
    let pairs = outputs.lines().map(|line| line.split_once('=').unwrap());
    (ran, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn validate(folder: &Scratch, variables: &[(&str, &str)]) -> (Output, Vec<(String, String)>) {
    let usual = [
        ("BINARY", BINARY),
        ("TARGETS", ""),
        ("URL", ""),
        ("ARGS", ""),
        ("JUNIT", ""),
        ("FAIL_ON", "findings"),
    ];
    step("Validate", folder.path(), &[&usual[..], variables].concat())
}

fn recordings() -> Scratch {
    let good = fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let broken: String = good
        .lines()
        .filter(|line| !line.contains("\"index\":40,"))
        .fold(String::new(), |all, line| all + line + "\n");
    Scratch::new()
        .with("my good.ndjson", &good)
        .with("broken.ndjson", &broken)
        .with("empty.ndjson", "")
        .with("scenario.toml", "x = [")
}

#[test]
fn the_step_validates_and_says_where_the_results_are() {
    let folder = recordings();
    let (ran, outputs) = validate(&folder, &[("TARGETS", "my good.ndjson\n\n")]);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(outputs[2], ("exit-code".to_owned(), "0".to_owned()));
    assert!(fs::read_to_string(&outputs[0].1).unwrap().contains("<testsuites"), "{outputs:?}");

    let given = [
        ("TARGETS", "broken.ndjson\nmy good.ndjson\n"),
        ("ARGS", "--rule=gap\n--limit=pacing.late=1s\n"),
        ("JUNIT", "r.xml"),
    ];
    let (ran, outputs) = validate(&folder, &given);
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(5), "{said}");
    assert!(said.contains("\n::error file=broken.ndjson,line=40,"), "{said}");
    assert_eq!((outputs[0].1.as_str(), outputs[2].1.as_str()), ("r.xml", "5"));
    assert!(folder.path().join("r.xml").exists());

    for (fail_on, targets, status) in [
        ("errors", "broken.ndjson", 0),
        ("never", "broken.ndjson", 0),
        ("errors", "nowhere.ndjson", 2),
        ("errors", "empty.ndjson", 5),
        ("errors", "scenario.toml", 6),
        ("errors", "scenario.toml\nbroken.ndjson", 0),
        ("never", "nowhere.ndjson", 0),
        ("sometimes", "broken.ndjson", 2),
    ] {
        let (ran, _) = validate(&folder, &[("TARGETS", targets), ("FAIL_ON", fail_on)]);
        assert_eq!(ran.status.code(), Some(status), "{fail_on} {targets}: {ran:?}");
    }
    // A target is no flag, and nothing in an input is run.
    let (ran, _) =
        validate(&folder, &[("TARGETS", "--list\n$(touch forged)\n`touch forged`;touch forged\n")]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(!folder.path().join("forged").exists());
}

/// Serves the files of a folder by their paths, until the program ends. Its URL.
fn released(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let path = first.split(' ').nth(1).unwrap().trim_start_matches('/');
            let (status, body) = match fs::read(folder.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        }
    });
    url
}

#[test]
#[ignore = "needs curl: ./tests/run installs it and runs this"]
fn the_action_installs_a_release_with_its_checksum_or_builds_it() {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("incident-{version}-x86_64-unknown-linux-musl");
    let releases = format!("owner/project/releases/download/v{version}");
    let site =
        Scratch::new().with(&format!("{name}/incident"), &format!("#!/bin/sh\necho released {version}\n"));
    let shell = |line: &str| {
        let ran = Command::new("sh").args(["-ec", line]).current_dir(site.path()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    shell(&format!(
        "chmod +x {name}/incident; mkdir -p {releases}; tar -czf {releases}/{name}.tar.gz {name}; cd {releases}; \
         sha256sum {name}.tar.gz > {name}.tar.gz.sha256"
    ));
    let url = released(site.path());
    let work = Scratch::new().with("bin/cargo", "#!/bin/sh\necho \"cargo $*\"\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"; printf '#!/bin/sh\\necho built\\n' > \"$2/bin/incident\"; chmod +x \"$2/bin/incident\"\n");
    Command::new("chmod").args(["+x", &format!("{}/bin/cargo", work.text())]).status().unwrap();
    let path = format!("{}/bin:{}", work.text(), std::env::var("PATH").unwrap());
    let install = |given: &[(&str, &str)]| {
        let usual = [
            ("BINARY", ""),
            ("VERSION", ""),
            ("REPOSITORY", "owner/project"),
            ("SOURCE", root().to_str().unwrap()),
            ("GITHUB_SERVER_URL", url.as_str()),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", "X64"),
            ("PATH", path.as_str()),
        ];
        let (ran, outputs) = step("Install incident", work.path(), &[&usual[..], given].concat());
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        (ran.status.code(), said, outputs.first().map(|(_, binary)| binary.clone()))
    };
    let (status, said, binary) = install(&[]);
    assert!(status == Some(0) && said.contains(&format!("released {version}")), "{said}");
    assert!(binary.unwrap().ends_with(&format!("{name}/incident")));
    let v = format!("v{version}");
    assert_eq!(install(&[("VERSION", &v)]).0, Some(0));
    let (status, said, binary) = install(&[("RUNNER_ARCH", "ARM64")]);
    assert!(
        status == Some(0) && said.contains("cargo install --locked") && said.contains("\nbuilt\n"),
        "{said}"
    );
    assert!(binary.unwrap().ends_with("bin/incident"));
    let (status, said, binary) = install(&[("VERSION", "9.9.9")]);
    assert!(status == Some(1) && said.contains("9.9.9 cannot be loaded") && binary.is_none(), "{said}");
    assert_eq!(install(&[("VERSION", "1;touch x")]).0, Some(2));
    assert_eq!(install(&[("BINARY", "/there/incident")]).2.as_deref(), Some("/there/incident"));
    // What was changed on its way is never run.
    for sum in [
        format!("{}  {name}.tar.gz\n", "0".repeat(64)),
        format!("{}  other.tar.gz\n", "0".repeat(64)),
        String::new(),
    ] {
        fs::write(site.path().join(&releases).join(format!("{name}.tar.gz.sha256")), sum).unwrap();
        let (status, said, binary) = install(&[]);
        assert!(status != Some(0) && !said.contains("released") && binary.is_none(), "{said}");
    }
}

#[test]
fn every_input_is_used_and_documented() {
    let action = text("action.yml");
    let section = |name: &str| {
        let (_, rest) = action.split_once(&format!("\n{name}:\n")).unwrap();
        let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with(' '));
        let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        names.map(|line| line.trim_end_matches(':').to_owned()).collect::<Vec<_>>()
    };
    let (inputs, outputs) = (section("inputs"), section("outputs"));
    assert!(inputs.len() >= 6 && outputs.len() >= 3, "{inputs:?} {outputs:?}");
    let used: BTreeSet<&str> =
        action.split("${{ inputs.").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(used, inputs.iter().map(String::as_str).collect());
    let guide = text("docs/validate.md");
    for name in inputs.iter().chain(&outputs) {
        assert!(guide.contains(&format!("`{name}`")), "docs/validate.md does not name {name}");
    }
    // What a caller writes never stands in a script, where it would be run.
    for step in ["Install incident", "Validate"] {
        assert!(!script(step).contains("${{"), "{step}");
    }
}

#[test]
fn our_own_server_is_checked_by_our_own_validator() {
    assert!(text(".ci/run").contains(".ci/validate"));
    let folder = Scratch::new();
    let report = folder.path().join("validate.xml");
    let ran = Command::new(root().join(".ci/validate")).arg(BINARY).arg(&report).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let report = quick_junit::Report::deserialize_from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    assert!(report.failures == 0 && report.errors == 0 && report.tests > 15, "{report:?}");
    // A program that finds something fails the script.
    let failing = format!("#!/bin/sh\n[ \"$1\" = serve ] && exec {BINARY} \"$@\"\nexit 5\n");
    let folder = folder.with("failing", &failing);
    let failing = folder.path().join("failing");
    Command::new("chmod").arg("+x").arg(&failing).status().unwrap();
    let ran = Command::new(root().join(".ci/validate"))
        .arg(&failing)
        .arg(folder.path().join("x.xml"))
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(5), "{ran:?}");
}

#[test]
fn the_job_for_gitlab_names_flags_that_there_are() {
    let job = text("contrib/gitlab/validate.yml");
    let line = job.lines().find_map(|line| line.trim().strip_prefix("- incident validate ")).unwrap();
    let help = crate::harness::incident(&["validate", "--help"]).run().stdout;
    for flag in line.split(' ').filter(|word| word.starts_with("--")) {
        assert!(help.contains(&format!("{flag} ")), "{flag}");
    }
    assert!(line.contains("--report junit=validate.xml") && job.contains("      junit: validate.xml"));
}

#[test]
#[ignore = "needs Python's yaml: ./tests/run installs it and runs this"]
fn the_files_for_other_ci_systems_are_yaml() {
    let program = "import sys, yaml\n\
        action, job = [yaml.safe_load(open(name)) for name in sys.argv[1:]]\n\
        assert action['runs']['using'] == 'composite'\n\
        assert all(step['shell'] == 'bash' and step['run'] for step in action['runs']['steps'])\n\
        assert all(value['description'] for kind in ('inputs', 'outputs') for value in action[kind].values())\n\
        assert job['validate-stream']['artifacts']['reports']['junit'] == 'validate.xml'\n";
    let ran = Command::new(root().join("target/test-tools/python/bin/python"))
        .args(["-c", program, "action.yml", "contrib/gitlab/validate.yml"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}
