//! Every path that the server answers, and what every request passes before that.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

use super::door::Handshake;
use super::state::HttpState;
use super::{access, hooks, http};

/// The whole HTTP interface.
pub(super) fn router(state: HttpState) -> Router {
    let router = routes(state.clone());
    if state.0.prefix.own.is_empty() {
        return router;
    }
    // The path has to be another before it is routed.
    Router::new().fallback_service(router).layer(from_fn_with_state(state, http::strip_base_path))
}

/// The way to `/ws` without the router, which a storm of clients need not pay for. `None` on a server below a path of its own,
/// where a request has to be another before it is judged.
pub(super) fn handshake(state: HttpState) -> Option<Handshake> {
    if !state.0.prefix.own.is_empty() {
        return None;
    }
    let handshake: Handshake = Box::new(move |request| {
        let state = state.clone();
        Box::pin(async move {
            let open = |request| http::handshake(Arc::clone(&state.0.streams), request);
            pass(&state, request, open).await
        })
    });
    Some(handshake)
}

/// What every request passes in front of its route.
async fn layer(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    pass(&state, request, |request| next.run(request)).await
}

/// What every request passes: the guard, authentication, and the log of refusals. One layer for all of them, because axum copies
/// and allocates for every layer, as often as clients shake hands.
async fn pass<F>(state: &HttpState, request: Request, next: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let parts = &state.0;
    let asked = http::Asked::of(&request);
    let mut response = match parts.guard.admit(&request) {
        Ok(admitted) => {
            let mut response = match admitted.preflight(&request) {
                Some(answer) => answer,
                None => access::authenticate(&parts.auth, &parts.dashboard, request, next).await,
            };
            admitted.readable(&mut response);
            response
        }
        Err(problem) => problem.into_response(),
    };
    http::log_refusal(&parts.refusals, &asked, &response);
    http::security_headers(&parts.peers, &mut response);
    response
}

fn routes(state: HttpState) -> Router {
    let receivers = if state.0.hooks.is_on() { receivers() } else { Router::new() };
    receivers
        .route("/hooks/{*rest}", any(hooks::nothing))
        .route("/ws", get(http::upgrade))
        .route("/events", get(http::events))
        .route("/api/events", post(http::publish))
        .route("/problems/{name}", get(http::described_problem))
        .route("/api/scenarios", get(http::scenarios))
        .route("/api/servers", get(http::servers))
        .route("/api/incidents", get(http::incidents).post(http::trigger))
        .route("/api/incidents/{id}", get(http::incident).delete(http::cancel))
        .route("/api/incidents/{id}/report.md", get(http::report))
        .route("/api/incidents/{id}/events", get(http::incident_events))
        .route("/api/incidents/{id}/alerts", get(http::alerts))
        .route("/api/session", get(access::session))
        .route("/login", get(access::login_page).post(access::login))
        .route("/logout", post(access::logout))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(http::ready))
        .route("/metrics", get(http::metrics))
        .route("/schema.json", get(http::schema))
        .route("/asyncapi.json", get(http::asyncapi))
        .fallback(http::page)
        .method_not_allowed_fallback(http::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), layer))
        .with_state(state)
}

/// The paths of receivers.
fn receivers() -> Router<HttpState> {
    Router::new()
        .route("/hooks/alertmanager/{name}", post(hooks::alertmanager))
        .route("/hooks/grafana/{name}", post(hooks::grafana).put(hooks::grafana))
        .route("/hooks/pagerduty/{name}/v2/enqueue", post(hooks::pagerduty))
        .route("/hooks/pagerduty/{name}/v2/change/enqueue", post(hooks::pagerduty_change))
}
