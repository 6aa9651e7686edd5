//! `GET /api/scenarios`: the list is made once for each library, because it may be long and everybody who may read may ask for it.

use std::sync::{Arc, Weak};

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::Mutex;

use super::incidents::off_workers;
use super::problem::Problem;
use super::quota::Quota;
use crate::scenario::{Library, Scenario};
use crate::server::control::IncidentControl;
use crate::server::door::ConnectionInfo;

/// `GET /api/scenarios`
pub(in crate::server) async fn scenarios(
    State(control): State<Arc<IncidentControl>>,
    State(listed): State<Arc<Listed>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
) -> Result<Response, Problem> {
    let text = listed.text(control.library.get()).await?;
    quota.answer(info.peer(), "application/json", text)
}

/// The list of the newest library that was asked for.
#[derive(Default)]
pub(in crate::server) struct Listed(Arc<Mutex<Option<Made>>>);

/// The list of one library.
struct Made {
    of: Weak<Library>,
    text: Bytes,
}

impl Listed {
    /// The list of a library. Whoever asks while it is made waits for it.
    async fn text(&self, library: Arc<Library>) -> Result<Bytes, Problem> {
        let mut made = Arc::clone(&self.0).lock_owned().await;
        if let Some(Made { of, text }) = &*made
            && std::ptr::eq(Weak::as_ptr(of), Arc::as_ptr(&library))
        {
            return Ok(text.clone());
        }
        // It is made to the end also if the client is gone: the next one would begin anew beside it.
        let text = off_workers(move || {
            let scenarios = library.iter().map(Scenario::summary);
            let text = serde_json::to_vec(&json!({ "scenarios": scenarios.collect::<Vec<_>>() }))?;
            let text = Bytes::from(text);
            *made = Some(Made { of: Arc::downgrade(&library), text: text.clone() });
            Ok::<_, serde_json::Error>(text)
        });
        text.await?.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Arc<Library> {
        Arc::new(Library::shipped().expect("it has no mistakes"))
    }

    #[tokio::test]
    async fn the_list_is_made_once_for_each_library() {
        let (listed, library) = (Listed::default(), shipped());
        let first = listed.text(Arc::clone(&library)).await.expect("a list");
        let again = listed.text(library).await.expect("a list");
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert!(first.starts_with(b"{\"scenarios\":[{"));
        let other = listed.text(Arc::new(Library::default())).await.expect("a list");
        assert_eq!(other, "{\"scenarios\":[]}");
        assert_eq!(listed.text(shipped()).await.expect("a list"), first);
    }

    /// Clients that ask and go away at once would otherwise have it made as often as they ask, all at the same time.
    #[tokio::test]
    async fn the_list_is_made_to_the_end_when_the_client_is_gone() {
        let (listed, library) = (Listed::default(), shipped());
        let gone = std::pin::pin!(listed.text(Arc::clone(&library)));
        assert!(futures_util::poll!(gone).is_pending());
        let made = listed.0.lock().await;
        assert!(made.as_ref().is_some_and(|made| std::ptr::eq(made.of.as_ptr(), Arc::as_ptr(&library))));
    }
}
