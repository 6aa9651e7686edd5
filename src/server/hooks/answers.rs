//! The answers of receivers, each in the form that its sender knows.

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::desk::NotTaken;
use crate::receivers::{Decision, Fault};
use crate::server::encoding;
use crate::server::http::Problem;

/// What is wrong with a request to a receiver.
pub(super) enum Refused {
    /// There is no such receiver.
    Unknown,
    /// It shows no secret, or a wrong one; with what it has to show.
    Secret(String),
    /// It is signed for another time.
    Late,
    /// Its body's encoding is not known, or its body does not have it.
    Encoding(String),
    /// Its body is larger than so many bytes; with what its sender can do.
    TooLarge(usize, &'static str),
    /// Its body can't be read.
    Invalid(Vec<Fault>),
    /// It can't be taken now; the same later may be.
    Later(String),
}

impl From<NotTaken> for Refused {
    fn from(error: NotTaken) -> Self {
        Self::Later(error.to_string())
    }
}

/// How often a sender should try at most, in seconds.
const RETRY_AFTER: &str = "2";

/// What a webhook is told that was taken.
pub(super) fn taken(decision: &Decision) -> Value {
    json!({
        "events": decision.drafts.len(),
        "repeats": decision.repeats,
        "ignored": decision.ignored.values().sum::<u64>(),
        "incidents": decision.incidents,
    })
}

/// The refusal of a webhook.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => Problem::not_found(
                "there is no receiver of this kind and name; look at the file of serve --receivers",
            )
            .into_response(),
            Self::Secret(wanted) => Problem::new(StatusCode::UNAUTHORIZED, wanted)
                .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"incident\"")
                .into_response(),
            Self::Late => Problem::new(
                StatusCode::UNAUTHORIZED,
                "the request is signed for a time that is more than five minutes away; set the clocks of both",
            )
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"incident\"")
            .into_response(),
            Self::Encoding(why) => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why)
                .with_header(header::ACCEPT_ENCODING, encoding::ACCEPTED)
                .into_response(),
            Self::TooLarge(most, advice) => {
                let detail = format!("the body has more than {most} bytes; {advice}");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response()
            }
            Self::Invalid(faults) => {
                let errors: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({ "pointer": fault.pointer, "detail": fault.what }))
                    .collect();
                let body = json!({
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": said(&faults),
                    "errors": errors,
                });
                let kind = [(header::CONTENT_TYPE, "application/problem+json")];
                (StatusCode::UNPROCESSABLE_ENTITY, kind, Json(body)).into_response()
            }
            Self::Later(why) => later(&why),
        }
    }
}

fn later(why: &str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{why}; send the same again later"))
        .with_header(header::RETRY_AFTER, RETRY_AFTER)
        .into_response()
}

/// Every fault in one line.
pub(super) fn said(faults: &[Fault]) -> String {
    let texts: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    texts.join("; ")
}

/// The answers of PagerDuty.
pub(super) fn to_pagerduty(result: Result<String, Refused>) -> Response {
    let invalid = |status: StatusCode, message: &str, errors: Vec<String>| {
        let body = json!({ "status": "invalid event", "message": message, "errors": errors });
        (status, Json(body)).into_response()
    };
    match result {
        Ok(dedup_key) => {
            let body = json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(Refused::Invalid(faults)) => {
            let errors = faults.into_iter().map(|fault| fault.what).collect();
            invalid(StatusCode::BAD_REQUEST, "Event object is invalid", errors)
        }
        Err(Refused::Secret(_)) => {
            let errors = vec!["routing_key is not the token of this receiver".to_owned()];
            invalid(StatusCode::UNAUTHORIZED, "Event object is invalid", errors)
        }
        Err(Refused::Later(why)) => {
            let headers: [(HeaderName, &str); 1] = [(header::RETRY_AFTER, RETRY_AFTER)];
            let body = json!({ "status": "unavailable", "message": why, "errors": [] });
            (StatusCode::SERVICE_UNAVAILABLE, headers, Json(body)).into_response()
        }
        Err(other) => other.into_response(),
    }
}
