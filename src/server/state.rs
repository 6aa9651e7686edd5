//! The state of the HTTP interface, of which each handler is given the parts that it asks for.

use std::sync::Arc;

use axum::extract::FromRef;

use super::access::{Auth, Guard};
use super::control::IncidentControl;
use super::hooks::Hooks;
use super::http::{Figures, Incidents, Listed, Prefix, Quota, Streams};
use super::lifecycle::Lifecycle;
use super::peers::Peers;
use super::publish::{PublishRate, Publisher};
use super::refusals::Refusals;
use crate::dashboard::Dashboard;
use crate::hub::Hub;

/// Cheap to clone: axum does it for every request.
#[derive(Clone)]
pub(super) struct HttpState(pub(super) Arc<Parts>);

/// Everything that a handler can ask for.
pub(super) struct Parts {
    pub(super) auth: Arc<Auth>,
    pub(super) guard: Arc<Guard>,
    pub(super) peers: Arc<Peers>,
    pub(super) prefix: Arc<Prefix>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) dashboard: Arc<Dashboard>,
    pub(super) hub: Arc<Hub>,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) streams: Arc<Streams>,
    pub(super) control: Arc<IncidentControl>,
    pub(super) listed: Arc<Listed>,
    pub(super) incidents: Arc<Incidents>,
    pub(super) quota: Arc<Quota>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) publish_rate: Arc<PublishRate>,
    pub(super) figures: Arc<Figures>,
    pub(super) hooks: Arc<Hooks>,
}

/// Lets a handler ask for a part by its type: `State(hub): State<Arc<Hub>>`.
macro_rules! parts {
    ($($part:ident: $type:ty),* $(,)?) => {
        $(impl FromRef<HttpState> for Arc<$type> {
            fn from_ref(state: &HttpState) -> Self {
                Arc::clone(&state.0.$part)
            }
        })*
    };
}

parts! {
    auth: Auth,
    guard: Guard,
    peers: Peers,
    prefix: Prefix,
    refusals: Refusals,
    dashboard: Dashboard,
    hub: Hub,
    lifecycle: Lifecycle,
    streams: Streams,
    control: IncidentControl,
    listed: Listed,
    incidents: Incidents,
    quota: Quota,
    publisher: Publisher,
    publish_rate: PublishRate,
    figures: Figures,
    hooks: Hooks,
}
