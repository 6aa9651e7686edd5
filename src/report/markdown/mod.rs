//! The post-incident report as Markdown. It depends on no clock and no locale: the same events give the same bytes
//! everywhere.

mod document;
mod failures;
mod findings;
mod impact;
mod metrics;
mod opening;
mod section;
mod simulation;
mod summary;
mod text;
mod timeline;
