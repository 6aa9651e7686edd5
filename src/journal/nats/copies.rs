//! Streams as the target of a copy: their configuration says that they are not finished, and of what they are a copy.

use serde_json::{Value, json};

use super::super::transfer::About;
use super::api::{Api, Fault, NAME_IN_USE, NO_STREAM};
use super::config::{ANEW, FORMAT, NEWEST, STREAM, UNFINISHED, control, events};
use super::location::Location;
use super::names::Names;
use crate::contract::StreamId;

/// Where the configuration says what is copied.
const COPY: &str = "incident.copy";

/// Why a copy does not begin.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// There are streams with these names already. A server may play them.
    Taken(String),
    /// Another copy has just begun.
    Busy,
    /// They can't be asked for or created.
    Failed(String),
}

/// Creates both streams for a copy, or finds those of the same copy that was interrupted. Returns the name that clients know,
/// and what the leader says of the events.
///
/// # Errors
/// There are streams with these names already, or they can't be created.
pub(super) async fn begin(
    api: &Api,
    names: &Names,
    location: &Location,
    about: &About,
    of: &str,
) -> Result<(StreamId, Value), NotBegun> {
    let taken = |what: &str| NotBegun::Taken(what.to_owned());
    let asked = |name: &str, fault: &Fault| {
        if fault.is(NAME_IN_USE) {
            return NotBegun::Busy;
        }
        NotBegun::Failed(format!("the stream {name} can't be asked for or created: {fault}"))
    };
    let mut begun = control(names, location);
    begun["metadata"][FORMAT] = json!(UNFINISHED);
    let info = match api.info(&names.events).await {
        Ok(info) => {
            let metadata = &info["config"]["metadata"];
            let first = info["state"]["first_seq"].as_u64().unwrap_or_default().max(1);
            if metadata[FORMAT] != UNFINISHED {
                return Err(taken("is there already, and is no unfinished copy"));
            }
            if metadata[COPY] != of || first != about.oldest {
                return Err(taken("is there already, with an unfinished copy of something else"));
            }
            info
        }
        Err(fault) if fault.is(NO_STREAM) => {
            let left = api.info(&names.control).await;
            if left.is_ok_and(|left| left["config"]["metadata"][FORMAT] != UNFINISHED) {
                let control = &names.control;
                let what = format!(
                    "can't be created: {control} is there already, with the lease and the plans of another one"
                );
                return Err(NotBegun::Taken(what));
            }
            let mut wanted = events(names, location, &about.stream);
            wanted["metadata"][FORMAT] = json!(UNFINISHED);
            wanted["metadata"][COPY] = json!(of);
            if about.oldest > 1 {
                wanted["first_seq"] = json!(about.oldest);
                // If nothing follows, a server learns here that the chain begins behind this position.
                wanted["metadata"][ANEW] = json!((about.oldest - 1).to_string());
            }
            let created = api.ask(&format!("STREAM.CREATE.{}", names.events), &wanted).await;
            created.map_err(|fault| asked(&names.events, &fault))?
        }
        Err(fault) => return Err(asked(&names.events, &fault)),
    };
    match api.info(&names.control).await {
        Ok(_) => {}
        Err(fault) if fault.is(NO_STREAM) => {
            let created = api.ask(&format!("STREAM.CREATE.{}", names.control), &begun).await;
            created.map_err(|fault| asked(&names.control, &fault))?;
        }
        Err(fault) => return Err(asked(&names.control, &fault)),
    }
    let stream = info["config"]["metadata"][STREAM].as_str().and_then(|stream| stream.parse().ok());
    Ok((stream.ok_or_else(|| taken("is there already, and has no name"))?, info))
}

/// The copy is complete: servers may start over the stream.
pub(super) async fn end(api: &Api, name: &str) -> Result<(), Fault> {
    let mut config = api.info(name).await?["config"].clone();
    config["metadata"][FORMAT] = json!(NEWEST);
    if let Some(metadata) = config["metadata"].as_object_mut() {
        metadata.remove(COPY);
    }
    api.ask(&format!("STREAM.UPDATE.{name}"), &config).await.map(drop)
}
