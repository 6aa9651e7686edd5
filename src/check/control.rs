//! The rules `greeting` and `heartbeat`: what a server says about its stream.

use std::time::Duration;

use super::context::Context;
use super::finding::{Finding, Place, quoted};
use super::frame::Frame;
use super::numbering::Numbering;
use super::rules::{Found, RuleId};
use crate::contract::{CONTRACT_VERSION, Follows, Heartbeat, StreamOpened};

/// What the server of the main connection said about its stream.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// Whether a message arrived on the connection.
    any: bool,
    /// Whether the connection must begin with a greeting: it is live, or a greeting came.
    pub(super) greeting: Option<Greeting>,
    /// A heartbeat that is ahead of an event, until the next event shows whether events are missing, which the rule
    /// `gap` reports, or the heartbeat is wrong.
    ahead: Option<(u64, Finding)>,
    /// Another stream than the greeting's, of which an event arrived.
    foreign: Option<String>,
    /// The first heartbeat of another stream than the greeting's, until it is certain that the greeting is right.
    foreign_beat: Option<(String, Finding)>,
    /// The last message and when it arrived.
    heard: Option<(Place, Duration)>,
    longest: Duration,
    beats: u64,
}

/// The greeting, as far as others need it.
#[derive(Debug, Clone)]
pub(super) struct Greeting {
    pub(super) stream: String,
    /// Whether the name of the stream is one.
    is_named: bool,
    /// Whether it promised every event of an incident that is open.
    pub(super) promises_start: bool,
    /// The first and last stored event that follow; `None` if the greeting is wrong about that.
    range: Option<(u64, u64)>,
    heartbeat: Duration,
    /// Whether the contract of the server is newer than this program: it may have types that are not known here.
    pub(super) is_newer: bool,
}

impl Control {
    /// Takes note of any message of the connection.
    pub(super) fn see(&mut self, frame: &Frame, context: &Context, found: &mut Found) {
        let first = !std::mem::replace(&mut self.any, true);
        // A recording may begin anywhere.
        if first
            && context.began.is_some()
            && let Some(wrong) = wrong_first(frame)
        {
            found.judged(RuleId::Greeting);
            found.add(RuleId::Greeting, wrong);
        }
        if let Some(arrival) = frame.arrival.filter(|_| context.arrivals) {
            self.silence(arrival, Some(frame), context, found);
            self.heard = Some((frame.place(), arrival));
        }
    }

    pub(super) fn greet(
        &mut self,
        opened: &StreamOpened,
        frame: &Frame,
        context: &Context,
        numbering: &mut Numbering,
        found: &mut Found,
    ) {
        found.judged(RuleId::Greeting);
        let range = opened.follows.range();
        // A recording may have several connections in it.
        if self.greeting.is_some() && context.began.is_some() {
            found.add(RuleId::Greeting, Finding::new("stream_opened came twice on one connection").at(frame));
            return;
        }
        let wrong = wrong_greeting(opened, frame);
        let is_named = wrong.as_ref().is_none_or(|(_, field)| *field != "stream");
        let is_wrong = wrong.as_ref().is_some_and(|(_, field)| *field != "contract");
        if let Some((finding, _)) = wrong {
            found.add(RuleId::Greeting, finding);
        }
        if !is_wrong {
            numbering.announce(&opened.stream, range, frame);
        }
        self.greeting = Some(Greeting {
            stream: opened.stream.clone(),
            is_named,
            promises_start: !is_wrong && matches!(opened.follows, Follows::Started { .. }),
            range: (!is_wrong).then_some(range),
            heartbeat: Duration::from_millis(opened.heartbeat_ms),
            is_newer: version(&opened.contract)
                .is_some_and(|theirs| Some(theirs) > version(CONTRACT_VERSION)),
        });
    }

    /// Whether an event is of another stream than the greeting's. Each further event of it says nothing new.
    pub(super) fn is_foreign(&mut self, stream: &str, frame: &Frame, found: &mut Found) -> bool {
        let Some(greeting) = self.greeting.as_ref().filter(|greeting| greeting.stream != stream) else {
            return false;
        };
        if self.foreign.as_deref() == Some(stream) {
            return true;
        }
        let message = format!(
            "an event of stream {} arrived; stream_opened announced {}",
            quoted(stream),
            quoted(&greeting.stream)
        );
        found.add(RuleId::Greeting, Finding::new(message).at(frame).field("/source"));
        self.foreign = Some(stream.to_owned());
        true
    }

    pub(super) fn beat(
        &mut self,
        beat: &Heartbeat,
        frame: &Frame,
        numbering: &mut Numbering,
        found: &mut Found,
    ) {
        // Before a greeting nothing is known: a recording may begin anywhere.
        let Some(greeting) = &self.greeting else { return };
        let fault = |message: String| Finding::new(message).at(frame).field("/data/head");
        if beat.stream != greeting.stream {
            let message = format!(
                "the heartbeat is of stream {}; expected {}",
                quoted(&beat.stream),
                quoted(&greeting.stream)
            );
            let finding = Finding::new(message).at(frame).field("/data/stream");
            if self.foreign_beat.is_none() && greeting.is_named {
                self.foreign_beat = Some((beat.stream.clone(), finding));
            }
            return;
        }
        let (heard, has_holes) =
            numbering.stream(&beat.stream).map_or((0, false), |seen| (seen.heard(), seen.has_holes()));
        // The client has, or does not get, every event before the first announced one. If an announced one is missing,
        // the rule `gap` says so.
        let last = match greeting.range {
            Some((from, to)) => heard.max(from.saturating_sub(1)).max(to),
            None if heard == 0 => return,
            None => heard,
        };
        self.beats += 1;
        found.judged(RuleId::Heartbeat);
        if beat.head > last && numbering.explains(beat.head - last) {
            numbering.excuse(&beat.stream, last + 1, beat.head);
        } else if beat.head > last && self.ahead.is_none() {
            let message = format!("the heartbeat's head is {}, but the last event was {last}", beat.head);
            let hint =
                "a heartbeat goes to clients that have all events: the events up to its head were lost";
            self.ahead = Some((last, fault(message).hint(hint)));
        } else if beat.head < last && !has_holes {
            // Events that are still missing may come late.
            let message =
                format!("the heartbeat's head is {}, behind the last event, which is {last}", beat.head);
            found.add(RuleId::Heartbeat, fault(message));
        }
    }

    /// Takes note of the position of an event that arrived.
    pub(super) fn arrived(&mut self, position: u64, found: &mut Found) {
        if let Some((last, finding)) = self.ahead.take_if(|(last, _)| position > *last)
            && position == last + 1
        {
            found.add(RuleId::Heartbeat, finding);
        }
    }

    /// Judges the silence until now.
    fn silence(&mut self, until: Duration, frame: Option<&Frame>, context: &Context, found: &mut Found) {
        let Some(greeting) = &self.greeting else { return };
        let allowed = allowed_s(greeting, context);
        let Some((place, since)) = &self.heard else { return };
        let silent = until.saturating_sub(*since);
        self.longest = self.longest.max(silent);
        if silent.as_secs_f64() > allowed {
            let (silent, promised) = (silent.as_secs_f64(), greeting.heartbeat.as_millis());
            let message =
                format!("no message for {silent:.1} s; a heartbeat is promised every {promised} ms");
            let finding = Finding::new(message);
            found.add(
                RuleId::Heartbeat,
                match frame {
                    Some(frame) => finding.at(frame),
                    None => finding.place(place).hint("no message came after this one"),
                },
            );
        }
    }

    /// Judges the end. Returns why nothing was checked of the heartbeat, if that is so.
    pub(super) fn finish(&mut self, ended: Option<Duration>, context: &Context, found: &mut Found) {
        if let Some((_, finding)) = self.ahead.take() {
            found.add(RuleId::Heartbeat, finding);
        }
        // If events are of that stream too, the greeting is wrong, which is reported.
        if let Some((stream, finding)) = self.foreign_beat.take()
            && self.foreign.as_ref() != Some(&stream)
        {
            found.add(RuleId::Heartbeat, finding);
        }
        if !context.arrivals {
            return;
        }
        let heard = self.heard.as_ref().map(|(_, at)| *at).unwrap_or_default();
        let ended = ended.unwrap_or(heard);
        self.silence(ended, None, context, found);
        let allowed = self.greeting.as_ref().map(|greeting| allowed_s(greeting, context));
        if allowed.is_some_and(|allowed| ended.as_secs_f64() > allowed) {
            found.judged(RuleId::Heartbeat);
        }
    }

    pub(super) fn heartbeat_summary(&self, arrivals: bool) -> String {
        if !arrivals {
            return format!("{} heartbeats name the newest position", self.beats);
        }
        let longest = self.longest.as_secs_f64();
        format!("{} heartbeats; the longest silence was {longest:.1} s", self.beats)
    }

    /// The position of the last stored event that was announced; later events are sent live. If the greeting is wrong
    /// about that, nobody knows which are.
    pub(super) fn replayed_to(&self) -> u64 {
        self.greeting.as_ref().map_or(0, |greeting| greeting.range.map_or(u64::MAX, |(_, to)| to))
    }
}

/// How long no message may come, in seconds. A server may promise any interval, so that a `Duration` may be too short.
fn allowed_s(greeting: &Greeting, context: &Context) -> f64 {
    greeting.heartbeat.as_secs_f64() * context.limits.intervals
}

/// What is wrong with the first message of a connection, if it is no greeting. A message that can't be read is reported as
/// such.
pub(super) fn wrong_first(frame: &Frame) -> Option<Finding> {
    let kind = frame.head.as_ref().map(|head| head.kind.as_str()).unwrap_or_default();
    (kind != "stream_opened" && frame.faults.is_empty()).then(|| {
        Finding::new(format!("the first message is {}; expected stream_opened", quoted(kind))).at(frame)
    })
}

/// What is wrong with a greeting that does not agree with itself, and the field.
pub(super) fn wrong_greeting(opened: &StreamOpened, frame: &Frame) -> Option<(Finding, &'static str)> {
    let (from, to) = opened.follows.range();
    let (head, oldest) = (opened.head, opened.oldest);
    let wrong = match version(&opened.contract) {
        None => Some((
            format!("the contract is {}; a version is MAJOR.MINOR", quoted(&opened.contract)),
            "contract",
        )),
        Some((major, _)) if version(CONTRACT_VERSION).is_some_and(|(ours, _)| ours != major) => Some((
            format!("the contract is {}; this program knows {CONTRACT_VERSION}", quoted(&opened.contract)),
            "contract",
        )),
        Some(_) if opened.stream.parse::<crate::contract::StreamId>().is_err() => Some((
            format!("the stream is {}; a name has letters, digits, '-' and '_'", quoted(&opened.stream)),
            "stream",
        )),
        Some(_) if oldest > head.saturating_add(1) => {
            Some((format!("the oldest event is {oldest}, beyond the head {head}"), "oldest"))
        }
        Some(_) if to != head => {
            Some((format!("events up to {to} follow; expected up to the head, which is {head}"), "follows"))
        }
        Some(_) if from > to.saturating_add(1) => {
            Some((format!("the events {from} to {to} follow, which are no events"), "follows"))
        }
        Some(_) if from < oldest && from <= to => {
            Some((format!("events from {from} follow, but the oldest that is kept is {oldest}"), "follows"))
        }
        Some(_) => None,
    };
    let (message, field) = wrong?;
    Some((Finding::new(message).at(frame).field(format!("/data/{field}")), field))
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
