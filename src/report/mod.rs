//! Folding events to an incident's state: what `watch`'s footer, `GET /api/incidents` and the page show.

mod fold;
mod state;

pub use fold::Board;
pub use state::{
    AgentState, AgentStatus, ForecastState, HypothesisState, IncidentState, Marks, Now, Resolution, State,
};
