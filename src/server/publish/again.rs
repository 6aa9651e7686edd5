//! Requests that do not fit what this server has read of its incidents. Another server may have stored what they follow: so they are
//! judged again, once that was read. The worker does not wait for it, so that nobody else does.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::waiting::{Request, Waiting};
use crate::journal::Journal;

/// Sends what does not fit to the worker a second time, until the server stops. What waits counts among the memory of requests.
pub(super) async fn judge_again(
    journal: Journal,
    mut unfit: mpsc::UnboundedReceiver<Waiting>,
    requests: mpsc::Sender<Waiting>,
    stop: CancellationToken,
) {
    let sending = async {
        while let Some(first) = unfit.recv().await {
            let mut all = vec![first];
            while let Ok(next) = unfit.try_recv() {
                all.push(next);
            }
            let caught_up = journal.catch_up().await;
            for waiting in all {
                let waiting = Waiting { request: Request { is_final: true, ..waiting.request }, ..waiting };
                if let Err(error) = &caught_up {
                    waiting.refuse(error);
                } else if requests.send(waiting).await.is_err() {
                    // The server stops.
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = sending => {}
    }
}
