//! Folding events to an incident's state, which `watch`'s footer, `GET /api/incidents` and the page show; and the
//! post-incident report: a history that the fold makes, written as Markdown.

mod beliefs;
mod failures;
mod fold;
mod forecasts;
mod history;
mod line;
mod markdown;
mod rejection;
mod state;
pub mod words;

pub use beliefs::{Course, DROPPED, courses};
pub use failures::{Trouble, troubles};
pub use fold::Board;
pub use forecasts::{Judged, Place, judged};
pub use history::{Act, History, Sample, Telling};
pub use line::{Line, LineKind};
pub use rejection::rejection;
pub use state::{
    AgentState, AgentStatus, ForecastState, HypothesisState, IncidentState, Marks, Now, Resolution, State,
};
