//! Servers of event streams.

use super::orders::replace;
use super::server::{Asked, Does, Talk, say, talk};
use super::{Fault, Over, each_breaks_its_rule, failures, rule, serve, validate};
use crate::validate::command::json as report_of;

/// Blocks with ids 1 to 8, of which a client that resumes gets the later ones, then comments for ever.
fn says(asked: &Asked) -> Vec<Does> {
    let mut does = vec![say("retry: 1000\n: welcome\n\n")];
    for n in asked.after().unwrap_or(0) + 1..=8 {
        does.push(say(format!("id: {n}\nevent: price\ndata: {n} euros\ndata: and more\n\n")));
    }
    does.push(Does::Ever(": alive\n".to_owned(), 100));
    does
}

fn with(change: impl Fn(&Asked, &mut Vec<Does>) + Send + Sync + 'static) -> Talk {
    talk(move |asked| {
        let mut does = says(asked);
        change(asked, &mut does);
        does
    })
}

/// What only the first client gets.
fn main(change: fn(&mut Vec<Does>)) -> Talk {
    with(move |asked, does| {
        if asked.number == 0 {
            change(does);
        }
    })
}

fn fault(rule: &'static str, way: &'static str, talk: Talk) -> Fault {
    Fault { rule, way, flags: Vec::new(), talk }
}

fn flags() -> Vec<String> {
    ["--profile", "sse", "--for", "600ms"].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_event_stream_passes() {
    let mut args = serve(Over::Events, talk(says)).await;
    args.extend(flags());
    args.extend(["--limit", "silence.longest=400ms"].map(str::to_owned));
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    for name in ["connection", "schema", "duplicate", "resume", "fan-out", "silence"] {
        assert_eq!(rule(&report, name)["status"], "passed", "{name}: {report:#}");
    }
    assert_eq!(rule(&report, "order")["why"], "the profile names no sequence number");
    assert_eq!(rule(&report, "clock")["why"], "the profile names no time");
    assert_eq!(rule(&report, "positions")["why"], "not part of the profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_event_streams_are_found_each_by_its_rule() {
    let close = |does: &mut Vec<Does>, what: Vec<Does>| {
        does.pop();
        does.extend(what);
    };
    let faults = vec![
        fault("connection", "it is a page", with(|_, does| does.insert(0, Does::ContentType("text/html")))),
        fault("connection", "the content type is almost right", {
            with(|_, does| does.insert(0, Does::ContentType("text/event-streams")))
        }),
        fault("connection", "status 204", with(|_, does| does.insert(0, Does::Refuse(204)))),
        fault(
            "connection",
            "the answer ends",
            main(|does| {
                does.pop();
                does.extend([Does::Wait(100), Does::Close(0)]);
            }),
        ),
        fault(
            "connection",
            "the connection breaks off",
            main(|does| {
                does.pop();
                does.extend([Does::Wait(100), Does::Drop]);
            }),
        ),
        fault(
            "connection",
            "the answer ends in an event",
            with(move |asked, does| {
                if asked.number == 0 {
                    close(does, vec![say("data: unfinished\n"), Does::Wait(100), Does::Close(0)]);
                }
            }),
        ),
        fault(
            "connection",
            "bytes that are not UTF-8",
            main(|does| {
                does.insert(4, Does::Bytes(b"data: \xff\xfe\n\n".to_vec()));
            }),
        ),
        fault(
            "connection",
            "an event of 1.2 MB",
            main(|does| {
                does.insert(4, say(format!("data: {}\n\n", "x".repeat(1_200_000))));
            }),
        ),
        fault(
            "connection",
            "an event has no id",
            with(|_, does| {
                let place = does.len() - 1;
                does.insert(place, say("event: price\ndata: 9\n\n"));
            }),
        ),
        fault(
            "connection",
            "an id is emptied",
            with(|_, does| {
                let place = does.len() - 1;
                does.insert(place, say("id\nevent: price\ndata: 9\n\n"));
            }),
        ),
    ];
    each_breaks_its_rule(Over::Events, flags(), faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_events_and_of_resuming_are_found_each_by_its_rule() {
    let faults = vec![
        fault(
            "duplicate",
            "an event comes twice",
            with(|asked, does| {
                if asked.after().is_none() {
                    let again = does[3].clone();
                    does.insert(4, again);
                }
            }),
        ),
        fault(
            "duplicate",
            "two events have one id",
            with(|_, does| {
                let place = does.len() - 1;
                does.insert(place, say("id: 8\ndata: another\n\n"));
            }),
        ),
        fault(
            "resume",
            "Last-Event-ID is not read",
            talk(|asked| says(&Asked { number: asked.number, ..Asked::default() })),
        ),
        fault(
            "resume",
            "the first event after the cut is lost",
            with(|asked, does| {
                if asked.after().is_some() {
                    does.remove(1);
                }
            }),
        ),
        fault(
            "resume",
            "the name of an event changes",
            with(|asked, does| {
                if asked.after().is_some() {
                    replace(does, "price", "prize");
                }
            }),
        ),
        fault(
            "resume",
            "clients can't come back",
            with(|asked, does| {
                if asked.after().is_some() {
                    does.insert(0, Does::Refuse(500));
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets an event less",
            with(|asked, does| {
                if asked.number == 1 {
                    does.remove(4);
                }
            }),
        ),
        fault(
            "fan-out",
            "a client is refused",
            with(|asked, does| {
                if asked.number == 1 {
                    does.insert(0, Does::Refuse(403));
                }
            }),
        ),
    ];
    each_breaks_its_rule(Over::Events, flags(), faults).await;
    let silent = Fault {
        rule: "silence",
        way: "no comment comes",
        flags: ["--limit", "silence.longest=300ms"].map(str::to_owned).to_vec(),
        talk: with(|_, does| drop(does.pop())),
    };
    each_breaks_its_rule(Over::Events, flags(), vec![silent]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_say_what_came_and_what_was_expected() {
    let found = |talk: Talk| async {
        let mut args = serve(Over::Events, talk).await;
        args.extend(flags());
        let found = failures(&validate(args).await);
        found.into_iter().map(|(rule, findings)| format!("{rule}: {}", findings[0])).collect::<Vec<_>>()
    };
    let wrong = found(with(|_, does| does.insert(0, Does::ContentType("application/json")))).await;
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let told = "the content type is \"application/json\"; expected text/event-stream";
    assert!(wrong[0].ends_with(told), "{wrong:?}");
    let wrong = found(with(|_, does| does.insert(0, Does::Refuse(204)))).await;
    assert!(wrong[0].ends_with("the status is 204, which tells clients never to come back"), "{wrong:?}");
    let wrong = found(with(|asked, does| {
        if asked.after().is_some() {
            does.remove(1);
        }
    }))
    .await;
    assert_eq!(wrong, ["resume: after the cut at id \"1\", id \"3\" came as number 1; expected id \"2\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_refused_with_where_it_leads() {
    let mut args =
        serve(Over::Events, talk(|_| vec![Does::Redirect("https://elsewhere.example/feed")])).await;
    args.extend(flags());
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("it redirects to https://elsewhere.example/feed"), "{ran:?}");
    assert!(
        ran.stderr.contains("try: check the URL (--url is a WebSocket, --sse an event stream)"),
        "{ran:?}"
    );
}

/// That all clients get nothing is no agreement, and a quiet stream is no pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_event_stream_is_no_pass() {
    let mut args = serve(Over::Events, talk(|_| vec![Does::Ever(": alive\n".to_owned(), 100)])).await;
    args.extend(flags());
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = report_of(&ran);
    assert_eq!(report["targets"][0]["nothing_checked"], "no event arrived");
    assert_eq!(rule(&report, "fan-out")["why"], "no event arrived");
    assert_eq!(rule(&report, "resume")["status"], "not_checked");
}
