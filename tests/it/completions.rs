//! Completions that know the server, and man pages: what the shells get, and the files that hold them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::{Ran, Scratch, Serving, ensure_file_contents, incident, root};

/// The words that may come next: what a shell is told when the last of these is being written.
fn candidates(words: &[&str], env: &[(&str, &str)]) -> Vec<String> {
    let args = [&["--", "incident"], words].concat();
    let index = words.len().to_string();
    let mut run = incident(&args).env("INCIDENT_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", &index);
    for (name, value) in env {
        run = run.env(name, value);
    }
    let ran = run.run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    // Behind the values come the flags, which may stand there too.
    let flags = words.last().is_some_and(|word| word.starts_with('-'));
    let offered = ran.stdout.split(['\n', '\u{b}']).map(str::trim);
    offered.filter(|word| !word.is_empty() && (flags || !word.starts_with('-'))).map(str::to_owned).collect()
}

fn triggered(server: &Serving) -> String {
    let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    ran.stdout.trim().to_owned()
}

#[test]
fn scenarios_and_incidents_are_those_of_the_server() {
    let server = Serving::with(&[]);
    let (url, id) = (server.url().to_owned(), triggered(&server));
    let over = triggered(&server);
    assert_eq!(server.incident(&["cancel", &over]).run().status, Some(0));
    // Named by a flag, before or after, or by the variable.
    let wanted = ["database-outage", "github-2018-mysql-failover"];
    assert_eq!(candidates(&["trigger", "--url", &url, ""], &[]), wanted);
    assert_eq!(candidates(&["trigger", &format!("--url={url}"), "git"], &[]), wanted[1..]);
    let named = [("INCIDENT_URL", url.as_str())];
    assert_eq!(candidates(&["trigger", ""], &named), wanted);
    assert_eq!(candidates(&["cancel", ""], &named), [id.as_str()], "only what is open");
    let mut both = [id.clone(), over];
    both.sort();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(candidates(&["watch", "--incident", "data"], &named)), both);
    assert_eq!(sorted(candidates(&["report", "data"], &named)), both);
}

#[test]
fn without_a_server_the_scenarios_here_are_offered() {
    let nobody = [("INCIDENT_URL", "ws://127.0.0.1:1/ws")];
    assert_eq!(candidates(&["trigger", "mem"], &nobody), ["memory-leak"]);
    assert_eq!(candidates(&["cancel", ""], &nobody), [""; 0]);
    for command in ["show", "validate"] {
        assert_eq!(candidates(&[command, "mem"], &[]), ["memory-leak"], "{command}");
    }
    assert_eq!(candidates(&["serve", "--trigger", "mem"], &[]), ["memory-leak"]);
}

#[test]
fn what_is_a_closed_set_is_offered_whole() {
    assert_eq!(candidates(&["validate", "--rule", ""], &[]).len(), incident::check::RULES.len());
    assert_eq!(candidates(&["validate", "--skip", "life"], &[]), ["lifecycle"]);
    let types = candidates(&["watch", "--type", ""], &[]);
    assert_eq!(types, ["incident_started", "agent_action", "system_metrics", "incident_resolved"]);
    assert!(candidates(&["serve", "--log"], &[]).contains(&"--log-format".to_owned()));
    assert!(candidates(&["tri"], &[]).contains(&"trigger".to_owned()));
}

#[test]
fn the_variable_of_other_programs_changes_nothing() {
    let ran = incident(&["--version"]).env("COMPLETE", "bash").run();
    assert!(ran.stdout.starts_with("incident "), "{ran:?}");
}

/// A shell with the binary of this build in its path.
fn shell(program: &str, args: &[&str], url: &str) -> Ran {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_incident")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let home = Scratch::new();
    let mut command = Command::new(program);
    command
        .args(args)
        .env("PATH", path)
        .env("INCIDENT_URL", url)
        .env("HOME", home.path())
        .stdin(Stdio::null());
    let ended = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { status: ended.status.code(), stdout: text(ended.stdout), stderr: text(ended.stderr) }
}

#[test]
#[ignore = "needs bash: ./tests/run installs it and runs this"]
fn bash_completes_what_the_server_knows() {
    let server = Serving::with(&[]);
    let id = triggered(&server);
    let script = root().join("completions/incident.bash").display().to_string();
    // As bash breaks a line, and what of it is behind the last break.
    let ask = |line: &str, words: &str, current: &str| {
        let script = format!(
            "source '{script}'; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _incident incident '{current}' x; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        shell("bash", &["-c", &script], "ws://127.0.0.1:1/ws").stdout
    };
    let url = server.url().replace("ws://", "http://");
    let (host, port) = url.trim_start_matches("http://").trim_end_matches("/ws").rsplit_once(':').unwrap();
    let broken = format!("http : //{host} : {port}/ws");
    let line = format!("incident trigger --url {url} git");
    let found = ask(&line, &format!("incident trigger --url {broken} git"), "git");
    assert_eq!(found.trim(), "github-2018-mysql-failover");
    let line = format!("incident cancel --url={url} ");
    let found = ask(&line, &format!("incident cancel --url = {broken} ''"), "");
    assert_eq!(found.split_whitespace().next(), Some(id.as_str()));
    // Bash keeps what is before the last break.
    let found = ask("incident validate --report=jun", "incident validate --report = jun", "jun");
    assert_eq!(found.trim(), "junit=");
    let found = ask("incident validate --report=", "incident validate --report =", "");
    assert!(found.lines().any(|offered| offered == "junit="), "{found}");
    // Of the word at the cursor only what is before it.
    let found = ask("incident tri", "incident tripod", "tri");
    assert_eq!(found.trim(), "trigger");
}

/// A name that bash would read in another way is quoted: the command gets it as one word. A bash in a terminal of its own, in which the
/// tabulator and the return key are pressed.
#[test]
#[ignore = "needs bash and zsh: ./tests/run installs them and runs this"]
fn bash_quotes_the_names_of_files() {
    let files = ["x;touch pwned.toml", "my file.toml", "q'uote.toml", "st*r-x.toml", "dollar$(id).toml"];
    let folder = files.iter().fold(Scratch::new(), |folder, name| folder.with(name, ""));
    let script = root().join("completions/incident.bash").display().to_string();
    let complete = |line: &str, wanted: &str| {
        let script = format!(
            "zmodload zsh/zpty; zpty b bash --norc --noprofile -i; \
             zpty -w b \"cd '{}'; source '{script}'; complete -F _incident typed; \
             typed() {{ printf '<%s>' \\\"\\$@\\\"; echo; }}; PS1='PRO''MPT>'\"; zpty -r b text '*PROMPT>*'; \
             zpty -w b $'{line}\\t'; zpty -r b text '*{wanted}>*'; print -r -- \"$text\"; zpty -d b",
            folder.path().display()
        );
        shell("timeout", &["14", "zsh", "-f", "-c", &script], "ws://127.0.0.1:1/ws").stdout
    };
    for (line, wanted, words) in [
        ("typed validate x", "pwned.toml", "<validate><x;touch pwned.toml>"),
        ("typed validate my", "file.toml", "<validate><my file.toml>"),
        ("typed validate \"my fi", "file.toml", "<validate><my file.toml>"),
        ("typed validate q", "uote.toml", "<validate><q'uote.toml>"),
        ("typed validate st\\\\*", "r-x.toml", "<validate><st*r-x.toml>"),
        ("typed validate dollar", ".toml", "<validate><dollar$(id).toml>"),
        ("typed validate --report junit=my", "file.toml", "<validate><--report><junit=my file.toml>"),
    ] {
        let shown = complete(line, wanted);
        assert!(shown.contains(words), "{line}: {shown}");
    }
    assert!(!folder.path().join("pwned.toml").exists());
}

#[test]
#[ignore = "needs fish: ./tests/run installs it and runs this"]
fn fish_completes_what_the_server_knows() {
    let server = Serving::with(&[]);
    let id = triggered(&server);
    let script = root().join("completions/incident.fish").display().to_string();
    let ask = |line: &str| {
        let ran = shell("fish", &["-c", &format!("source '{script}'; complete -C '{line}'")], server.url());
        ran.stdout
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask("incident trigger git"), ["github-2018-mysql-failover"]);
    assert_eq!(ask("incident cancel database"), [id]);
}

#[test]
#[ignore = "needs zsh: ./tests/run installs it and runs this"]
fn zsh_completes_what_the_server_knows() {
    let server = Serving::with(&[]);
    let folder = root().join("completions").display().to_string();
    // `-D`: compinit must write no dump file. With `-d FILE` it moves a new file over that path, be it a device.
    // A terminal of its own, in which the tabulator is pressed: the file is found by its name, as an installed one is.
    let script = format!(
        "zmodload zsh/zpty; zpty z zsh -f -i; \
         zpty -w z \"PS1='>'; fpath=({folder} \\$fpath); autoload -Uz compinit; compinit -u -D\"; \
         zpty -w z 'print READ''Y'; zpty -r z text '*READY*'; \
         zpty -n -w z $'incident trigger git\\t'; zpty -r z text '*failover*'; print -r -- \"$text\"; zpty -d z"
    );
    let ran = shell("timeout", &["14", "zsh", "-f", "-c", &script], server.url());
    assert!(ran.stdout.contains("github-2018-mysql-failover"), "{ran:?}");
}

/// In the terminal of a shell or asked by itself, each finds what is in a folder whose name it has to quote.
#[test]
#[ignore = "needs fish and zsh: ./tests/run installs them and runs this"]
fn fish_and_zsh_complete_in_folders_whose_names_are_quoted() {
    let files = ["my folder/in it.toml", "dollar$(id)/in it.toml", "it's/in it.toml", "c:d/in it.toml"];
    let folder = files.iter().fold(Scratch::new(), |folder, name| folder.with(name, ""));
    let scripts = root().join("completions").display().to_string();
    for (line, wanted) in [
        ("incident validate my\\ folder/i", "my folder/in it.toml"),
        ("incident validate \"my folder/i", "my folder/in it.toml"),
        ("incident validate --profile=my\\ folder/i", "--profile=my folder/in it.toml"),
        ("incident validate dollar\\$\\(id\\)/i", "dollar$(id)/in it.toml"),
        ("incident validate it\\'s/i", "it's/in it.toml"),
        ("incident validate c:d/i", "c:d/in it.toml"),
        ("incident validate ~/my\\ folder/i", "~/my folder/in it.toml"),
    ] {
        let script = folder.path().join("ask.fish");
        let quoted = line.replace('\\', "\\\\").replace('\'', "\\'");
        let ask = format!(
            "set -x HOME '{0}'; cd '{0}'; source '{scripts}/incident.fish'; complete -C '{quoted}'",
            folder.path().display()
        );
        std::fs::write(&script, ask).unwrap();
        let fish = shell("fish", &[&script.display().to_string()], "ws://127.0.0.1:1/ws");
        assert_eq!(fish.stdout.lines().collect::<Vec<_>>(), [wanted], "{line}: {fish:?}");
        let typed = line.replacen("incident", "typed", 1).replace('\\', "\\\\").replace('\'', "\\'");
        let ask = format!(
            "zmodload zsh/zpty; zpty z zsh -f -i; \
             zpty -w z \"export HOME='{0}'; cd '{0}'; PS1='>'; fpath=({scripts} \\$fpath); autoload -Uz compinit; compinit -u -D\"; \
             zpty -w z 'typed() {{ printf \"<%s>\" \"$@\"; print DO$((1))NE }}; compdef _incident typed; print READ$((1))Y'; \
             zpty -r z text '*READ1Y*'; zpty -w z $'{typed}\\t'; zpty -r z text '*DO1NE*'; print -r -- \"$text\"; zpty -d z",
            folder.path().display()
        );
        let zsh = shell("timeout", &["14", "zsh", "-f", "-c", &ask], "ws://127.0.0.1:1/ws");
        // The shell expands the home folder before the command gets the word.
        let given = wanted.replacen('~', &folder.path().display().to_string(), 1);
        assert!(zsh.stdout.contains(&format!("<{given}>")), "{line}: {zsh:?}");
    }
}

#[test]
fn completions_and_man_pages_are_up_to_date() {
    let printed = |args: &[&str]| {
        let ran = incident(args).run();
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
        ran.stdout
    };
    let scripts = [("bash", "incident.bash"), ("zsh", "_incident"), ("fish", "incident.fish")];
    let scripts = scripts
        .map(|(shell, file)| (root().join("completions").join(file), printed(&["completions", shell])));
    let help = printed(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // What a command does may take several lines, which are indented further.
    let commands = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<&str> = commands.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(commands.len() >= 12, "{commands:?}");
    let page = |name: &str| root().join("man").join(name);
    let mut files = scripts.to_vec();
    files.push((page("incident.1"), printed(&["man"])));
    let own = |name: &str| (page(&format!("incident-{name}.1")), printed(&["man", name]));
    files.extend(commands.iter().map(|name| own(name)));
    // Those of `publish`, to which its page points.
    let inner: Vec<(PathBuf, String)> = ["started", "action", "note", "metrics", "resolved"]
        .map(|name| own(&format!("publish-{name}")))
        .into();
    let inner_count = inner.len();
    files.extend(inner);
    let known: Vec<String> =
        files.iter().filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned())).collect();
    for (path, text) in files.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "1")) {
        // `incident\\-publish\\-note(1)`
        let text = text.replace('\\', "");
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        let pages = words.filter_map(|word| word.strip_suffix("(1)"));
        for named in pages {
            assert!(known.contains(&format!("{named}.1")), "{} points to {named}(1)", path.display());
        }
    }
    ensure_file_contents(&files);
    // No page of a command that is gone stays.
    let pages = std::fs::read_dir(root().join("man")).unwrap().count();
    assert_eq!(pages, commands.len() + inner_count + 1);
    let wrong = incident(&["man", "sevre"]).run();
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("did you mean \"serve\"?"), "{wrong:?}");
}

#[test]
fn closed_sets_are_offered_with_what_follows_them() {
    let pages = candidates(&["man", ""], &[]);
    for page in ["serve", "publish", "publish-note", "check-journal"] {
        assert!(pages.iter().any(|offered| offered == page), "{page}: {pages:?}");
        assert_eq!(incident(&["man", page]).run().status, Some(0), "{page}");
    }
    let limits = candidates(&["validate", "--limit", "lat"], &[]);
    assert_eq!(limits, ["latency.p50=", "latency.p95=", "latency.p99=", "latency.max="]);
    assert_eq!(candidates(&["validate", "--report", "ju"], &[]), ["junit="]);
    for command in ["trigger", "export", "validate"] {
        let offered = candidates(&[command, "database-outage", "--set", ""], &[]);
        assert!(offered.contains(&"variant=failover-fails".to_owned()), "{command}: {offered:?}");
        assert!(offered.contains(&"release=".to_owned()), "{command}: {offered:?}");
    }
}
