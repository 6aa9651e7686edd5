//! `GET /api/incidents`: the list is written piece by piece as the client takes it, so that a slow reader costs a list of
//! names and one piece.

use std::sync::Arc;
use std::vec::IntoIter;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::incidents::Incidents;
use super::problem::Problem;
use super::quota::{PIECE_BYTES, Quota, in_time};

/// A list that is being written.
struct Listing {
    incidents: Arc<Incidents>,
    left: IntoIter<String>,
    /// What stands before the next incident.
    before: &'static str,
    ended: bool,
}

impl Listing {
    /// The next piece; empty at the end.
    async fn piece(&mut self) -> Bytes {
        let mut piece = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        if self.ended {
            return piece.into();
        }
        let known = self.incidents.known().await;
        while piece.len() < PIECE_BYTES {
            let Some(id) = self.left.next() else {
                // An empty list has no first incident to open it.
                if self.before != SEPARATOR {
                    piece.extend_from_slice(self.before.as_bytes());
                }
                piece.extend_from_slice(b"]}");
                self.ended = true;
                break;
            };
            // It was forgotten since the list was begun.
            let Some(incident) = known.board.get(&id) else { continue };
            let start = piece.len();
            piece.extend_from_slice(self.before.as_bytes());
            match serde_json::to_writer(&mut piece, incident) {
                Ok(()) => self.before = SEPARATOR,
                Err(error) => {
                    tracing::debug!(%error, id, "a state can't be written as JSON");
                    piece.truncate(start);
                }
            }
        }
        piece.into()
    }
}

const SEPARATOR: &str = ",";

/// `GET /api/incidents`
pub(in crate::server) async fn incidents(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
) -> Result<Response, Problem> {
    let turn = quota.turn().await?;
    let left = incidents.ids().await?.into_iter();
    let mut listing = Listing { incidents, left, before: "{\"incidents\":[", ended: false };
    let first = listing.piece().await;
    drop(turn);
    let body = if listing.ended {
        Body::from(first)
    } else {
        // The piece that is being sent, and the next one.
        let held = quota.hold(2 * PIECE_BYTES)?;
        let about = first.len() * (listing.left.len() + 1);
        let rest = stream::unfold((listing, held), |(mut listing, held)| async move {
            let piece = listing.piece().await;
            (!piece.is_empty()).then_some((piece, (listing, held)))
        });
        Body::from_stream(in_time(stream::iter([first]).chain(rest), about))
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
