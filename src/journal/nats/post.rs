//! The lease as a message: how it is read.

use serde_json::Value;

use super::api::{Api, Fault, Found, newest_of};
use super::names::Names;

/// The most bytes of a lease: those that servers write have some 150.
const MOST_BYTES: usize = 4 * 1024;

/// No server gets so far, and one more can be counted.
const HIGHEST_TERM: u64 = u64::MAX >> 1;

/// The holder of a lease that can't be read; the numbers of processes are odd.
const STRANGER: u64 = u64::MAX - 1;

/// The lease as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    /// Sequence of its message; 0 if there is none.
    pub(super) revision: u64,
    /// The holder; 0 if it was given back.
    pub(super) node: u64,
    pub(super) term: u64,
    /// The stream as its holder knew it.
    pub(super) stream: String,
    pub(super) head: u64,
    pub(super) chain: u64,
    /// Whether it can't be read.
    pub(super) is_damaged: bool,
}

/// The newest lease, as any replica knows it; `None` if there never was one.
pub(super) async fn read(api: &Api, names: &Names) -> Result<Option<Post>, Fault> {
    let found = api.read(&names.control, &newest_of(&names.lease())).await?;
    Ok(found.first().map(post))
}

/// The newest lease, as the leader knows it.
pub(super) async fn newest(api: &Api, names: &Names) -> Result<Option<Post>, Fault> {
    Ok(api.leader_read(&names.control, &newest_of(&names.lease())).await?.as_ref().map(post))
}

/// What a message on the lease's subject says. If no server of ours can have written it, it counts as a lease that has
/// run out: a server that waits for the lease takes it after the usual time.
fn post(found: &Found) -> Post {
    let revision = found.sequence;
    written(&found.payload, revision).unwrap_or_else(|| Post {
        revision,
        node: STRANGER,
        // Each term has a message of its own, so there can be no higher one, unless the stream was remade.
        term: revision,
        stream: String::new(),
        head: 0,
        chain: 0,
        is_damaged: true,
    })
}

fn written(payload: &[u8], revision: u64) -> Option<Post> {
    if payload.len() > MOST_BYTES {
        return None;
    }
    let post: Value = serde_json::from_slice(payload).ok()?;
    let hex = |name: &str| u64::from_str_radix(post[name].as_str()?, 16).ok();
    Some(Post {
        revision,
        node: hex("node")?,
        term: post["term"].as_u64().filter(|term| *term <= HIGHEST_TERM)?,
        stream: post["stream"].as_str()?.to_owned(),
        head: post["head"].as_u64()?,
        chain: hex("chain")?,
        is_damaged: false,
    })
}
