//! What a scenario may cost: near-linear work in what it declares, a budget that is a diagnostic, and no request that waits
//! for another one's plan.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, Retention};
use incident::scenario::{Library, Scenario};
use incident::server::Server;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Http, Scratch, ms, options, soon};

/// How much of everything a scenario declares.
#[derive(Clone, Copy)]
struct Declared {
    phases: usize,
    metrics: usize,
    hypotheses: usize,
    steps: usize,
    samples: usize,
    /// Bytes of each step's summary.
    summary: usize,
}

const SMALL: Declared = Declared { phases: 1, metrics: 1, hypotheses: 0, steps: 1, samples: 10, summary: 10 };

impl Declared {
    /// One second of the incident is one sample.
    fn text(self) -> String {
        let Self { phases, metrics, hypotheses, steps, samples, summary } = self;
        let mut text = format!(
            "id = \"declared\"\ntitle = \"Much\"\nseverity = \"SEV3\"\nservices = [\"a\"]\n\
             target = \"{samples}s\"\nmetrics_every = \"1s\"\n[agents]\na = \"acts\"\n"
        );
        let mut add = |line: std::fmt::Arguments<'_>| text.write_fmt(line).unwrap();
        for phase in 0..phases {
            let at = phase * samples * 1_000 / phases;
            add(format_args!("[[phases]]\nname = \"p{phase}\"\nat = \"{at}ms\"\n"));
        }
        add(format_args!("[metrics]\n"));
        for metric in 0..metrics {
            add(format_args!("m{metric} = {{ unit = \"ms\", keys = {{ 0s = 1, 9s = 2 }}, noise = 0.1 }}\n"));
        }
        add(format_args!("[impact.cost]\ncurrency = \"USD\"\n[impact.cost.per_minute]\n"));
        for phase in 0..phases {
            add(format_args!("p{phase} = {phase}\n"));
        }
        for hypothesis in 0..hypotheses {
            add(format_args!(
                "[[hypotheses]]\nid = \"h{hypothesis}\"\nclaim = \"c\"\nbelief = {{ 0s = 0, 9s = 0.0001 }}\n"
            ));
        }
        for step in 0..steps {
            let at = step * (samples - 1) * 1_000 / steps;
            let summary = "x".repeat(summary);
            add(format_args!(
                "[[steps]]\nid = \"s{step}\"\nat = \"{at}ms\"\nagent = \"a\"\naction = \"act\"\nsummary = \"{summary}\"\n"
            ));
        }
        add(format_args!("[resolution]\nat = \"{samples}s\"\nsummary = \"over\"\n"));
        text
    }

    fn parse(self) -> Result<Scenario, String> {
        Scenario::parse("declared.toml", &self.text()).map_err(|error| error.to_string())
    }

    /// The shortest of three attempts.
    fn time(self) -> Duration {
        let text = self.text();
        let timed = (0..3).map(|_| {
            let began = Instant::now();
            assert!(Scenario::parse("declared.toml", &text).is_ok());
            began.elapsed()
        });
        timed.min().unwrap()
    }
}

/// Four times as much must not take sixteen times as long.
fn grows_evenly(what: &str, less: Declared, more: Declared) {
    let (few, many) = (less.time(), more.time());
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    assert!(ratio < 8.0, "{what}: {few:?} became {many:?}, {ratio:.1} times as much");
}

/// Each sample added up the cost of all phases, and looked for the rate of each among all rates.
#[test]
fn the_cost_of_many_phases_is_added_up_once() {
    let many = |phases| Declared { phases, samples: 1_500, ..SMALL };
    grows_evenly("phases", many(100), many(400));
}

/// The belief in each hypothesis was looked for among all hypotheses, at each step.
#[test]
fn many_hypotheses_are_looked_at_once_a_step() {
    let many = |hypotheses| Declared { hypotheses, steps: 300, samples: 300, ..SMALL };
    grows_evenly("hypotheses", many(300), many(1_200));
}

/// Each sample looked at all keyframes for the lowest value. Four times the samples and four times the keyframes would be
/// sixteen times the work.
#[test]
fn the_keyframes_of_a_metric_are_not_looked_through_for_each_sample() {
    let time = |size: usize| {
        let keys: Vec<String> = (0..size).map(|key| format!("{key}ms = {}", key % 7)).collect();
        let keys = format!("keys = {{ {} }}", keys.join(", "));
        let text = Declared { samples: size, ..SMALL }.text().replace("keys = { 0s = 1, 9s = 2 }", &keys);
        let timed = (0..3).map(|_| {
            let began = Instant::now();
            assert!(Scenario::parse("keys.toml", &text).is_ok());
            began.elapsed()
        });
        timed.min().unwrap()
    };
    let (few, many) = (time(3_000), time(12_000));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    assert!(ratio < 8.0, "{few:?} became {many:?}, {ratio:.1} times as much");
}

/// Each name in a variant was looked for among all steps, and what it removed was taken out of the list alone.
#[test]
fn the_names_in_a_variant_are_found_at_once() {
    let time = |steps: usize, is_right: bool| {
        let x = if is_right { "" } else { "x" };
        let mut text = Declared { steps: steps + 1, samples: 1_000, ..SMALL }.text();
        let removed: Vec<_> = (steps / 2..steps).map(|step| format!("\"s{step}{x}\"")).collect();
        write!(text, "[variant.v]\nabout = \"v\"\nremove.steps = [{}]\n", removed.join(", ")).unwrap();
        for step in 0..steps / 2 {
            write!(text, "[variant.v.change.steps.s{step}{x}]\nsummary = \"other\"\n").unwrap();
        }
        let timed = (0..3).map(|_| {
            let began = Instant::now();
            let read = Scenario::parse("variant.toml", &text);
            assert_eq!(read.map_err(|error| error.diagnostics.len()).err(), (!is_right).then_some(100));
            began.elapsed()
        });
        timed.min().unwrap()
    };
    for is_right in [true, false] {
        let (few, many) = (time(2_000, is_right), time(8_000, is_right));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        assert!(ratio < 8.0, "{is_right}: {few:?} became {many:?}, {ratio:.1} times as much");
    }
}

/// The lines of a diagnostic that the author needs: where, what the limit is, and what to change.
fn refused(declared: Declared, words: &[&str]) {
    let error = declared.parse().expect_err("it is too much");
    assert!(error.starts_with("declared.toml:"), "{error}");
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
}

#[test]
fn a_plan_that_would_be_too_large_is_a_mistake_in_the_file() {
    // 150 million values.
    let metrics = Declared { metrics: 1_500, samples: 99_999, ..SMALL };
    refused(metrics, &["100000 samples of 1500 metrics", "32 MiB", "raise metrics_every", ":6:17:"]);
    // What can't be seen in advance ends at the limit, at the step that exceeds it.
    let texts = Declared { steps: 100, summary: 30_000, samples: 1_200, ..SMALL };
    let retried =
        texts.text().replace("action = \"act\"", "action = \"act\"\nfails = 1\nretry = { times = 20 }");
    let error = Scenario::parse("retried.toml", &retried).unwrap_err().to_string();
    assert!(error.contains("more than 32 MiB") && error.contains("leave out steps"), "{error}");
    let hypotheses = Declared { hypotheses: 1_000, steps: 6_000, samples: 10_000, ..SMALL };
    refused(hypotheses, &["6000 events of steps with 1000 hypotheses", "5000000 beliefs"]);
}

/// Each variant is compiled when the file is read.
#[test]
fn the_plans_of_all_variants_together_are_bounded() {
    let mut text = Declared { metrics: 5, samples: 20_000, ..SMALL }.text();
    let bytes = Scenario::parse("plain.toml", &text).unwrap().compile(1).unwrap().bytes();
    for variant in 0..50 {
        write!(text, "[variant.v{variant}.change.resolution]\nsummary = \"over {variant}\"\n").unwrap();
    }
    let error = Scenario::parse("variants.toml", &text).unwrap_err().to_string();
    let first = 64 * 1024 * 1024 / bytes + 1;
    let said = format!("the plans of {first} variants have more than 64 MiB together");
    assert!(first < 50 && error.contains(&said) && error.contains("leave variants out"), "{bytes}: {error}");
}

/// The limit is far above what real incidents need.
#[test]
fn a_large_scenario_keeps_to_the_limit() {
    let large =
        Declared { phases: 700, metrics: 5, hypotheses: 20, steps: 2_000, samples: 5_000, summary: 50 };
    let plan = large.parse().unwrap().compile(1).unwrap();
    assert_eq!(plan.events().len(), 1 + 5_001 + 2_000 + 1);
    assert!(plan.bytes() < 32 * 1024 * 1024, "{} bytes", plan.bytes());
}

#[test]
fn beliefs_are_added_up_at_a_bounded_number_of_moments() {
    let mut text = SMALL.text();
    for hypothesis in 0..300 {
        let keys: Vec<String> = (0..70).map(|key| format!("{}ms = 0.001", key * 300 + hypothesis)).collect();
        let keys = keys.join(", ");
        write!(text, "[[hypotheses]]\nid = \"h{hypothesis}\"\nclaim = \"c\"\nbelief = {{ {keys} }}\n")
            .unwrap();
    }
    let error = Scenario::parse("beliefs.toml", &text).unwrap_err().to_string();
    assert!(error.contains("too many to add up") && error.contains("leave out hypotheses"), "{error}");
}

/// One mistake a step: each was compared with all names, and each copied the whole file to be shown.
#[test]
fn the_mistakes_of_a_file_are_counted_and_the_first_hundred_told() {
    let text =
        Declared { steps: 5_000, samples: 5_000, ..SMALL }.text().replace("agent = \"a\"", "agent = \"b\"");
    let error = Scenario::parse("wrong.toml", &text).unwrap_err();
    assert_eq!((error.diagnostics.len(), error.left_out), (100, 4_900));
    let said = error.to_string();
    assert!(said.ends_with("wrong.toml: 4900 more mistakes"), "{}", &said[said.len() - 200..]);
    assert!(said.lines().take(100).all(|line| line.contains("unknown agent \"b\"")));
    assert!(error.render(false).contains("4900 more mistakes"));
}

#[test]
fn nested_and_endless_toml_is_refused() {
    for (opening, closing) in [("[", "]"), ("{a=", "}")] {
        let nested = format!("id = {}1{}", opening.repeat(100_000), closing.repeat(100_000));
        assert!(Scenario::parse("nested.toml", &nested).is_err());
    }
    let dotted = format!("{}a = 1", "a.".repeat(100_000));
    assert!(Scenario::parse("dotted.toml", &dotted).is_err());
    let long = "# a comment\n".repeat(1024 * 1024);
    let error = Scenario::parse("long.toml", &long).unwrap_err().to_string();
    assert!(error.contains("a scenario has at most 8388608"), "{error}");
    let broken = "=\n".repeat(500_000);
    let error = Scenario::parse("broken.toml", &broken).unwrap_err();
    let told: Vec<_> = error.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    // What follows from the first one is not told.
    assert_eq!(told, ["unquoted keys cannot be empty, expected letters, numbers, `-`, `_`"]);
    assert_eq!(error.left_out, 0);
}

/// After each mistake in its shape the file is read again: a long one not as often as a short one.
#[test]
fn a_long_file_is_not_read_again_for_each_mistake() {
    let mistakes = |summary| {
        let text = Declared { steps: 60, samples: 60, summary, ..SMALL }.text();
        let wrong = text.replace("action = \"act\"", "action = 7");
        Scenario::parse("wrong.toml", &wrong).unwrap_err().diagnostics.len()
    };
    assert_eq!(mistakes(10), 50);
    assert!((2..20).contains(&mistakes(100_000)), "{}", mistakes(100_000));
}

/// The unknown keys of a table are found with one reading, however many there are and wherever the table is.
#[test]
fn many_unknown_keys_are_one_reading() {
    let text = Declared { steps: 3, ..SMALL }.text();
    let keys: String = (0..200_000).map(|n| format!("key{n} = {n}\n")).collect();
    let wrong = format!("{keys}{text}").replacen("action = \"act\"", "action = 7", 1);
    let error = Scenario::parse("wrong.toml", &wrong).unwrap_err();
    let told: Vec<_> = error.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(told.len(), 50);
    assert!(told[0].starts_with("unknown field `key0`, expected one of `id`"), "{}", told[0]);
    assert!(told[49].starts_with("unknown field `key49`, "), "{}", told[49]);
    // A file with few of them is read to its end.
    let steps = text.replace("action = \"act\"", "action = \"act\"\nactoin = 1\nwhy = 2\n");
    let error = Scenario::parse("wrong.toml", &format!("one = 1\ntwo = 2\n{steps}")).unwrap_err();
    let told: Vec<_> = error.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
    let told = |word: &str| told.iter().filter(|told| told.contains(word)).count();
    assert_eq!((told("`one`"), told("`two`"), told("`actoin`"), told("`why`")), (1, 1, 3, 3));
}

/// Each of them would be looked at for each of the others.
#[test]
fn what_is_too_many_of_a_kind_is_one_mistake() {
    let text = Declared { steps: 3, ..SMALL }.text();
    let outcomes: Vec<String> = (0..200).map(|n| format!("o{n} = 0.005")).collect();
    let draws = text.replacen(
        "action = \"act\"",
        &format!("action = \"act\"\ndraws = {{ {} }}", outcomes.join(", ")),
        1,
    );
    let variants: String = (0..5_000).map(|n| format!("[variant.v{n}]\nq = \"a\"\n")).collect();
    for (text, said) in [
        (draws, "200 outcomes of one step: at most 100 are allowed"),
        (format!("{text}\n{variants}"), "more than 50 variants"),
    ] {
        let error = Scenario::parse("wrong.toml", &text).unwrap_err();
        let told: Vec<_> = error.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(told, [said]);
    }
}

/// The parser goes on after a mistake, and keeps each.
#[cfg(target_os = "linux")]
#[test]
fn many_mistakes_in_the_syntax_take_little_memory() {
    const MOST_KIB: u32 = 1_000_000;
    let folder = Scratch::new();
    let text = Declared { steps: 1, ..SMALL }.text();
    for wrong in ["k = = 1\n", "k = 1__1\n", "k = 1\n", "1\n", "[a\n"] {
        let lines = wrong.repeat(7 * 1024 * 1024 / wrong.len());
        std::fs::write(folder.path().join("wrong.toml"), format!("{text}[expect]\n{lines}")).unwrap();
        let limited = format!("ulimit -v {MOST_KIB} && exec \"$0\" validate wrong.toml");
        let ran = Command::new("bash")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_incident")])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(6), "{wrong:?}: {told}");
    }
}

/// A scenario whose plan takes a while.
fn slow() -> Library {
    let slow = Declared { metrics: 25, samples: 19_000, ..SMALL };
    Library::of(slow.parse().unwrap_or_else(|error| panic!("{error}")))
}

/// A server with that scenario, which stops with the token.
async fn serving() -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let journal = Journal::new(Memory::new(StreamId::generate(1_700_000_000_000, 9), Retention::default()));
    let server = Server::bind(options(), slow(), journal).await.unwrap();
    let (address, stop) = (server.address(), CancellationToken::new());
    let running = tokio::spawn(server.run(stop.clone().cancelled_owned()));
    (address, stop, running)
}

/// The test has one thread. If the plan were made on it, it would do nothing else for most of the time.
#[tokio::test]
async fn a_plan_is_not_made_on_a_thread_that_serves() {
    let (address, stop, running) = serving().await;
    let began = Instant::now();
    let (mut last, mut longest) = (began, Duration::ZERO);
    let mut trigger = std::pin::pin!(Http::trigger(address, "{\"scenario\":\"declared\"}").send());
    let reply = loop {
        let reply = tokio::select! {
            reply = &mut trigger => Some(reply),
            () = tokio::time::sleep(ms(1)) => None,
        };
        longest = longest.max(last.elapsed());
        last = Instant::now();
        if let Some(reply) = reply {
            break reply;
        }
    };
    assert_eq!(reply.status, 202, "{reply:?}");
    let all = began.elapsed();
    assert!(longest < all / 2, "of {all:?} the thread was held for {longest:?}");
    stop.cancel();
    soon("the end", running).await.unwrap();
}

#[tokio::test]
async fn more_triggers_than_may_wait_are_told_to_come_back() {
    let (address, stop, running) = serving().await;
    let triggers: Vec<_> =
        (0..80).map(|_| tokio::spawn(Http::trigger(address, "{\"scenario\":\"declared\"}").send())).collect();
    let (mut busy, mut started) = (None, 0);
    for trigger in triggers {
        let reply = soon("an answer to each trigger", trigger).await.unwrap();
        match reply.status {
            202 => started += 1,
            503 => busy = Some(reply),
            _ => panic!("{reply:?}"),
        }
        if busy.is_some() && started > 0 {
            break;
        }
    }
    let busy = busy.expect("80 are more than may wait");
    assert_eq!(busy.header("retry-after"), "2");
    assert!(busy.problem(503).contains("busy with other triggers"), "{busy:?}");
    assert!(started > 0);
    stop.cancel();
    soon("the end", running).await.unwrap();
}
