//! The version of the contract, and its name in the WebSocket handshake.

/// Version of the contract, which every `stream_opened` announces. The first number changes when a client that ignores
/// unknown fields could break.
pub const CONTRACT_VERSION: &str = "1.1";

/// The WebSocket subprotocol: every text frame is one `CloudEvents` event in JSON.
pub const SUBPROTOCOL: &str = "cloudevents.json";
