//! x
use super::color::ColorChoice;
use super::exit::{Exit, Failure};
/// x
#[derive(Debug, clap::Args)]
pub(super) struct Validate {}
impl Validate {
    pub(super) fn run(self, _c: ColorChoice, _q: bool) -> Result<Exit, Failure> {
        Ok(Exit::Invalid)
    }
}
