//! The HTTP interface: its handlers, their bodies, and errors as problem documents.

mod alerts;
mod api;
mod assets;
mod body;
mod events;
mod health;
mod incident_events;
mod incidents;
mod listing;
mod metrics;
mod middleware;
mod prefix;
mod problem;
mod problems;
mod publish;
mod quota;
mod streams;
mod upgrade;

pub(super) use alerts::alerts;
pub(super) use api::{cancel, incident, report, scenarios, servers, trigger};
pub(super) use assets::{asset, asset_at, asyncapi, page, schema};
pub(super) use body::json as json_body;
pub(super) use events::events;
pub(super) use health::ready;
pub(super) use incident_events::incident_events;
pub(super) use incidents::{Incidents, off_workers};
pub(super) use listing::incidents;
pub(super) use metrics::{Figures, metrics};
pub(super) use middleware::{log_refusals, method_not_allowed, security_headers};
pub(super) use prefix::{Prefix, PublicPath, strip_base_path};
pub(super) use problem::Problem;
pub(super) use problems::problem as described_problem;
pub(super) use publish::publish;
pub(super) use quota::Quota;
pub(super) use streams::Streams;
pub(super) use upgrade::upgrade;
