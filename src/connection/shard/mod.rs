//! One thread and its clients.

mod clients;
mod context;
mod counts;
mod link;
mod order;
mod worker;

pub(super) use context::ShardContext;
pub(super) use link::Link;
pub(super) use order::Order;
pub(super) use worker::{Shard, WAKE};
