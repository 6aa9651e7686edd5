//! Faults of the connections to a server of orders: of the first one, of those that resume, and of a second client.

use super::orders::{PROFILE, but, fault, files, orders, replace, says};
use super::server::{Asked, Does, say, talk};
use super::{Fault, Over, each_breaks_its_rule, serve, validate};
use crate::harness::Scratch;

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_connections_are_found_each_by_its_rule() {
    let (_folder, flags) = files();
    let main_only = |change: fn(&mut Vec<Does>)| {
        but(move |asked, does| {
            if asked.number == 0 {
                change(does);
            }
        })
    };
    let faults = vec![
        fault(
            "connection",
            "it ends with code 1011",
            but(|asked, does| {
                if asked.number == 0 {
                    *does.last_mut().unwrap() = Does::Close(1011);
                }
            }),
        ),
        fault(
            "connection",
            "it ends without a word",
            main_only(|does| *does.last_mut().unwrap() = Does::Drop),
        ),
        fault("connection", "a binary message", main_only(|does| does.insert(2, Does::Binary))),
        fault(
            "connection",
            "a message of 1.2 MB",
            main_only(|does| {
                let place = does.len() - 1;
                does.insert(place, say(format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(1_200_000))));
            }),
        ),
        fault("silence", "no message for a while", but(|_, does| drop(does.pop()))).for_long(),
    ];
    each_breaks_its_rule(Over::Subscribed, flags, faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_other_clients_are_found_each_by_its_rule() {
    let (_folder, flags) = files();
    let faults = vec![
        fault(
            "resume",
            "the first event after the cut is lost",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.remove(1);
                }
            }),
        ),
        fault(
            "resume",
            "the last event is lost",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.remove(does.len() - 3);
                }
            }),
        ),
        fault(
            "resume",
            "nothing is resumed",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.drain(1..does.len() - 1);
                }
            }),
        ),
        fault("resume", "the position is not read", {
            let events = orders();
            talk(move |asked| says(&events, None, asked.number))
        }),
        fault(
            "resume",
            "an event is another one",
            but(|asked, does| {
                if asked.after().is_some() {
                    replace(does, "\"items\":2", "\"items\":3");
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets an event less",
            but(|asked, does| {
                if asked.number == 1 {
                    does.remove(9);
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets another event",
            but(|asked, does| {
                if asked.number == 1 {
                    replace(does, "\"items\":2", "\"items\":3");
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets nothing",
            but(|asked, does| {
                if asked.number == 1 {
                    does.drain(1..does.len() - 1);
                }
            }),
        ),
    ];
    each_breaks_its_rule(Over::Subscribed, flags, faults).await;
}

impl Fault {
    /// Listens for longer than the profile's silence.
    fn for_long(mut self) -> Self {
        self.flags.extend(["--gentle", "--limit", "silence.longest=400ms"].map(str::to_owned));
        self
    }
}

/// A server that refuses connections by their number.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_findings_of_what_was_tried() {
    let folder =
        Scratch::new().with("orders.toml", &PROFILE.replace("send = ['{\"op\":\"subscribe\"}']", ""));
    let profile = folder.path().join("orders.toml").display().to_string();
    let refusing = |refuses: fn(&Asked) -> bool| {
        let events = orders();
        talk(move |asked| {
            if refuses(asked) { vec![Does::Refuse(403)] } else { says(&events, asked.after(), asked.number) }
        })
    };
    let flags = ["--profile", &profile, "--for", "500ms"].map(str::to_owned).to_vec();
    let faults = vec![
        fault("resume", "no resuming", refusing(|asked| asked.after().is_some())),
        fault("fan-out", "no second client", refusing(|asked| asked.number == 1)),
    ];
    each_breaks_its_rule(Over::Socket, flags.clone(), faults).await;
    // Without a first connection there is nothing to judge: that is no finding but the end.
    let mut args = serve(Over::Socket, refusing(|_| true)).await;
    args.extend(flags);
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("answered HTTP 403: not you"), "{ran:?}");
}
