//! States and reports: folds the events of a stream into the states of its incidents, and writes post-incident reports.
//!
//! The footer of `incident watch`, `GET /api/incidents` and the dashboard show an [`IncidentState`]. A report is a
//! [`History`] written as Markdown.
//!
//! Invariants:
//! - the same events always give the same state, and the same bytes of a report;
//! - `dashboard/fold.js` computes the same states;
//! - an event whose index was already applied changes nothing.
//!
//! ```
//! use incident::contract::Envelope;
//! use incident::report::{Board, History, IncidentStatus};
//!
//! let event = r#"{"specversion":"1.0","id":"1","source":"/streams/S","type":"incident_started","subject":"checkout-1",
//!     "time":"2026-11-22T10:00:00.000000Z","index":1,"data":{"synthetic":false,"title":"Checkout fails",
//!     "severity":"SEV2","services":["checkout"],"impact_started_at":"2026-11-22T10:00:00.000000Z"}}"#;
//! let event: Envelope = serde_json::from_str(event)?;
//!
//! let mut board = Board::default();
//! let state = board.fold(&event).unwrap();
//! assert_eq!((state.title.as_str(), state.state), ("Checkout fails", IncidentStatus::Open));
//! assert!(board.fold(&event).is_none(), "a repeated event changes nothing");
//!
//! let report = History::all([&event])[0].markdown();
//! assert!(report.starts_with("# SEV2: Checkout fails\n"));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod beliefs;
mod believed;
mod failures;
mod fold;
mod forecasts;
mod history;
mod line;
mod markdown;
mod rejection;
mod size;
mod state;
mod told;
pub mod words;
mod work;

pub use beliefs::{BeliefHistory, DROPPED, belief_histories};
pub use failures::{FailedAction, failed_actions};
pub use fold::Board;
pub use forecasts::{IntervalResult, ScoredForecast, scored_forecasts};
pub use history::{ActionEvent, BeliefUpdate, History, MetricSample};
pub use line::{Line, LineKind};
pub use rejection::rejection;
pub use state::{
    AgentState, AgentStatus, ForecastState, HypothesisState, IncidentState, IncidentStatus, Marks, Now,
    Resolution,
};
pub use told::ToldIncidents;
