//! What the nats-servers do not permit. They say so on the connection and give the request no answer, so that it would seem
//! to be a server that hangs.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::log_limiter::LogLimiter;

/// How many refusals are known at once: more than there are requests on their way.
const KNOWN: usize = 64;

/// For how long a refusal to hear answers counts, if nothing is said of it anew: it is said once for each subscription.
const UNHEARD: Duration = Duration::from_secs(10);

/// What is said before the subject, which stands in quotes.
const PUBLISH: &str = "Permissions Violation for Publish to \"";
const SUBSCRIBE: &str = "Permissions Violation for Subscription to \"";

/// Something that the user of this server may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    subject: String,
    is_publish: bool,
}

impl Missing {
    /// Reads what a server says on the connection; `None` if it is about something else.
    fn read(error: &str) -> Option<Self> {
        let (rest, is_publish) = match error.strip_prefix(PUBLISH) {
            Some(rest) => (rest, true),
            None => (error.strip_prefix(SUBSCRIBE)?, false),
        };
        Some(Self { subject: rest.split('"').next()?.to_owned(), is_publish })
    }

    fn verb(&self) -> &'static str {
        if self.is_publish { "publish" } else { "subscribe" }
    }

    /// The permission as the guide lists it.
    fn permission(&self) -> String {
        let subject = self.subject.as_str();
        let of_stream = |rest: &str| rest.split('.').next().unwrap_or_default().to_owned();
        if let Some(rest) = subject.strip_prefix("$JS.API.STREAM.")
            && let Some((_, name)) = rest.split_once('.')
            && !rest.starts_with("MSG.")
        {
            return format!("$JS.API.STREAM.*.{name}");
        }
        if self.is_publish
            && let Some(rest) = subject.strip_prefix("incident.")
        {
            return format!("incident.{}.>", of_stream(rest));
        }
        if subject.starts_with("_INBOX.") { "_INBOX.>".to_owned() } else { subject.to_owned() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, subject, permission) = (self.verb(), &self.subject, self.permission());
        write!(
            f,
            "the nats-server does not permit {verb} of {subject}: add {permission} to what the user may {verb} (docs/cluster.md)"
        )
    }
}

/// What was refused of late.
#[derive(Debug, Default)]
struct Refused {
    /// The newest ones.
    publish: VecDeque<(Instant, Missing)>,
    /// That answers can't be heard.
    inbox: Option<(Instant, Missing)>,
}

impl Refused {
    /// Why a request to a subject that was sent at a time has no answer.
    fn why(&self, subject: &str, since: Instant) -> Option<Missing> {
        let is_it = |(at, missing): &&(Instant, Missing)| *at >= since && missing.subject == subject;
        let unheard = self.inbox.iter().find(|(at, _)| at.elapsed() < UNHEARD);
        self.publish.iter().rev().find(is_it).or(unheard).map(|(_, missing)| missing.clone())
    }
}

/// What the servers have refused on this connection.
#[derive(Default)]
pub(super) struct Permissions {
    refused: watch::Sender<Refused>,
    told: LogLimiter<String>,
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permissions").finish_non_exhaustive()
    }
}

impl Permissions {
    /// Takes in what a server says on the connection.
    pub(super) fn hear(&self, error: &str) {
        let Some(missing) = Missing::read(error) else {
            if let Some(unsaid) = self.told.allows(error.to_owned()) {
                tracing::warn!(error, unsaid, "a nats-server reports an error");
            }
            return;
        };
        // Each plan has subjects of its own; the permission is one.
        if let Some(unsaid) = self.told.allows(missing.permission()) {
            tracing::error!(unsaid, "{missing}");
        }
        self.refused.send_modify(|refused| {
            let now = Instant::now();
            if missing.is_publish {
                refused.publish.push_back((now, missing));
                if refused.publish.len() > KNOWN {
                    refused.publish.pop_front();
                }
            } else if missing.subject.starts_with("_INBOX.") {
                refused.inbox = Some((now, missing));
            }
        });
    }

    /// There is another connection, which may do more.
    pub(super) fn begin_anew(&self) {
        self.refused.send_modify(|refused| *refused = Refused::default());
    }

    /// Waits until the servers have refused a request to a subject that was sent at a time.
    pub(super) async fn refusal(&self, subject: &str, since: Instant) -> Missing {
        let mut refused = self.refused.subscribe();
        loop {
            if let Some(missing) = refused.borrow_and_update().why(subject, since) {
                return missing;
            }
            // The sender is a part of what is borrowed here.
            let _ = refused.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_as_the_guide_lists_it() {
        // Read, not built in: the guide is not in the image's context.
        let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cluster.md"));
        let Ok(guide) = guide else { panic!("{guide:?}") };
        let read = |verb: &str, subject: &str| {
            Missing::read(&format!("Permissions Violation for {verb} to \"{subject}\""))
        };
        for (verb, subject, permission) in [
            ("Publish", "incident.incident.ctl.plan.a.0123.0", "incident.incident.>"),
            ("Publish", "$JS.API.STREAM.INFO.incident", "$JS.API.STREAM.*.incident"),
            ("Publish", "$JS.API.STREAM.PURGE.incident_ctl", "$JS.API.STREAM.*.incident_ctl"),
            ("Publish", "$JS.API.STREAM.MSG.GET.incident_ctl", "$JS.API.STREAM.MSG.GET.incident_ctl"),
            ("Publish", "$JS.API.DIRECT.GET.incident", "$JS.API.DIRECT.GET.incident"),
            ("Subscription", "_INBOX.abc.*", "_INBOX.>"),
            ("Subscription", "incident.incident.live.head", "incident.incident.live.head"),
        ] {
            let Some(missing) = read(verb, subject) else { panic!("{subject}") };
            assert_eq!(missing.permission(), permission);
            assert!(guide.contains(&format!("\"{permission}\"")), "the guide lacks {permission}");
            let said = missing.to_string();
            assert!(said.contains(subject) && said.contains(permission), "{said}");
        }
        assert_eq!(Missing::read("maximum connections exceeded"), None);
        let queued = r#"Permissions Violation for Subscription to "_INBOX.a" using queue "b""#;
        assert!(Missing::read(queued).is_some_and(|missing| missing.subject == "_INBOX.a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_that_of_a_request_that_was_sent_before() {
        let permissions = Permissions::default();
        let late = Instant::now() + Duration::from_secs(1);
        let refused = |subject: &'static str, since| {
            tokio::time::timeout(Duration::from_millis(1), permissions.refusal(subject, since))
        };
        permissions.hear("Permissions Violation for Publish to \"a\"");
        let began = Instant::now();
        assert!(refused("a", began).await.is_ok());
        assert!(refused("b", began).await.is_err(), "another subject");
        assert!(refused("a", late).await.is_err(), "an earlier request");
        permissions.hear("Permissions Violation for Subscription to \"_INBOX.x\"");
        assert!(refused("b", late).await.is_ok(), "no answer can come");
        permissions.begin_anew();
        assert!(refused("b", began).await.is_err(), "the next connection may hear them");
    }
}
