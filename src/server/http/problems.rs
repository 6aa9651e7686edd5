//! `/problems/NAME`: what the `type` of a problem document means, from the table in [`crate::ingest`].

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::prefix::PublicPath;
use super::problem::Problem;
use crate::ingest::Kind;

/// `GET /problems/NAME`, as text: for a person behind `curl` as well as behind a browser.
pub(in crate::server) async fn problem(
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let Some(kind) = Kind::named(&name) else {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let detail = format!("there is no problem {name:?}; the problems are {}", names.join(", "));
        return Err(Problem::not_found(detail));
    };
    let again = match kind.retry_after() {
        Some(_) => "The same request may succeed later.",
        None => "The same request will not succeed.",
    };
    let (title, status, advice, uri) = (kind.title(), kind.status(), kind.advice(), kind.uri());
    let text = format!("{title}\n\n{advice}\n\ntype: {uri}\nstatus: {status}\n{again}\n");
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// The answer with a link to what its problem means, below the path at which the server is published.
pub(super) fn linked(problem: Problem, PublicPath(path): &PublicPath) -> Response {
    let described_at = problem.described_at();
    let mut response = problem.into_response();
    if let Some(uri) = described_at
        && let Ok(link) = HeaderValue::try_from(format!("<{path}{uri}>; rel=\"help\""))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
