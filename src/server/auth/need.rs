//! What each request needs: closed but for a short list.

use axum::http::Method;

use crate::token::Scope;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing, and nothing that it shows is looked at.
    Nothing,
    /// Nothing, but what it shows is looked at.
    Told,
    Scope(Scope),
}

/// What the login page consists of.
const LOGIN_PAGE: [&str; 10] = [
    "/api.js",
    "/app.css",
    "/colors.css",
    "/dom.js",
    "/favicon.svg",
    "/icons.js",
    "/login.css",
    "/login.js",
    "/panels/theme.js",
    "/phone.css",
];

impl Need {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" | "/login" | "/logout" => Self::Nothing,
            _ if LOGIN_PAGE.contains(&path) => Self::Nothing,
            "/api/session" => Self::Told,
            _ if matches!(*method, Method::GET | Method::HEAD) => Self::Scope(Scope::Read),
            _ => Self::Scope(Scope::Write),
        }
    }
}
