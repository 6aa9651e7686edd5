//! Errors of the HTTP interface as RFC 9457 problem documents.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::ingest::{Fault, Kind, Refused};
use crate::metrics::Refusal;
use crate::server::encoding;
use crate::visible::visible;

/// What is wrong with a request, and what the caller can do about it.
#[derive(Debug)]
pub(in crate::server) struct Problem {
    status: StatusCode,
    detail: String,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    refusal: Option<Refusal>,
    /// What the table of problems and the events say more.
    more: Option<Box<Refused>>,
    /// The members of the request's body that are wrong.
    wrong: Option<Box<Wrong>>,
    /// Further members, for programs.
    further: Vec<(&'static str, Value)>,
}

/// Members of a request's body, each as a JSON pointer with what is wrong with it.
#[derive(Debug, Default)]
struct Wrong {
    members: Vec<(String, String)>,
}

/// An extension of the response to a refused request, for counting and logging it.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) refusal: Refusal,
    pub(super) detail: String,
}

impl Problem {
    pub(in crate::server) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            detail,
            headers: Vec::new(),
            refusal: None,
            more: None,
            wrong: None,
            further: Vec::new(),
        }
    }

    pub(in crate::server) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(in crate::server) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(in crate::server) fn status(&self) -> StatusCode {
        self.status
    }

    /// Adds a header to the response. One of the same name is replaced.
    pub(in crate::server) fn with_header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.set(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a member to the document, for programs.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.further.push((name, value.into()));
        self
    }

    /// Names a member of the request's body that is wrong, by its JSON pointer, so that a form can say it beside its field.
    pub(super) fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.wrong.get_or_insert_default().members.push((pointer.into(), detail.into()));
        self
    }

    /// Says what else is wrong with the request's body.
    pub(super) fn also(mut self, other: Self) -> Self {
        self.detail = format!("{}; {}", self.detail, other.detail);
        let members = other.wrong.map(|wrong| wrong.members).unwrap_or_default();
        members.into_iter().fold(self, |problem, (pointer, detail)| problem.at(pointer, detail))
    }

    /// Says after how many seconds the same request may succeed.
    pub(in crate::server) fn retry_after(mut self, seconds: u64) -> Self {
        self.set(header::RETRY_AFTER, HeaderValue::from(seconds));
        self
    }

    fn set(&mut self, name: header::HeaderName, value: HeaderValue) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }

    /// What is wrong, for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Where the table of problems describes it.
    pub(super) fn described_at(&self) -> Option<&'static str> {
        self.more.as_ref().map(|more| more.kind.uri())
    }

    /// The extension with which the refusal is counted and logged, if it is one.
    pub(super) fn refused(&self) -> Option<Counted> {
        self.refusal.map(|refusal| Counted { refusal, detail: self.detail.clone() })
    }

    /// Counts the request as refused for this reason.
    pub(in crate::server) fn because(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut problem = Self::new(status, refused.detail.clone());
        if refused.kind == Kind::ContentEncoding {
            problem = problem.with_header(header::ACCEPT_ENCODING, encoding::ACCEPTED);
        }
        if let Some(seconds) = refused.kind.retry_after() {
            problem = problem.retry_after(seconds);
        }
        problem.more = Some(Box::new(refused));
        problem
    }
}

/// One of the `errors` of a problem document.
pub(super) fn fault(fault: &Fault) -> Value {
    let mut value = json!({
        "index": fault.event,
        "pointer": fault.pointer,
        "type": fault.kind.uri(),
        "detail": visible(&fault.detail),
    });
    if let (Some(current), Some(members)) = (fault.current, value.as_object_mut()) {
        members.insert("current".to_owned(), current.into());
    }
    value
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "detail": visible(&self.detail),
        });
        if let (Some(more), Some(members)) = (&self.more, body.as_object_mut()) {
            members.insert("type".to_owned(), more.kind.uri().into());
            members.insert("title".to_owned(), more.kind.title().into());
            members.insert("advice".to_owned(), more.kind.advice().into());
            if more.total > 0 {
                members.insert("errors".to_owned(), more.faults.iter().map(fault).collect());
                members.insert("errors_total".to_owned(), more.total.into());
            }
        }
        if let (Some(wrong), Some(members)) = (&self.wrong, body.as_object_mut()) {
            let errors = wrong
                .members
                .iter()
                .map(|(pointer, detail)| json!({ "pointer": pointer, "detail": visible(detail) }));
            members.insert("errors".to_owned(), errors.collect());
        }
        if let Some(members) = body.as_object_mut() {
            members.extend(self.further.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        let refused = self.refused();
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        if let Some(refused) = refused {
            response.extensions_mut().insert(refused);
        }
        response
    }
}
