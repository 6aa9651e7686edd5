//! Judging a recording: its lines are read by all cores, and judged in order.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::context::Context;
use super::frame::Frame;
use super::judge::{Judge, Judgement};
use super::observation::MAIN;
use super::reader::Reader;

/// How many lines a core reads at a time.
const BATCH: usize = 256;

/// How many batches may wait for a core, and how many that were read may wait to be judged.
const WAITING: usize = 4;

type Lines = Vec<(usize, String)>;

/// Judges the lines of a recording: the number of each, from 1, and its text. Stops at the first error of `lines`.
///
/// # Errors
/// The first error of `lines`.
pub fn judge_lines<E>(
    lines: impl Iterator<Item = Result<(usize, String), E>>,
    context: Context,
    selected: impl Fn(&str) -> bool,
) -> Result<Judgement, E> {
    judge_lines_until(lines, context, selected, || false)
}

/// As [`judge_lines`], until `is_stopped`. Then no incident must be resolved by the last line that was read.
///
/// # Errors
/// The first error of `lines`.
pub fn judge_lines_until<E>(
    lines: impl Iterator<Item = Result<(usize, String), E>>,
    context: Context,
    selected: impl Fn(&str) -> bool,
    is_stopped: impl Fn() -> bool,
) -> Result<Judgement, E> {
    let lines = lines.take_while(|_| !is_stopped());
    // Readers differ only in their caches.
    let about = context.clone();
    let mut judge = Judge::new(context, false, selected);
    let cores = thread::available_parallelism().map_or(1, usize::from).min(8);
    let mut lines = lines.filter(|line| !matches!(line, Ok((_, text)) if text.trim().is_empty()));
    let about = &about;
    thread::scope(|scope| {
        let mut workers: Vec<(SyncSender<Lines>, Receiver<Vec<Frame>>)> = Vec::new();
        for _ in 0..cores {
            let (lines, inbox) = sync_channel::<Lines>(WAITING);
            let (outbox, frames) = sync_channel(WAITING);
            scope.spawn(move || {
                let reader = Reader::of_lines(about);
                for batch in inbox {
                    let frames = batch.iter().map(|(line, text)| reader.read(*line, None, text)).collect();
                    // The judge has stopped.
                    if outbox.send(frames).is_err() {
                        return;
                    }
                }
            });
            workers.push((lines, frames));
        }
        // Batch n goes to worker n modulo the number of workers, and comes back from there.
        let (mut sent, mut judged) = (0, 0);
        let mut take = |judged: &mut usize, workers: &[(SyncSender<Lines>, Receiver<Vec<Frame>>)]| {
            for frame in workers[*judged % cores].1.recv().into_iter().flatten() {
                judge.take(MAIN, frame);
            }
            *judged += 1;
        };
        let mut outcome = Ok(());
        loop {
            let batch: Result<Lines, E> = lines.by_ref().take(BATCH).collect();
            let batch = match batch {
                Ok(batch) if batch.is_empty() => break,
                Ok(batch) => batch,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            while sent - judged >= cores * WAITING {
                take(&mut judged, &workers);
            }
            // A worker ends only after this sender.
            let _ = workers[sent % cores].0.send(batch);
            sent += 1;
        }
        while judged < sent {
            take(&mut judged, &workers);
        }
        outcome
    })?;
    if is_stopped() {
        judge.interrupt();
    }
    Ok(judge.finish())
}
