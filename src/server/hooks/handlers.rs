//! The paths of receivers. A request passes its secret, then its body is read, then the desk writes what it means; only then
//! it is answered. Nothing that passes is answered with 4xx: Alertmanager would drop the alerts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::answers::{Refused, said, taken, to_pagerduty};
use super::desk::{HookSetup, Hooks, NotTaken};
use super::secrets::Unsigned;
use crate::log_limiter::limited;
use crate::receivers::{self, Decision, Delivery, Enqueued, Fault, Kind};
use crate::server::bodies::{Bodies, LargeBody, Unread};
use crate::server::door::ConnectionInfo;
use crate::server::encoding::{Encoding, Undecodable};
use crate::server::http::off_workers;
use crate::server::lifecycle::Lifecycle;

/// The largest body of a kind of sender, and what the sender can do about one that is too large.
#[derive(Clone, Copy)]
struct Largest {
    bytes: usize,
    advice: &'static str,
}

impl Largest {
    fn exceeded(self) -> Refused {
        Refused::TooLarge(self.bytes, self.advice)
    }
}

/// Of Alertmanager and Grafana.
const WEBHOOK: Largest =
    Largest { bytes: 4 * 1024 * 1024, advice: "limit the alerts of a group: max_alerts" };

/// Of PagerDuty's clients.
const PAGERDUTY: Largest = Largest { bytes: 512 * 1024, advice: "shorten custom_details" };

/// A larger body is read on a thread of its own.
const FEW_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive …
const BODY_DEADLINE: Duration = Duration::from_secs(5);

/// … and how long writing may take before the sender is asked to try again.
const DEADLINE: Duration = Duration::from_secs(8);

type Parts = (State<Arc<Hooks>>, State<Arc<Lifecycle>>, Extension<ConnectionInfo>);

/// The name of a receiver in a path.
type Name = Result<Path<String>, PathRejection>;

/// The receiver; `None` also if its name is none that a receiver can have.
fn find(hooks: &Hooks, kind: Kind, name: Name) -> Option<HookSetup> {
    let Path(name) = name.ok()?;
    hooks.find(kind, &name)
}

/// A path below `/hooks/` at which there is no receiver.
pub(in crate::server) async fn nothing() -> Response {
    Refused::Unknown.into_response()
}

/// `POST /hooks/alertmanager/NAME`
pub(in crate::server) async fn alertmanager(
    parts: Parts,
    name: Name,
    headers: HeaderMap,
    body: Body,
) -> Response {
    webhook(Kind::Alertmanager, parts, name, &headers, body).await
}

/// `POST` or `PUT /hooks/grafana/NAME`
pub(in crate::server) async fn grafana(parts: Parts, name: Name, headers: HeaderMap, body: Body) -> Response {
    webhook(Kind::Grafana, parts, name, &headers, body).await
}

async fn webhook(kind: Kind, parts: Parts, name: Name, headers: &HeaderMap, body: Body) -> Response {
    let (State(hooks), State(lifecycle), Extension(info)) = parts;
    let Some(setup) = find(&hooks, kind, name) else { return Refused::Unknown.into_response() };
    let taken_in = async {
        let is_signed = setup.secrets.may_be_signed(headers);
        let is_known = setup.secrets.allow(headers);
        if !is_known && !is_signed {
            return Err(Refused::Secret(setup.secrets.wanted()));
        }
        let encoding = Encoding::of(headers).map_err(Refused::Encoding)?;
        let bodies = if is_known { &hooks.known } else { &hooks.unknown };
        let bytes = read(bodies, &lifecycle, &info, body, WEBHOOK).await?;
        if !is_known {
            setup.secrets.signed(headers, &bytes, crate::contract::now()).map_err(|why| match why {
                Unsigned::Wrong => Refused::Secret(setup.secrets.wanted()),
                Unsigned::Late => Refused::Late,
            })?;
        }
        // From here on the sender is known.
        let bytes = decode(&hooks.known, encoding, bytes, WEBHOOK).await?;
        let delivery = if bytes.len() <= FEW_BYTES {
            receivers::delivery(kind, &bytes)
        } else {
            off_workers(move || receivers::delivery(kind, &bytes)).await.map_err(NotTaken::from)?
        };
        write(&hooks, &setup, delivery.map_err(Refused::Invalid)?).await
    };
    let result = taken_in.await;
    count(&hooks, &setup, result.as_ref());
    result.map_or_else(IntoResponse::into_response, |decision| Json(taken(&decision)).into_response())
}

/// `POST /hooks/pagerduty/NAME/v2/enqueue`
pub(in crate::server) async fn pagerduty(
    parts: Parts,
    name: Name,
    headers: HeaderMap,
    body: Body,
) -> Response {
    enqueue(parts, name, &headers, body, |bytes, hooks| {
        let fresh = format!("{:016x}{:016x}", crate::random::bits(), crate::random::bits());
        receivers::event(bytes, &fresh, hooks.now())
    })
    .await
}

/// `POST /hooks/pagerduty/NAME/v2/change/enqueue`
pub(in crate::server) async fn pagerduty_change(
    parts: Parts,
    name: Name,
    headers: HeaderMap,
    body: Body,
) -> Response {
    enqueue(parts, name, &headers, body, |bytes, hooks| receivers::change(bytes, hooks.now())).await
}

async fn enqueue(
    parts: Parts,
    name: Name,
    headers: &HeaderMap,
    body: Body,
    parse: impl FnOnce(&[u8], &Hooks) -> Result<Enqueued, Vec<Fault>>,
) -> Response {
    let (State(hooks), State(lifecycle), Extension(info)) = parts;
    let Some(setup) = find(&hooks, Kind::PagerDuty, name) else { return Refused::Unknown.into_response() };
    let taken_in = async {
        let encoding = Encoding::of(headers).map_err(Refused::Encoding)?;
        let bytes = read(&hooks.unknown, &lifecycle, &info, body, PAGERDUTY).await?;
        let bytes = decode(&hooks.unknown, encoding, bytes, PAGERDUTY).await?;
        // What is wrong with a body is told to those alone who have the secret.
        if !receivers::routing_key(&bytes).is_some_and(|key| setup.secrets.has(key.as_bytes())) {
            return Err(Refused::Secret(setup.secrets.wanted()));
        }
        let enqueued = parse(&bytes, &hooks).map_err(Refused::Invalid)?;
        let decision = write(&hooks, &setup, enqueued.delivery).await?;
        Ok((decision, enqueued.dedup_key))
    };
    let result = taken_in.await;
    count(&hooks, &setup, result.as_ref().map(|(decision, _)| decision));
    to_pagerduty(result.map(|(_, dedup_key)| dedup_key))
}

/// Reads a body. One that arrives too slowly may be sent again.
async fn read(
    bodies: &Bodies,
    lifecycle: &Lifecycle,
    info: &ConnectionInfo,
    body: Body,
    most: Largest,
) -> Result<LargeBody, Refused> {
    let later = |why: &str| Refused::Later(why.to_owned());
    if lifecycle.is_draining() {
        return Err(later("the server is stopping"));
    }
    bodies.read(info, body, most.bytes, BODY_DEADLINE).await.map_err(|why| match why {
        Unread::TooLarge => most.exceeded(),
        Unread::Late => later("the body did not arrive in time"),
        Unread::Broken => later("the body has not arrived as a whole"),
        Unread::Busy => later("the server reads as many large bodies as it can at a time"),
    })
}

/// The body as it was before something between the sender and here has compressed it.
async fn decode(
    bodies: &Bodies,
    encoding: Encoding,
    body: LargeBody,
    most: Largest,
) -> Result<LargeBody, Refused> {
    bodies.decode(body, encoding, most.bytes).await.map_err(|error| match error {
        Undecodable::TooLarge => most.exceeded(),
        Undecodable::Broken(why) => Refused::Encoding(why),
        Undecodable::Busy => {
            Refused::Later("the server reads as many large bodies as it can at a time".to_owned())
        }
    })
}

async fn write(hooks: &Hooks, setup: &HookSetup, delivery: Delivery) -> Result<Decision, Refused> {
    if let Some(trouble) = hooks.trouble() {
        return Err(Refused::Later(format!("the journal is paused: {trouble}")));
    }
    match timeout(DEADLINE, hooks.take(&setup.receiver, &Arc::new(delivery))).await {
        Ok(taken) => Ok(taken?),
        Err(_) => Err(Refused::Later("the journal did not take the events in time".to_owned())),
    }
}

/// Counts a request, and logs what its sender can't be told of in any other way.
fn count(hooks: &Hooks, setup: &HookSetup, result: Result<&Decision, &Refused>) {
    let (name, metrics) = (setup.receiver.name.as_str(), hooks.metrics());
    let result = match result {
        Ok(decision) => {
            metrics.repeats(name, decision.repeats);
            for (why, count) in &decision.ignored {
                metrics.ignored(name, why.as_str(), *count);
            }
            "accepted"
        }
        Err(Refused::Secret(wanted)) => {
            limited!(warn, "a sender showed a receiver no secret or a wrong one", receiver = name, wanted);
            "refused"
        }
        Err(Refused::Unknown) => "refused",
        Err(Refused::Late) => {
            limited!(
                warn,
                "a signed request to a receiver is older or newer than its time allows; set the clocks",
                receiver = name
            );
            "refused"
        }
        Err(Refused::Encoding(why)) => {
            limited!(
                warn,
                "a body for a receiver can't be decoded; its alerts are lost",
                receiver = name,
                why
            );
            "invalid"
        }
        Err(Refused::TooLarge(most, _)) => {
            limited!(warn, "a body for a receiver is too large; its alerts are lost", receiver = name, most);
            "invalid"
        }
        Err(Refused::Invalid(faults)) => {
            let why = said(faults);
            limited!(warn, "a body for a receiver can't be read; its alerts are lost", receiver = name, why);
            "invalid"
        }
        Err(Refused::Later(why)) => {
            limited!(warn, "a delivery for a receiver could not be taken now", receiver = name, why);
            "failed"
        }
    };
    metrics.delivery(name, result);
}
