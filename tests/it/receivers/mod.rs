//! Receivers: alerts of other programs become incidents.

mod command;
mod drills;
mod file;
mod fold;
mod lab;
mod pagerduty;
mod property;
mod real;
mod server;
mod webhooks;
