//! The credentials of a request, and the responses to missing and wrong ones.

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;

use crate::metrics::Refusal;
use crate::server::http::Problem;
use crate::token::Scope;

/// Cookies of our name that are looked at: other servers on this host can set further ones that hide ours.
const COOKIES: usize = 8;

/// The credentials of a request.
pub(super) enum Credentials {
    None,
    /// The text behind `Bearer`. With it cookies are not looked at; with another scheme they are.
    Token(Vec<u8>),
    /// Session ids.
    Sessions(Vec<String>),
}

impl Credentials {
    pub(super) fn of(headers: &HeaderMap, cookie: &str) -> Result<Self, Problem> {
        let authorizations = || headers.get_all(header::AUTHORIZATION).iter();
        let mut tokens = authorizations().filter_map(bearer);
        if let Some(token) = tokens.next() {
            if tokens.next().is_some() {
                return Err(Problem::bad_request("send one Authorization header with a token, not several"));
            }
            return Ok(Self::Token(token.to_vec()));
        }
        let ids: Vec<String> = cookies(headers, cookie).take(COOKIES).map(str::to_owned).collect();
        if !ids.is_empty() {
            return Ok(Self::Sessions(ids));
        }
        // A password for a proxy is no credential here, but its sender may have meant it as one.
        if authorizations().next().is_some() { Err(not_bearer()) } else { Ok(Self::None) }
    }
}

/// Whether a request has a token, so that it comes from a program. Browsers send `Authorization` too, for a proxy in front
/// that asks for a password.
pub(super) fn has_token(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().any(|authorization| bearer(authorization).is_some())
}

fn bearer(authorization: &HeaderValue) -> Option<&[u8]> {
    let (scheme, rest) = authorization.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

/// The values of the cookies of that name.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter_map(move |(known, value)| (known == name).then_some(value))
}

/// A token in a URL ends up in histories, logs and `Referer` headers: it is refused even by an open server, so that
/// clients do not get used to it.
pub(super) fn refuse_in_url(uri: &Uri) -> Result<(), Problem> {
    // Decoded, as those read it who take a parameter. What can't be is refused there.
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).unwrap_or_default();
    for (name, _) in pairs {
        if name.eq_ignore_ascii_case("token") || name.eq_ignore_ascii_case("access_token") {
            let detail = "never put a token in a URL, because logs keep URLs: send Authorization: Bearer TOKEN instead, \
                and replace this token";
            return Err(Problem::bad_request(detail).because(Refusal::Token));
        }
    }
    Ok(())
}

pub(super) fn challenge(response: &mut Response) {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
}

const CHALLENGE: &str = "Bearer realm=\"incident\"";

fn unauthorized(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with_header(header::WWW_AUTHENTICATE, challenge)
        .because(Refusal::Token)
}

pub(super) fn missing() -> Problem {
    unauthorized(
        "this server requires a token: send Authorization: Bearer TOKEN, or log in with a browser",
        CHALLENGE,
    )
}

fn not_bearer() -> Problem {
    unauthorized("the Authorization header must be Bearer TOKEN", CHALLENGE)
}

pub(super) fn unknown() -> Problem {
    let challenge = "Bearer realm=\"incident\", error=\"invalid_token\"";
    unauthorized("this token is unknown or was withdrawn", challenge)
}

pub(super) fn insufficient(has: Scope, needs: Scope) -> Problem {
    let detail = match (has, needs) {
        (Scope::Publish, _) => "a publish token allows publishing only; use a read token or a write token",
        (_, Scope::Publish) => {
            "a read token allows reading only; publishing events needs a publish token or a write token"
        }
        _ => "a read token allows reading only; starting and cancelling incidents needs a write token",
    };
    let challenge = match needs {
        Scope::Read => "Bearer realm=\"incident\", error=\"insufficient_scope\", scope=\"read\"",
        Scope::Publish => "Bearer realm=\"incident\", error=\"insufficient_scope\", scope=\"publish\"",
        Scope::Write => "Bearer realm=\"incident\", error=\"insufficient_scope\", scope=\"write\"",
    };
    Problem::new(StatusCode::FORBIDDEN, detail)
        .with_header(header::WWW_AUTHENTICATE, challenge)
        .because(Refusal::Scope)
}

pub(super) fn too_many_logins() -> Problem {
    let detail = "too many log-ins from this address; keep the cookie of a log-in, or send Authorization: Bearer TOKEN \
        without one; try again in a second";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        .with_header(header::RETRY_AFTER, "1")
        .because(Refusal::Attempts)
}

pub(super) fn too_many() -> Problem {
    let detail = "too many wrong tokens from this address; try again in a second";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        .with_header(header::RETRY_AFTER, "1")
        .because(Refusal::Attempts)
}
