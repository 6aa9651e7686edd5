//! The rule `silence` by a profile: the pauses between the messages of a connection.

use std::time::Duration;

use super::super::context::Context;
use super::super::finding::{Finding, Place};
use super::super::profile::Profile;
use super::super::rules::{Found, RuleId};

/// How much a timer and the network may add to a silence.
const SLACK: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Quiet {
    last: Option<(Duration, Place)>,
    pub(super) longest: Duration,
}

impl Quiet {
    /// Something arrived.
    pub(super) fn see(
        &mut self,
        at: Option<Duration>,
        place: Place,
        profile: &Profile,
        context: &Context,
        found: &mut Found,
    ) {
        let Some(at) = at.filter(|_| context.arrivals) else { return };
        self.judge(at, &place, "", profile, context, found);
        self.last = Some((at, place));
    }

    /// The listening ended.
    pub(super) fn finish(
        &mut self,
        ended: Option<Duration>,
        profile: &Profile,
        context: &Context,
        found: &mut Found,
    ) {
        if let (Some(ended), Some((_, place))) = (ended, self.last.clone()) {
            self.judge(ended, &place, " after the last message", profile, context, found);
        }
    }

    fn judge(
        &mut self,
        until: Duration,
        place: &Place,
        when: &str,
        profile: &Profile,
        context: &Context,
        found: &mut Found,
    ) {
        let Some((since, _)) = &self.last else { return };
        let promised = profile.silence.map(|silence| silence + SLACK);
        let Some(allowed) = context.limits.silence.or(promised) else { return };
        let silent = until.saturating_sub(*since);
        found.judged(RuleId::Silence);
        self.longest = self.longest.max(silent);
        if silent > allowed {
            let (silent, allowed) = (silent.as_secs_f64(), allowed.as_secs_f64());
            let text = format!("no message arrived for {silent:.3} s{when}; {allowed:.3} s is allowed");
            found.add(RuleId::Silence, Finding::new(text).place(place));
        }
    }
}
