//! What the contract allows and nobody means: worth a warning, and no fault.

use super::finding::quoted;
use super::frame::Frame;
use crate::contract::{Doubt, IncidentStarted, doubtful_names};

/// The first name among the services that is empty or comes again, and how many there are.
pub(super) fn of_services(id: &str, started: &IncidentStarted, frame: &Frame) -> Option<String> {
    let mut doubtful = doubtful_names(started.services.iter().map(String::as_str));
    let (place, doubt) = doubtful.next()?;
    let what = match doubt {
        Doubt::Empty => "the name of a service is empty".to_owned(),
        Doubt::Again => format!("the service {} is listed twice", quoted(&started.services[place])),
    };
    let more = match doubtful.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!(
        "{what} in the incident_started of {id}, {} /data/services/{place}{more}",
        frame.place().spot
    ))
}
