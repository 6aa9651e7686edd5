//! Receivers: alerts of other programs become incidents.

mod file;
mod fold;
mod lab;
mod pagerduty;
mod property;
mod webhooks;
