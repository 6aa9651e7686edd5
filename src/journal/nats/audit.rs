//! The check of a stream: what a server that starts over it would say, without changing anything.

use std::path::Path;

use super::super::open_error::OpenError;
use super::super::sqlite::{Audit, Checked};
use super::api::{Fault, NO_STREAM};
use super::config::{self, Seen};
use super::kept::Kept;
use super::link::Link;
use super::open::There;
use super::tail::DELETED;
use super::walk::{Stop, Walk};
use super::{open, plans, post};

/// Reads a whole stream. Calls `progress` with the number of events read so far and the number of all. Servers may have the
/// stream open.
///
/// # Errors
/// The servers can't be reached, or there is no such stream.
pub(in crate::journal) fn audit(
    location: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Audit, OpenError> {
    let link = Link::open(location)?;
    let fault = |fault: Fault| link.unusable(&fault);
    let described = |stream: &str| match link.wait(link.api.info(stream)) {
        Err(fault) if fault.is(NO_STREAM) => {
            Err(OpenError::unusable(&link.shown, format!("there is no stream {stream}")))
        }
        described => described.map_err(fault),
    };
    let (events, control) = (described(&link.names.events)?, described(&link.names.control)?);
    let seen = Seen::read(&events).map_err(|why| OpenError::unusable(&link.shown, why))?;
    let mut checks = Vec::new();
    let mut check = |name, outcome: Result<String, String>| {
        checks.push(Checked { name, outcome, is_minor: false });
    };
    check("streams", config::judge(&link.names, &link.location, &events, &control));
    let witness = link.wait(post::read(&link.api, &link.names)).map_err(fault)?;
    let witness = witness.filter(|witness| witness.stream == seen.stream.as_str());
    let is_there = match &witness {
        None => There::Whole,
        Some(witness) => link.wait(open::is_there(&link.api, &link.names, &seen, witness)).map_err(fault)?,
    };
    let kept = link.wait(Kept::read(&link.api, &link.names)).map_err(fault)?;
    let lost = seen.lost(kept.as_ref());
    check(
        "epoch",
        match (lost, &witness) {
            (Some(lost), _) => Err(format!("{lost}: a server that starts gives the stream a new name")),
            (None, None) => Ok(format!("{}; no server has had the lease yet", seen.stream)),
            (None, Some(witness)) if is_there == There::Whole => {
                Ok(format!("{}; has what was read up to {}", seen.stream, witness.head))
            }
            (None, Some(_)) if let There::Deleted(position) = is_there => {
                Err(format!("event {position} is damaged: {DELETED}"))
            }
            (None, Some(witness)) => Err(format!(
                "event {} is missing or another one than servers have read: a server that starts gives the stream a new name",
                witness.head
            )),
        },
    );
    let mut walk = Walk::new(seen.first - 1, seen.last);
    let all = (seen.last + 1).saturating_sub(seen.first);
    let mut read = 0;
    let chain = loop {
        match link.wait(walk.step(&link.api, &link.names)) {
            Ok(page) if page.is_empty() => {
                break Ok(format!("{all} events, each continues the one before it"));
            }
            Ok(page) => {
                read += page.len() as u64;
                progress(read, all);
            }
            Err(Stop::Damage { position, what }) => {
                break Err(format!("event {position} is damaged: {what}"));
            }
            Err(Stop::Fault(unread)) => return Err(fault(unread)),
        }
    };
    check("chain", chain);
    let open = walk.open.len();
    check("incidents", Ok(format!("{}, {open} of them open", walk.incidents())));
    let (mut whole, mut wrong) = (0, None);
    for (subject, mark) in &walk.open {
        let Some(mark) = mark else { continue };
        match link.wait(plans::load(&link.api, &link.names, subject, mark)).map_err(fault)? {
            Some(_) => whole += 1,
            // The incident may have ended since, and its plan is gone.
            None if link.wait(is_open(&link, subject, seen.last)).map_err(fault)? => {
                wrong = Some(format!("the plan of {subject} is missing or damaged"));
            }
            None => {}
        }
    }
    check("plans", wrong.map_or_else(|| Ok(format!("{whole} of open incidents")), Err));
    let newest = link.wait(post::read(&link.api, &link.names)).map_err(fault)?;
    let holder = link.holder()?;
    check(
        "lease",
        match (holder, newest) {
            (_, Some(post)) if post.is_damaged => {
                Err("its message can't be read: another program has written it. A server that runs or starts writes it anew"
                    .to_owned())
            }
            (Some(_), Some(post)) => Ok(format!("term {}; a server holds it and plays", post.term)),
            (None, Some(post)) => Ok(format!("term {}; no server holds it", post.term)),
            (_, None) => Ok("no server has had it yet".to_owned()),
        },
    );
    Ok(Audit { stream: Some(seen.stream), oldest: seen.first, head: seen.last, sound_to: walk.at, checks })
}

/// Whether an incident has no event behind a position that ends it.
async fn is_open(link: &Link, subject: &str, after: u64) -> Result<bool, Fault> {
    let last = serde_json::json!({ "last_by_subj": link.names.incident(subject) });
    let found = link.api.read(&link.names.events, &last).await?;
    let ended = found.iter().any(|found| {
        let read = super::message::Entry::read(found.sequence, &found.headers, &found.payload);
        found.sequence > after
            && read.is_ok_and(|(entry, _)| entry.stored.kind.role() == crate::contract::Role::End)
    });
    Ok(!ended)
}
