//! What each path needs: everything but a short list needs a token or a session.

use axum::http::Method;

use crate::token::Scope;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: credentials are not looked at.
    Nothing,
    /// Nothing, but credentials are looked at if there are some.
    Optional,
    /// A credential of a scope that includes this one.
    Scope(Scope),
}

/// The files of the login page.
const LOGIN_PAGE: [&str; 14] = [
    "/api.js",
    "/app.css",
    "/colors.css",
    "/colors+app+phone+login.css",
    "/dom.js",
    "/visible.js",
    "/favicon.svg",
    "/icons.js",
    "/link.js",
    "/login.css",
    "/login.js",
    "/panels/theme.js",
    "/phone.css",
    "/servers.js",
];

impl Need {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" | "/login" | "/logout" => Self::Nothing,
            // Receivers have secrets of their own.
            _ if path.starts_with("/hooks/") => Self::Nothing,
            // What a publisher is told that may not read.
            _ if path.starts_with("/problems/") => Self::Nothing,
            _ if LOGIN_PAGE.contains(&path) => Self::Nothing,
            "/api/session" => Self::Optional,
            // What will happen in a drill is for those who play it, not for those who watch.
            _ if path.starts_with("/api/incidents/") && path.ends_with("/alerts") => {
                Self::Scope(Scope::Write)
            }
            _ if matches!(*method, Method::GET | Method::HEAD) => Self::Scope(Scope::Read),
            "/api/events" => Self::Scope(Scope::Publish),
            _ => Self::Scope(Scope::Write),
        }
    }
}
