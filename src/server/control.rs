//! Starting and cancelling incidents: the scenarios, and the player with its defaults.

use std::net::IpAddr;
use std::sync::Arc;

use super::turns::{Busy, Turns};
use crate::plan::Plan;
use crate::player::{PlayError, Player, Speed, Started};
use crate::scenario::timeline::CompileError;
use crate::scenario::{Library, Scenario, Settings, SettingsError, SharedLibrary};

/// Plays the scenarios of a library.
pub(super) struct IncidentControl {
    pub(super) library: SharedLibrary,
    /// Plans that are compiled at the same time.
    pub(super) compiling: Turns,
    pub(super) player: Player,
    /// Speed of triggers that name none.
    pub(super) speed: Speed,
    /// Seed of triggers that name none, instead of each scenario's own.
    pub(super) seed: Option<u64>,
}

/// Triggers that wait for their turn to be compiled; further ones are refused at once.
pub(super) const WAITING: usize = 64;

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
    /// The scenario does not offer these settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The scenario does not compile with this seed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The server compiles as many other scenarios as it can at a time.
    #[error("the server is busy with other triggers; try again in a moment")]
    Busy,
    /// The player did not start it.
    #[error(transparent)]
    Play(#[from] PlayError),
}

impl IncidentControl {
    /// Why a trigger would start nothing, as far as that is seen without compiling it.
    pub(super) fn refuses(&self, name: &str, settings: &Settings) -> Option<TriggerError> {
        let library = self.library.get();
        match library.get(name) {
            Some(scenario) => scenario.offers(settings).err().map(TriggerError::Settings),
            None => Some(unknown(&library, name)),
        }
    }

    /// Starts an incident for a client at this address. Returns once its start is durable.
    pub(super) async fn trigger(
        &self,
        from: IpAddr,
        name: &str,
        seed: Option<u64>,
        speed: Option<Speed>,
        settings: Settings,
    ) -> Result<Started, TriggerError> {
        let library = self.library.get();
        let scenario = library.get(name).ok_or_else(|| unknown(&library, name))?;
        let seed = seed.or(self.seed).unwrap_or(scenario.file.seed);
        let turn = self.compiling.take(from).await?;
        let (library, name) = (Arc::clone(&library), name.to_owned());
        // On a thread of its own, because it may take a second, which would hold up events and requests.
        let compiled = tokio::task::spawn_blocking(move || {
            let compiled = library.get(&name).map(|scenario| compile(scenario, seed, &settings));
            // Also when the caller is gone: the turn lasts until the work is done.
            drop(turn);
            compiled
        });
        // The scenario is still there and the task does not panic, so it was cancelled: the runtime ends.
        let plan = compiled.await.ok().flatten().ok_or(PlayError::Stopping)??;
        Ok(self.player.start(plan, speed.unwrap_or(self.speed)).await?)
    }
}

fn unknown(library: &Library, name: &str) -> TriggerError {
    let near = crate::scenario::did_you_mean(name, library.ids()).map(str::to_owned);
    TriggerError::Unknown { name: name.to_owned(), near }
}

/// The plan of a scenario with some settings.
fn compile(scenario: &Scenario, seed: u64, settings: &Settings) -> Result<Plan, TriggerError> {
    if settings.is_empty() {
        return Ok(scenario.compile(seed)?);
    }
    Ok(scenario.with(settings)?.compile(seed)?)
}

impl From<Busy> for TriggerError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}
