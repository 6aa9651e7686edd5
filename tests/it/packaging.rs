//! What the program is installed with: the image, the systemd unit and the release's files do what they say.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use serde_json::Value;

use crate::harness::{PATIENCE, Scratch, Serving, WRITE, get, incident, root};

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The words of an instruction of the Dockerfile: what follows its name, in JSON.
fn instruction(name: &str) -> Vec<String> {
    let file = text("Dockerfile");
    let line = file.lines().rfind(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap()
}

/// The commands of the image, with the journal elsewhere and any port.
#[test]
fn the_image_runs_what_this_program_understands() {
    assert_eq!(instruction("ENTRYPOINT"), ["/incident"]);
    let health = instruction("HEALTHCHECK");
    assert_eq!(health[0], "/incident");
    let scratch = Scratch::new().with("tokens.txt", &format!("write {WRITE}\n"));
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let command: Vec<String> = instruction("CMD")
        .iter()
        .map(|word| match word.as_str() {
            "7911" => "0".to_owned(),
            word => word.replace("/data", scratch.text()),
        })
        .collect();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let refused = incident(&command).run();
    assert!(refused.status == Some(2) && refused.stderr.contains("--token-file"), "{refused:?}");
    let tokens = path("tokens.txt");
    let server = Serving::alone(&[&command[..], &["--json", "--token-file", &tokens]].concat());
    let health: Vec<&str> = health[1..].iter().map(String::as_str).collect();
    let url = format!("127.0.0.1:{}", server.address().port());
    let ran = incident(&[&health[..], &["--url", &url]].concat()).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "ok\n"), "{}", ran.stderr);
    assert!(fs::metadata(path("journal.db")).is_ok(), "the journal is in the volume");
    let file = text("Dockerfile");
    let user = file.lines().rfind(|line| line.starts_with("USER ")).unwrap();
    assert!(!user.contains("root") && !user.starts_with("USER 0"), "{user}");
    assert!(file.contains("FROM scratch"));
}

#[tokio::test]
async fn health_says_whether_a_server_answers_and_is_ready() {
    let server = Serving::with(&["--drain", "60s", "--base-path", "/incident"]);
    let said = |args: &[&str]| {
        let ran = server.incident(&[&["health"], args].concat()).run();
        (ran.status, ran.stdout, ran.stderr)
    };
    assert_eq!(said(&[]), (Some(0), "ok\n".to_owned(), String::new()));
    assert_eq!(said(&["--ready"]), (Some(0), "ready\n".to_owned(), String::new()));
    // A client that stays for a while: the server answers until it has left.
    let endpoint = server.url().parse().unwrap();
    let client = incident::client::Socket::connect(&endpoint, None).await.unwrap();
    server.signal("TERM");
    let stopping = loop {
        let (status, _, stderr) = said(&["--ready"]);
        if status != Some(0) {
            break (status, stderr);
        }
    };
    assert_eq!(stopping.0, Some(3), "{}", stopping.1);
    drop(client);
    let gone = incident(&["health", "--url", "127.0.0.1:1"]).run();
    assert_eq!((gone.status, gone.stdout.as_str()), (Some(3), ""), "{}", gone.stderr);
    let foreign = crate::trigger::answering("404 Not Found");
    assert_eq!(incident(&["health", "--url", &foreign]).run().status, Some(3));
    // It listens, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = silent.local_addr().unwrap().to_string();
    let ran = incident(&["health", "--timeout", "200ms", "--url", &url]).run();
    assert!(ran.status == Some(3) && ran.stderr.contains("no answer within 0.2 s"), "{ran:?}");
}

/// What a service manager is told, at a path and at an abstract name.
#[test]
fn a_service_manager_is_told_of_the_start_and_the_stop() {
    let scratch = Scratch::new();
    let path = scratch.path().join("notify");
    let abstract_name = format!("incident-test-{}", std::process::id());
    #[cfg(target_os = "linux")]
    let named = {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&abstract_name).unwrap();
        UnixDatagram::bind_addr(&address).unwrap()
    };
    let sockets = [
        (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
        #[cfg(target_os = "linux")]
        (named, format!("@{abstract_name}")),
    ];
    for (socket, name) in sockets {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let told = || {
            let mut state = [0; 64];
            let length = socket.recv(&mut state).unwrap();
            String::from_utf8_lossy(&state[..length]).into_owned()
        };
        let server =
            incident(&["serve", "--port", "0", "--journal", "memory"]).env("NOTIFY_SOCKET", &name).spawn();
        assert_eq!(told(), "READY=1", "{name}");
        server.signal("TERM");
        assert_eq!(told(), "STOPPING=1", "{name}");
        assert_eq!(server.end().status, Some(0));
    }
    let unheard =
        incident(&["serve", "--port", "0", "--journal", "memory"]).env("NOTIFY_SOCKET", "/nowhere/x");
    let mut unheard = unheard.spawn();
    unheard.says("cannot tell the service manager READY=1");
    unheard.signal("TERM");
    assert_eq!(unheard.end().status, Some(0), "it serves all the same");
}

/// It hangs, or something before it does: it is told when it reads again, and meanwhile the server serves and stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_manager_that_does_not_read_keeps_the_server_from_nothing() {
    let scratch = Scratch::new();
    let path = scratch.path().join("notify");
    let (manager, other) = (UnixDatagram::bind(&path).unwrap(), UnixDatagram::unbound().unwrap());
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    other.set_nonblocking(true).unwrap();
    let fill = || while other.send_to(b"OTHER=1", &path).is_ok() {};
    fill();
    let mut server = incident(&["serve", "--port", "0", "--journal", "memory"])
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .spawn();
    let page = server.says("Dashboard ");
    let address = page.trim_end_matches('/').rsplit('/').next().unwrap().parse().unwrap();
    server.says("Ready in");
    assert_eq!(get(address, "/healthz").await.status, 200);
    let mut state = [0; 64];
    while !state.starts_with(b"READY=1") {
        manager.recv(&mut state).unwrap();
    }
    fill();
    server.signal("TERM");
    assert_eq!(server.end().status, Some(0));
}

/// The unit with the binary of this build in the place of the installed one.
fn unit() -> (Scratch, String) {
    let unit = text("contrib/systemd/incident.service");
    assert!(unit.contains("ExecStart=/usr/local/bin/incident serve"));
    let unit = unit.replace("/usr/local/bin/incident", env!("CARGO_BIN_EXE_incident"));
    let scratch = Scratch::new().with("incident.service", &unit);
    let path = scratch.path().join("incident.service").to_str().unwrap().to_owned();
    (scratch, path)
}

#[test]
#[ignore = "needs systemd-analyze: ./tests/run installs it and runs this"]
fn systemd_takes_the_unit_and_finds_it_hardened() {
    let (_scratch, path) = unit();
    for args in [&["verify", &path][..], &["security", "--offline=true", "--threshold=15", &path]] {
        let ran = Command::new("systemd-analyze").args(args).env("SYSTEMD_COLORS", "0").output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{args:?}: {said}");
        // A setting that it does not know is a warning, and no failure.
        let unknown = said.lines().find(|line| line.contains(&*path) && args[0] == "verify");
        assert_eq!(unknown, None, "{said}");
    }
}

/// The words of the unit's command, in a plain run.
#[test]
fn the_unit_runs_what_this_program_understands() {
    let unit = text("contrib/systemd/incident.service");
    let command =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/incident ")).unwrap();
    let scratch = Scratch::new();
    fs::create_dir(scratch.path().join("incident")).unwrap();
    let command = command.replace("%S", scratch.text());
    let words: Vec<&str> = command.split(' ').chain(["--port", "0", "--json"]).collect();
    let server = Serving::alone(&words);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

/// The files that the release workflow makes are those that `cargo binstall` looks for.
#[test]
fn the_release_makes_the_files_that_are_looked_for() {
    let workflow = text(".github/workflows/release.yml");
    let targets: Vec<&str> = workflow
        .lines()
        .filter_map(|line| line.split_once("{ target: ")?.1.split_once(','))
        .map(|(target, _)| target)
        .collect();
    for wanted in [
        "x86_64-unknown-linux-gnu",
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-gnu",
        "aarch64-unknown-linux-musl",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ] {
        assert!(targets.contains(&wanted), "{wanted} is not among {targets:?}");
    }
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let manifest: Value = serde_json::to_value(manifest).unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let filled = |template: &Value| {
        let values = [
            ("name", "incident"),
            ("bin", "incident"),
            ("version", "1"),
            ("target", "T"),
            ("binary-ext", ""),
        ];
        let whole = values.iter().fold(template.as_str().unwrap().to_owned(), |whole, (name, value)| {
            whole.replace(&format!("{{ {name} }}"), value)
        });
        whole.replace("{ archive-suffix }", ".tar.gz")
    };
    assert_eq!(filled(&binstall["pkg-url"]), "{ repo }/releases/download/v1/incident-1-T.tar.gz");
    assert_eq!(filled(&binstall["bin-dir"]), "incident-1-T/incident");
    // The workflow's own steps, on a program that stands in for the built one.
    let pack = workflow.split_once("- name: Pack\n        run: |\n").unwrap().1;
    let pack: String = pack
        .lines()
        .take_while(|line| line.starts_with("          "))
        .map(|line| line.trim().to_owned() + "\n")
        .collect();
    let scratch = Scratch::new().with("target/T/release/incident", "#!/bin/sh\n");
    let texts = ["README.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
    for name in texts.into_iter().chain(["LICENSE-MIT", "LICENSE-APACHE", "Cargo.toml"]) {
        fs::copy(root().join(name), scratch.path().join(name)).unwrap();
    }
    for folder in ["completions", "contract", "contrib", "docs", "examples", "man", "profiles"] {
        std::os::unix::fs::symlink(root().join(folder), scratch.path().join(folder)).unwrap();
    }
    let ran = Command::new("sh")
        .args(["-euc", &pack])
        .env("TARGET", "T")
        .current_dir(scratch.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let name = format!("incident-{}-T", env!("CARGO_PKG_VERSION"));
    let listed =
        Command::new("tar").args(["-tzf", &format!("{name}.tar.gz")]).current_dir(scratch.path()).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    for file in ["incident", "README.md", "LICENSE-MIT", "contract", "contrib", "man", "examples"] {
        assert!(listed.contains(&format!("{name}/{file}")), "{file}: {listed}");
    }
    let sum = fs::read_to_string(scratch.path().join(format!("{name}.tar.gz.sha256"))).unwrap();
    assert!(sum.trim_end().ends_with(&format!("  {name}.tar.gz")), "{sum}");
}

/// The first file of the library, of the program and of the script that runs before they are built, and how they are built.
fn begun_with() -> Vec<String> {
    let ran = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let targets = metadata["packages"][0]["targets"].as_array().unwrap();
    let is_built = |target: &&Value| {
        target["kind"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| ["lib", "bin", "custom-build"].iter().any(|of| kind == of))
    };
    let files = targets.iter().filter(is_built).map(|target| {
        let file = std::path::Path::new(target["src_path"].as_str().unwrap()).canonicalize().unwrap();
        file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
    });
    let files: Vec<String> = files.chain([".cargo/config.toml".to_owned()]).collect();
    assert!(files.len() >= 4, "{files:?}");
    files
}

/// Every file that is built into the program, from the project's root.
fn built_in() -> Vec<String> {
    let mut files = begun_with();
    let mut folders = vec![root().join("src"), root().join("benches")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let code = fs::read(&path).unwrap();
            for part in String::from_utf8_lossy(&code).split("include_").skip(1) {
                let is_it = ["str!(\"", "bytes!(\"", "dir!(\"", "!(\""];
                let Some(name) = is_it.iter().find_map(|begin| part.strip_prefix(begin)) else { continue };
                let name = name.split('"').next().unwrap();
                let file = folder.join(name).canonicalize().unwrap();
                files.push(file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files
}

#[test]
fn everything_that_is_built_in_is_in_the_image_s_context_and_in_the_package() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let left_out: Vec<&str> =
        manifest["package"]["exclude"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    let ignore = text(".dockerignore");
    let mut rules = ignore.lines();
    assert_eq!(rules.next(), Some("*"), "all that is not named is left out");
    let let_in: Vec<&str> = rules.map(|line| line.strip_prefix('!').unwrap()).collect();
    for name in &let_in {
        assert!(root().join(name).exists(), "{name} does not exist");
    }
    let files = built_in();
    assert!(files.len() > 30 && files.iter().any(|file| file.starts_with("profiles/")), "{files:?}");
    let within = |file: &str, name: &&str| file == *name || file.starts_with(&format!("{name}/"));
    for file in &files {
        assert!(let_in.iter().any(|name| within(file, name)), ".dockerignore leaves {file} out");
        assert!(!left_out.iter().any(|name| within(file, name)), "Cargo.toml excludes {file}");
    }
}

#[test]
fn the_unit_reloads_as_it_says() {
    let unit = text("contrib/systemd/incident.service");
    assert!(unit.contains("systemctl reload"));
    assert!(unit.lines().any(|line| line == "ExecReload=/bin/kill -HUP $MAINPID"), "{unit}");
}
