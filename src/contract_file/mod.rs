//! Contracts of other people: a JSON Schema, or an AsyncAPI document of version 2 or 3, as JSON or YAML, with the messages
//! that a stream may consist of.
//!
//! A contract may consist of several files in one folder. Nothing outside that folder is read, and nothing is fetched.
//!
//! ```no_run
//! use incident::contract_file::Contract;
//!
//! let contract = Contract::read("asyncapi.yaml".as_ref())?;
//! let message = serde_json::json!({ "type": "order_placed", "id": 7 });
//! match contract.judge(&message) {
//!     Ok(name) => println!("it is a {name}"),
//!     Err(mismatch) => println!("{}", mismatch.text),
//! }
//! # Ok::<(), incident::contract_file::ContractError>(())
//! ```

mod asyncapi;
mod budget;
mod circle;
mod contract;
mod document;
mod effort;
mod error;
mod files;
mod found;
mod schema;
mod size;
mod twice;
mod url;
mod yaml;

pub use contract::{Contract, MessageContract, Mismatch};
pub use error::ContractError;
