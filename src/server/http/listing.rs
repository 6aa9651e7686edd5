//! `GET /api/incidents`: the list is written piece by piece as the client takes it, so that a slow reader costs a list of
//! names and one piece.

use std::io;
use std::sync::Arc;
use std::vec::IntoIter;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use super::incidents::Incidents;
use super::problem::Problem;
use super::quota::{PIECE_BYTES, Quota, Work, in_time_so_far};
use crate::journal::Times;
use crate::server::door::ConnectionInfo;

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

/// `GET /api/incidents`, with the time by which clients count the seconds of those that are open, and the times of those that go on
/// by another one.
pub(in crate::server) async fn incidents(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
) -> Result<Response, Problem> {
    let address = info.peer();
    incidents.caught_up().await?;
    let turn = quota.turn(Work::Answer, address).await?;
    let (ids, left_out) = incidents.ids().await?;
    // Its list of names is kept until the last of them is sent.
    let names: usize = ids.iter().map(|id| size_of::<String>() + id.len()).sum();
    let left = ids.into_iter();
    let left_out = if left_out > 0 { format!("\"left_out\":{left_out},") } else { String::new() };
    let Times { now, apart } = incidents.times();
    let apart: Map<_, _> = apart.into_iter().map(|(id, time)| (id, format!("{time:.6}").into())).collect();
    let times = if apart.is_empty() { String::new() } else { format!("\"times\":{},", Value::Object(apart)) };
    let opening = format!("{{\"time\":\"{now:.6}\",{times}{left_out}\"incidents\":[");
    let mut listing = Listing { incidents, left, before: "", ended: false };
    let first = Bytes::from([opening.as_bytes(), &listing.piece().await].concat());
    drop(turn);
    let body = if listing.ended {
        Body::from(first)
    } else {
        // The piece that is being sent, and the next one. The state of one incident may be larger than a piece.
        let held = Some(quota.hold(address, first.len() + PIECE_BYTES + names)?);
        let rest = stream::unfold((listing, held, quota), move |(mut listing, held, quota)| async move {
            let piece = listing.piece().await;
            if piece.is_empty() {
                return None;
            }
            drop(held);
            // Whoever reads slowly while others take all of the memory is told by the end of the connection.
            let held = quota
                .hold(address, piece.len() + PIECE_BYTES + names)
                .map_err(|_| io::Error::other("too many answers"));
            match held {
                Ok(held) => Some((Ok(piece), (listing, Some(held), quota))),
                Err(error) => {
                    listing.ended = true;
                    Some((Err(error), (listing, None, quota)))
                }
            }
        });
        let pieces = stream::iter([Ok(first)]).chain(rest);
        Body::from_stream(in_time_so_far(pieces))
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
