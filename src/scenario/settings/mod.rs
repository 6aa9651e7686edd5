//! Settings: what a caller chooses of a scenario. `variant` names one of its variants, every other key a parameter.
//!
//! A variant and the parameters change the table of the file before its types are read, so that every rule of the
//! language holds for what is really played, and a mistake in a variant is shown where the variant is written.

mod apply;
mod choose;
mod chosen;
mod listed;
mod mistakes;
mod substitute;
mod variant;

pub(super) use apply::{Applied, apply};
pub use choose::SettingsError;
pub(super) use choose::{bounds, choose};
pub(super) use chosen::MOST;
pub use chosen::{Settings, VARIANT};
pub(super) use listed::{listed_parameters, listed_variants};
pub(super) use mistakes::{in_variant, is_known, variant_names};
