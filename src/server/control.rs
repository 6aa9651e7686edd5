//! Starting and cancelling incidents: the scenarios, and the player with its defaults.

use crate::player::{PlayError, Player, Speed, Started};
use crate::scenario::Library;
use crate::scenario::timeline::CompileError;

/// Plays the scenarios of a library.
pub(super) struct IncidentControl {
    pub(super) library: Library,
    pub(super) player: Player,
    /// Speed of triggers that name none.
    pub(super) speed: Speed,
    /// Seed of triggers that name none, instead of each scenario's own.
    pub(super) seed: Option<u64>,
}

/// Why a trigger did not start an incident.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// There is no scenario of that name.
    #[error("no scenario is called {name:?}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// The scenario does not compile with this seed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The player did not start it.
    #[error(transparent)]
    Play(#[from] PlayError),
}

impl IncidentControl {
    /// Starts an incident. Returns once its start is durable.
    pub(super) async fn trigger(
        &self,
        name: &str,
        seed: Option<u64>,
        speed: Option<Speed>,
    ) -> Result<Started, TriggerError> {
        let Some(scenario) = self.library.get(name) else {
            let near = crate::scenario::did_you_mean(name, self.library.ids()).map(str::to_owned);
            return Err(TriggerError::Unknown { name: name.to_owned(), near });
        };
        let seed = seed.or(self.seed).unwrap_or(scenario.file.seed);
        let plan = scenario.compile(seed)?;
        Ok(self.player.start(plan, speed.unwrap_or(self.speed)).await?)
    }
}
