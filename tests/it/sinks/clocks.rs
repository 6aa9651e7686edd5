//! A machine's clock that is set during a drill: its alerts come and go with it all the same, by times that the clock has shown.

use std::path::Path;

use incident::journal::{Journal, Retention, Sqlite, TimeSource};
use incident::scenario::Library;
use incident::server::Options;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::fake::{Fake, scenario, time};
use super::server::{setups, trigger};
use crate::harness::{Clocks, Http, Local, Numbers, Scratch, options};

/// How many times as fast as the scenario the drill is: its alert `Errors` ends after 2.6 s, and `Later` fires from second 3.75 to 7.5.
const SPEED: u32 = 8;

/// How long a test may take to see what was posted.
const SOON: SignedDuration = SignedDuration::from_secs(5);

const STEPS: [SignedDuration; 2] = [SignedDuration::from_mins(10), SignedDuration::from_mins(-10)];

/// Clocks that run, a server whose journal is dated by them, and its folder.
async fn server(fake: &Fake, folder: &Scratch, clocks: &Clocks) -> Local {
    let (_scenarios, file) = scenario();
    let library = Library::read(Path::new(&file)).library;
    let path = folder.path().join("journal.db");
    let journal = Sqlite::with_clocks(&path, Retention::default(), clocks.source()).unwrap();
    let sinks = Some(setups(&[("pager", fake, "")]));
    Local::playing(Options { sinks, ..options() }, library, Journal::new(journal)).await
}

fn clocks() -> Clocks {
    Clocks::with_tokio(&Timestamp::now().to_string())
}

/// Waits until an alert was told to fire by the clock as it is now.
async fn until_firing(fake: &Fake, clocks: &Clocks, name: &str) -> Value {
    let left = |alert: &Value| time(alert, "endsAt").duration_since(clocks.wall());
    fake.until(name, |alert| {
        left(alert) > SignedDuration::from_secs(80) && left(alert) <= SignedDuration::from_secs(90)
    })
    .await
}

/// Waits until an alert was told to have ended a moment ago by the clock as it is now.
async fn until_over(fake: &Fake, clocks: &Clocks, name: &str) -> Value {
    let ago = |alert: &Value| clocks.wall().duration_since(time(alert, "endsAt"));
    fake.until(name, |alert| ago(alert) >= SignedDuration::ZERO && ago(alert) < SOON).await
}

/// What it says to those who post by themselves: in how many seconds an alert begins.
async fn begins_in(server: &Local, id: &str, name: &str) -> f64 {
    let reply = Http::new(server.address, "GET", &format!("/api/incidents/{id}/alerts")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let told = reply.json();
    let alerts = told["alerts"].as_array().unwrap();
    let alert = alerts.iter().find(|alert| alert["labels"]["alertname"] == name).unwrap();
    (time(alert, "startsAt") - time(&told, "now")).as_secs_f64()
}

#[tokio::test]
async fn alerts_come_and_go_with_their_drill_wherever_the_clock_is_set_to() {
    for step in STEPS {
        let (fake, folder, clocks) = (Fake::start().await, Scratch::new(), clocks());
        let server = server(&fake, &folder, &clocks).await;
        let id = trigger(&server, SPEED).await;
        let (old, errors) = (fake.until_firing("Old").await, fake.until_firing("Errors").await);
        clocks.step(step);
        let later = begins_in(&server, &id, "Later").await;
        assert!((0.0..=3.75).contains(&later), "in {later} s, after a step by {step}");
        let over = until_over(&fake, &clocks, "Errors").await;
        let began = time(&errors, "startsAt");
        // No alert begins in the future, nor a second time.
        let began = if step.is_positive() { began } else { began + step };
        assert!((time(&over, "startsAt") - began).abs() < SOON, "{over} after {errors}");
        let later = until_firing(&fake, &clocks, "Later").await;
        assert!(clocks.wall().duration_since(time(&later, "startsAt")).abs() < SOON, "{later}");
        for name in ["Later", "Old"] {
            until_over(&fake, &clocks, name).await;
        }
        let labels = |alert: &Value| alert["labels"].clone();
        assert_eq!(labels(&fake.told("Old").unwrap()), labels(&old));
        let numbers =
            Numbers::until(server.address, "incident_sink_firing_alerts{sink=\"pager\"}", 0.0).await;
        numbers.are(&[("incident_sink_untold_alerts_total{sink=\"pager\"}", 0)]);
    }
}

/// Where the drill is then is told by its events.
#[tokio::test]
async fn a_server_that_starts_after_the_step_goes_on_with_the_alerts_where_the_drill_is() {
    for step in STEPS {
        let (fake, folder, clocks) = (Fake::start().await, Scratch::new(), clocks());
        let first = server(&fake, &folder, &clocks).await;
        let id = trigger(&first, SPEED).await;
        fake.until_firing("Errors").await;
        clocks.step(step);
        until_over(&fake, &clocks, "Errors").await;
        first.drained().await;
        let second = server(&fake, &folder, &clocks).await;
        let later = begins_in(&second, &id, "Later").await;
        assert!((0.0..=3.75).contains(&later), "in {later} s, after a step by {step}");
        let later = until_firing(&fake, &clocks, "Later").await;
        assert!(clocks.wall().duration_since(time(&later, "startsAt")).abs() < SOON, "{later}");
        for name in ["Later", "Old"] {
            until_over(&fake, &clocks, name).await;
        }
    }
}
