//! Opening a journal on NATS: connects, checks the servers and the streams, and reads what is kept.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr, ServerError};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::super::ages::Ages;
use super::super::clock::{Clock, Found};
use super::super::lease::Term;
use super::super::log::{Extent, Retention};
use super::super::recent::Recent;
use super::super::time_source::{HIDDEN, TimeSource};
use super::api::{Api, Fault};
use super::asked::Asked;
use super::checkpoint::{self, Begun};
use super::config::{self, Seen};
use super::figures::Figures;
use super::fold::Fold;
use super::kept::Kept;
use super::location::{Durability, Location};
use super::message::{Entry, ORIGIN};
use super::names::Names;
use super::over;
use super::permissions::Permissions;
use super::post::{self, Post};
use super::rotation::Rotation;
use super::shared::Shared;
use super::tail;
use super::vitals::Vitals;
use crate::input_file;

const CONNECTING: Duration = Duration::from_secs(3);

/// The most that is read of a file with keys or certificates.
const FILE_BYTES: u64 = 1024 * 1024;

/// How often an event is asked for that a replica may not have yet.
const TRIES: usize = 5;

/// How often in a row what the holder of the lease has read must be missing until that is believed, and how long it is waited
/// between: a leader that was just elected may not have everything yet.
const DOUBTS: usize = 4;
const DOUBTFUL: Duration = Duration::from_secs(1);

/// How many of the newest events are searched for the latest time.
const NEWEST: usize = 1_000;

/// About how many samples are taken of the times of all events.
const SAMPLES: u64 = 1_024;

/// Opens a journal.
///
/// # Errors
/// The servers can't be reached or are too old, or the streams are not what they must be.
pub(super) async fn open(
    location: &Location,
    retention: Retention,
    source: Arc<dyn TimeSource>,
) -> Result<Shared, String> {
    let (api, names) = (reach(location).await?, Names::of(&location.stream));
    if location.durability == Durability::Replicas {
        tracing::warn!(
            "durability=replicas: events that were acknowledged may be lost when all servers lose power at once"
        );
    }
    config::open(&api, &names, location).await?;
    let told = |fault: Fault| format!("the stream {} can't be read: {fault}", names.events);
    let figures = Figures::default();
    let (seen, fold) = recognize(&api, &names, &figures).await.map_err(told)?;
    let node = crate::random::bits() | 1;
    let begun = checkpoint::load(&api, &names, &seen).await;
    let known = begun.as_ref().map_or(0, |begun| begun.fold.head);
    let loaded = match begun {
        Some(begun) => Loaded::resume(&api, &names, &seen, begun, &retention).await.map_err(told)?,
        None => Loaded { fold, samples: Vec::new(), newest: VecDeque::new() },
    };
    let loaded = load(&api, &names, &seen, loaded, node).await?;
    let steady_found = loaded.found(source.wall().as_microsecond());
    let Ok(clock) = Clock::new(source, |_| Ok::<_, std::convert::Infallible>(steady_found));
    if let Some(newest) = loaded.newest.back().and_then(|us| jiff::Timestamp::from_microsecond(*us).ok()) {
        clock.follow(newest);
    }
    let mut ages = Ages::new(retention.age);
    ages.found(&loaded.samples, clock.now().as_microsecond(), clock.steady());
    let Loaded { fold, .. } = loaded;
    let extent = Extent { oldest: fold.oldest(), head: fold.head };
    Ok(Shared {
        node,
        location: location.clone(),
        names,
        api,
        stream: seen.stream,
        retention,
        fold: Mutex::new(fold),
        ages: Mutex::new(ages),
        recent: Recent::default(),
        extent: watch::channel(extent).0,
        vitals: Vitals::new(),
        newest_term: watch::channel(Term::default()).0,
        is_in_charge: AtomicBool::new(false),
        clock: Arc::new(clock),
        commits: AtomicU64::new(0),
        figures,
        checkpoint: AtomicU64::new(known),
        wake: Notify::new(),
        asked: Asked::new(),
        committing: Arc::default(),
    })
}

/// Connects to servers that are new enough.
///
/// # Errors
/// They can't be reached, are too old or take only small messages.
pub(super) async fn reach(location: &Location) -> Result<Api, String> {
    let permissions = Arc::new(Permissions::default());
    let rotation = Arc::new(Rotation::default());
    let client = connect(location, &permissions, &rotation).await?;
    config::check_server(&client.server_info())?;
    Ok(Api::new(client, permissions, rotation))
}

async fn connect(
    location: &Location,
    permissions: &Arc<Permissions>,
    rotation: &Arc<Rotation>,
) -> Result<Client, String> {
    let (permissions, rotation) = (Arc::clone(permissions), Arc::clone(rotation));
    let mut options = ConnectOptions::new()
        .name("incident")
        // Its own announcements are nothing new.
        .no_echo()
        .connection_timeout(CONNECTING)
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(|attempts| Duration::from_millis(100 * (attempts.min(10) as u64)))
        .reconnect_to_server_callback(move |servers, _| std::future::ready(rotation.next(servers)))
        .event_callback(move |event| {
            let permissions = Arc::clone(&permissions);
            async move {
                match event {
                    Event::Connected => {
                        permissions.begin_anew();
                        tracing::info!("connected to NATS");
                    }
                    Event::Disconnected => tracing::warn!("the connection to NATS is lost"),
                    Event::ServerError(ServerError::Other(error)) => permissions.hear(&error),
                    other => tracing::debug!(event = %other, "NATS"),
                }
            }
        });
    if location.tls {
        options = options.require_tls(true);
    }
    if let Some(ca) = &location.ca {
        checked(ca, "the certificates", "-----BEGIN CERTIFICATE")?;
        options = options.add_root_certificates(ca.clone());
    }
    if let Some((certificate, key)) = &location.certificate {
        checked(certificate, "the certificate", "-----BEGIN CERTIFICATE")?;
        checked(key, "the key", "PRIVATE KEY-----")?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    if let Some(file) = &location.creds {
        let read = options.credentials(&content(file, "the credentials")?);
        options =
            read.map_err(|error| format!("the credentials {} can't be read: {error}", file.display()))?;
    }
    if let Some(file) = &location.nkey {
        options = options.nkey(content(file, "the nkey")?.trim().to_owned());
    }
    let scheme = if location.tls { "tls" } else { "nats" };
    let servers = location.servers.iter().map(|server| format!("{scheme}://{server}").parse::<ServerAddr>());
    let servers = servers.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let connected = options.connect(servers).await;
    connected.map_err(|error| format!("no NATS server can be reached: {error}"))
}

/// The content of a file with secrets, which a pipe or a device in its place does not hold up.
fn content(file: &Path, what: &str) -> Result<String, String> {
    let text = input_file::read(file, FILE_BYTES).and_then(input_file::text);
    text.map_err(|error| format!("{what} {} can't be read: {error}", file.display()))
}

/// Whether a file can be what it should be: the library that reads it waits for a pipe, says less of what is wrong, and passes over
/// a certificate behind a byte order mark.
fn checked(file: &Path, what: &str, has: &str) -> Result<(), String> {
    let text = input_file::read(file, FILE_BYTES).and_then(input_file::utf8);
    let text = text.map_err(|error| format!("{what} {} can't be read: {error}", file.display()))?;
    if text.contains('\u{feff}') {
        let name = file.display();
        return Err(format!("{what} {name}: it has a byte order mark: save the file as UTF-8 without one"));
    }
    if text.contains(has) {
        return Ok(());
    }
    Err(format!("{what} {}: it has no {}; a PEM file is needed", file.display(), has.trim_matches('-')))
}

/// What the leader says of the stream, and the fold before its first event. If what the holder of the lease has read is not
/// there, the stream goes on under another name.
async fn recognize(api: &Api, names: &Names, figures: &Figures) -> Result<(Seen, Fold), Fault> {
    let mut doubts = 0;
    loop {
        let (witness, seen, is_there) = match compare(api, names).await {
            Ok((.., false)) | Err(Fault::Silent(_)) if doubts < DOUBTS => {
                doubts += 1;
                tokio::time::sleep(DOUBTFUL).await;
                continue;
            }
            compared => compared?,
        };
        let last = witness.filter(|witness| witness.head == seen.last).map(|witness| witness.chain);
        let fold = match last {
            _ if seen.first <= seen.last => Some(Fold::begin_at(seen.first)),
            _ if seen.begins_anew() => Some(Fold::emptied(seen.last, ORIGIN)),
            chain => chain.map(|chain| Fold::emptied(seen.last, chain)),
        };
        match fold {
            Some(fold) if is_there => return Ok((seen, fold)),
            _ => {
                let renamed = config::rename(api, names, &seen).await?;
                let (old, new) = (&seen.stream, &renamed.stream);
                figures.other_epoch();
                tracing::warn!(%old, %new, "the stream has lost events: it goes on under another name");
            }
        }
    }
}

/// The lease, what the leader says of the stream, and whether it has all that retention keeps, and the holder's newest event.
async fn compare(api: &Api, names: &Names) -> Result<(Option<Post>, Seen, bool), Fault> {
    // The holder appends and goes on writing: only what the leader says after this can't be older than it.
    let witness = post::read(api, names).await?;
    let seen = Seen::ask(api, names).await?;
    let witness = witness.filter(|witness| witness.stream == seen.stream.as_str());
    let kept = Kept::read(api, names).await?;
    let is_there = match &witness {
        _ if seen.lost(kept.as_ref()).is_some() => false,
        Some(witness) => match is_there(api, names, &seen, witness).await? {
            There::Whole => true,
            There::Lost => false,
            // Another name would not help: nobody can read on there.
            There::Deleted(position) => {
                return Err(Fault::Silent(format!("event {position} is damaged: {}", tail::DELETED)));
            }
        },
        None => true,
    };
    Ok((witness, seen, is_there))
}

/// Whether a stream has what the holder of the lease has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Whole,
    /// It ends before, or has another event there.
    Lost,
    /// It goes on, and has no event from this position up to there.
    Deleted(u64),
}

/// Whether what the holder of the lease has read is in the stream.
pub(super) async fn is_there(api: &Api, names: &Names, seen: &Seen, witness: &Post) -> Result<There, Fault> {
    if witness.head == 0 || witness.head < seen.first {
        return Ok(There::Whole);
    }
    if witness.head > seen.last {
        return Ok(There::Lost);
    }
    match api.leader_read(&names.events, &json!({ "seq": witness.head })).await? {
        Some(found) => {
            let read = Entry::read(found.sequence, &found.headers, &found.payload);
            let is_same = read.is_ok_and(|(_, chain)| chain == witness.chain);
            Ok(if is_same { There::Whole } else { There::Lost })
        }
        None => {
            let now = Seen::ask(api, names).await?;
            if now.first > witness.head {
                // Retention has dropped it since.
                return Ok(There::Whole);
            }
            tail::deleted_from(api, names, now.first, witness.head).await.map(There::Deleted)
        }
    }
}

/// What the stream has.
struct Loaded {
    fold: Fold,
    /// Positions and times of some events, in order.
    samples: Vec<(u64, i64)>,
    /// The times of the newest events.
    newest: VecDeque<i64>,
}

impl Loaded {
    /// What is known of the events up to a checkpoint. Samples are of use only if events can become too old.
    async fn resume(
        api: &Api,
        names: &Names,
        seen: &Seen,
        begun: Begun,
        retention: &Retention,
    ) -> Result<Self, Fault> {
        let Begun { fold, newest } = begun;
        let samples = match retention.age {
            Some(_) => checkpoint::samples(api, names, (seen.first, fold.head), SAMPLES / 4).await?,
            None => Vec::new(),
        };
        Ok(Self { fold, samples, newest })
    }

    fn found(&self, wall_us: i64) -> Found {
        let future = wall_us.saturating_add(HIDDEN.as_micros() as i64);
        let latest_us = self.newest.iter().copied().filter(|time| *time <= future).max();
        Found { newest_us: self.newest.back().copied(), latest_us }
    }
}

/// Reads every event that is kept up to the head that the leader has now, and the ids of incidents that are gone.
async fn load(
    api: &Api,
    names: &Names,
    seen: &Seen,
    mut loaded: Loaded,
    node: u64,
) -> Result<Loaded, String> {
    let told = |fault: Fault| format!("the stream {} can't be read: {fault}", names.events);
    for (subject, end) in over::read(api, names).await.map_err(told)? {
        loaded.fold.forget(subject, end);
    }
    loaded.fold.drop_before(seen.first);
    let stride = ((seen.last + 1).saturating_sub(seen.first) / SAMPLES).max(1);
    let mut is_stale = 0;
    while loaded.fold.head < seen.last {
        let next = loaded.fold.head + 1;
        let which = json!({ "seq": next, "batch": 1_000, "max_bytes": 4 * 1024 * 1024 });
        let found = api.read_again(&names.events, &which).await.map_err(told)?;
        let lacks = || format!("event {next} of the stream {} is damaged: {}", names.events, tail::DELETED);
        match found.first() {
            Some(first) if first.sequence == next => is_stale = 0,
            _ if is_stale >= TRIES => return Err(lacks()),
            Some(first) => {
                let oldest = Seen::ask(api, names).await.map_err(told)?.first;
                if first.sequence == oldest {
                    // Another server's retention was faster.
                    loaded.fold.restart_at(oldest);
                    for (subject, end) in over::read(api, names).await.map_err(told)? {
                        loaded.fold.forget(subject, end);
                    }
                }
            }
            None => {}
        }
        if found.first().is_none_or(|first| first.sequence != loaded.fold.head + 1) {
            is_stale += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        for message in found {
            let position = message.sequence;
            if position != loaded.fold.head + 1 {
                // A purge was faster than the read.
                break;
            }
            let damaged =
                |what: String| format!("event {position} of the stream {} is damaged: {what}", names.events);
            let (entry, claimed) =
                Entry::read(position, &message.headers, &message.payload).map_err(damaged)?;
            let time = entry.stored.time.as_microsecond();
            loaded.fold.push(&entry, claimed, node, Duration::ZERO).map_err(damaged)?;
            if position.is_multiple_of(stride) || position == seen.last {
                loaded.samples.push((position, time));
            }
            loaded.newest.push_back(time);
            if loaded.newest.len() > NEWEST {
                loaded.newest.pop_front();
            }
        }
    }
    // Others have removed them, or will.
    loaded.fold.finished.clear();
    Ok(loaded)
}
