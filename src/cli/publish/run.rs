//! The course of `incident publish`.

use std::path::Path;

use anyhow::anyhow;
use serde_json::Value;

use super::args::Publish;
use super::sending::Sending;
use super::{lines, send};
use crate::cli::color::ColorChoice;
use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{print_json, say};
use crate::cli::runtime::runtime;
use crate::cli::{format, signals};
use crate::ingest::MAX_EVENTS;
use crate::shell::word;

/// The most bytes of a batch: some are left for what stands between the events.
const BATCH_BYTES: usize = 1_000_000;

impl Publish {
    pub(in crate::cli) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stderr());
        let runtime = runtime()?;
        let done = match &self.single {
            Some(single) => {
                let (about, mut event) = single.event()?;
                let mut sending = about.sending.clone();
                sending.remote.read_files()?;
                event["source"] = sending.source.clone().into();
                let mut published = Published::default();
                let again = sent_again(&event);
                runtime.block_on(published.batch(&sending, &[event], &again))?;
                published
            }
            None => {
                let Some(file) = &self.file else { return Ok(Exit::Usage) };
                let mut sending = self.sending.clone();
                sending.remote.read_files()?;
                let mut published = Published::default();
                let ended = runtime.block_on(async {
                    tokio::select! {
                        ended = published.file(&sending, file) => Some(ended),
                        () = signals::shutdown() => None,
                    }
                });
                let Some(ended) = ended else {
                    say(format!("stopped: {}", published.text()));
                    return Ok(Exit::Interrupted);
                };
                if let Err(failure) = ended {
                    if published.events > 0 {
                        say(format!("{} before that", published.text()));
                    }
                    return Err(failure);
                }
                published
            }
        };
        if !quiet {
            say(done.text());
        }
        Ok(Exit::Fine)
    }
}

/// How the lines of a file can be sent again.
const LINES_AGAIN: &str = "lines that have a `time` can be sent again, and are stored once";

/// How an event that was made from flags can be sent again.
fn sent_again(event: &Value) -> String {
    let flag = |name: &str| word(event[name].as_str().unwrap_or_default()).into_owned();
    format!("the same command with --id {} --time {} stores it once", flag("id"), flag("time"))
}

/// What the server has stored so far.
#[derive(Default)]
struct Published {
    events: u64,
    repeats: u64,
    last: Option<(u64, u64)>,
    /// Events that are sent and not answered.
    unanswered: u64,
}

impl Published {
    /// Publishes the lines of a file, as many at once as have been read.
    async fn file(&mut self, sending: &Sending, file: &Path) -> Result<(), Failure> {
        let mut lines = lines::read(file)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(line) = lines.recv().await {
            let mut next = Some(line);
            while let Some(line) = next.take() {
                let (number, text) = match line {
                    Ok(line) => line,
                    Err(failure) => {
                        // What was read before it is published as if it came from a pipe.
                        self.rest(sending, &mut batch, &mut bytes).await?;
                        return Err(failure);
                    }
                };
                match lines::event(&text, &sending.source) {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        if batch.len() >= MAX_EVENTS || bytes + text.len() > BATCH_BYTES {
                            self.rest(sending, &mut batch, &mut bytes).await?;
                        }
                        bytes += text.len() + 256;
                        batch.push(event);
                    }
                    Err(why) => {
                        self.rest(sending, &mut batch, &mut bytes).await?;
                        return Err(Failure::new(
                            Exit::Invalid,
                            anyhow!("{}:{number}: {why}", file.display()),
                        ));
                    }
                }
                next = lines.try_recv().ok();
            }
            self.rest(sending, &mut batch, &mut bytes).await?;
        }
        Ok(())
    }

    async fn rest(
        &mut self,
        sending: &Sending,
        batch: &mut Vec<Value>,
        bytes: &mut usize,
    ) -> Result<(), Failure> {
        *bytes = 0;
        let batch = std::mem::take(batch);
        if batch.is_empty() { Ok(()) } else { self.batch(sending, &batch, LINES_AGAIN).await }
    }

    /// Publishes events. `again` says how they can be sent again, if that is not known to have been done.
    async fn batch(&mut self, sending: &Sending, events: &[Value], again: &str) -> Result<(), Failure> {
        self.unanswered = events.len() as u64;
        let answer = send::send(&sending.remote.url, events, sending.retry_for.into()).await;
        self.unanswered = 0;
        let answer = answer.map_err(|unsent| {
            let subject = events.first().and_then(|event| event["subject"].as_str()).unwrap_or_default();
            let look = format!("`incident watch --incident {}{}`", word(subject), sending.remote.flags());
            unsent.failure(&look, again)
        })?;
        self.events += answer["accepted"].as_u64().unwrap_or_default();
        self.repeats += answer["duplicates"].as_u64().unwrap_or_default();
        let last = answer["results"].as_array().and_then(|results| results.last());
        self.last = last.and_then(|last| Some((last["position"].as_u64()?, last["index"].as_u64()?)));
        if sending.json {
            print_json(&answer)?;
        }
        Ok(())
    }

    /// `2 events are published, 1 of them before; the last at position 7`
    fn text(&self) -> String {
        let are = if self.events == 1 { "is" } else { "are" };
        let mut text = format!("{} {are} published", format::count(self.events, "event"));
        if self.repeats > 0 {
            text += &format!(", {} of them before", self.repeats);
        }
        if let Some((position, _)) = self.last {
            text += &format!("; the last at position {position}");
        }
        if self.unanswered > 0 {
            let many = format::count(self.unanswered, "more event");
            text += &format!("; the server has not answered about {many}, and may store what was sent");
        }
        text
    }
}
