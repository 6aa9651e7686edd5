//! Every path that the server answers.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

use super::state::HttpState;
use super::{access, hooks, http};

/// The whole HTTP interface. A request passes the layers from the last one to the first.
pub(super) fn router(state: HttpState) -> Router {
    let mut router = routes(state.clone());
    if !state.0.prefix.own.is_empty() {
        // The path has to be another before it is routed.
        let strip = from_fn_with_state(state.clone(), http::strip_base_path);
        router = Router::new().fallback_service(router).layer(strip);
    }
    router.layer(from_fn_with_state(state, http::security_headers))
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
        .layer(from_fn_with_state(state.clone(), access::authenticate))
        .layer(from_fn_with_state(state.clone(), access::guard))
        .layer(from_fn_with_state(state.clone(), http::log_refusals))
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
