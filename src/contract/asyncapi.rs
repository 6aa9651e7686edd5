//! The AsyncAPI 3.0 document of the contract, derived from its types: the channels `/ws` and `/events`, and the messages
//! on them.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::message::MessageType;
use super::schema::{envelope_of, portable};
use super::version::{CONTRACT_VERSION, SUBPROTOCOL};

/// Where the schemas of the payloads stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// The whole contract as an AsyncAPI document. Its schemas are of JSON Schema draft 7, the only draft that every AsyncAPI
/// tool reads.
pub fn document() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.definitions_path = SCHEMAS.into());
    let mut generator = settings.into_generator();
    let messages: Map<String, Value> = (MessageType::ALL.iter())
        .map(|kind| {
            let payload = kind.payload_reference(&mut generator);
            (kind.as_str().to_owned(), message(*kind, payload.as_value()))
        })
        .collect();
    let mut schemas = generator.take_definitions(true);
    schemas.values_mut().for_each(|schema| *schema = portable(schema.take()));
    json!({
        "asyncapi": "3.0.0",
        "info": info(),
        "defaultContentType": "application/cloudevents+json",
        "servers": servers(),
        "channels": { "ws": web_socket(), "events": server_sent_events() },
        "operations": {
            "sendFrames": {
                "action": "send",
                "channel": { "$ref": "#/channels/ws" },
                "title": "Send the stream over WebSocket",
                "summary": "Every text frame is one event. The server ignores the content of what a client sends.",
                "messages": references("#/channels/ws/messages"),
            },
            "sendEvents": {
                "action": "send",
                "channel": { "$ref": "#/channels/events" },
                "title": "Send the stream as Server-Sent Events",
                "summary": "`data` is the text of the WebSocket frame, `event` its type, and `id` the position.",
                "messages": references("#/channels/events/messages"),
                "bindings": { "http": { "method": "GET", "query": query(), "bindingVersion": "0.3.0" } },
            },
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn info() -> Value {
    json!({
        "title": "incident stream",
        "version": CONTRACT_VERSION,
        "description": "Incidents as they unfold. Every message is a CloudEvents 1.0 event in structured JSON. The first \
                        one on every connection is `stream_opened`, which says which events follow. Positions (`id`) \
                        count from 1 without gaps in the stream that `source` names. A client ignores attributes, \
                        fields and messages that it does not know.",
        "license": { "name": "MIT OR Apache-2.0" },
        "contact": { "name": "incident" },
        "tags": [{ "name": "incidents" }],
    })
}

/// The same server with and without TLS, and for both transports.
fn servers() -> Value {
    let server = |protocol: &str, text: &str| {
        json!({
            "host": "{host}",
            "protocol": protocol,
            "description": format!(
                "{text} If the server requires tokens, clients send `Authorization: Bearer TOKEN`."
            ),
            "variables": {
                "host": { "default": "127.0.0.1:7911", "description": "Host and port of the server" },
            },
        })
    };
    json!({
        "ws": server("ws", "WebSocket."),
        "wss": server("wss", "WebSocket over TLS."),
        "http": server("http", "Server-Sent Events."),
        "https": server("https", "Server-Sent Events over TLS."),
    })
}

fn web_socket() -> Value {
    json!({
        "address": "/ws",
        "title": "The stream over WebSocket",
        "description": "With `?after=STREAM/N`, exactly the events after that position follow; with `?after=0`, every event \
                        that is kept; without it, everything from the start of the oldest open incident.",
        "servers": [{ "$ref": "#/servers/ws" }, { "$ref": "#/servers/wss" }],
        "messages": channel_messages(),
        "bindings": {
            "ws": {
                "method": "GET",
                "query": query(),
                "headers": {
                    "type": "object",
                    "properties": {
                        "Sec-WebSocket-Protocol": { "const": SUBPROTOCOL, "description": "Optional" },
                    },
                },
                "bindingVersion": "0.1.0",
            },
        },
    })
}

fn server_sent_events() -> Value {
    json!({
        "address": "/events",
        "title": "The stream as Server-Sent Events",
        "description": "The same messages with the same rules. A client that reconnects sends the last position that it has \
                        as `Last-Event-ID`, which counts more than `after`.",
        "servers": [{ "$ref": "#/servers/http" }, { "$ref": "#/servers/https" }],
        "messages": channel_messages(),
    })
}

fn query() -> Value {
    json!({
        "type": "object",
        "properties": {
            "after": {
                "type": "string",
                "pattern": "^(0|[A-Za-z0-9_-]{1,64}/(0|[1-9][0-9]{0,15}))$",
                "description": "The position of the last event that the client has, `STREAM/N`; `0` for every event that \
                                is kept",
            },
        },
    })
}

fn channel_messages() -> Value {
    let reference = |kind: &MessageType| {
        let name = kind.as_str();
        (name.to_owned(), json!({ "$ref": format!("#/components/messages/{name}") }))
    };
    Value::Object(MessageType::ALL.iter().map(reference).collect())
}

fn references(messages: &str) -> Value {
    let reference = |kind: &MessageType| json!({ "$ref": format!("{messages}/{}", kind.as_str()) });
    MessageType::ALL.iter().map(reference).collect()
}

fn message(kind: MessageType, payload: &Value) -> Value {
    let name = kind.as_str();
    let title = name.replace('_', " ");
    let text = kind.payload_schema().to_value().get("description").cloned().unwrap_or_default();
    let what = if kind.is_control() { "control message" } else { "event" };
    let mut schema = envelope_of(kind, payload);
    // AsyncAPI has the title beside the schema.
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("title");
    }
    json!({
        "name": name,
        "title": format!("{title} ({what})"),
        "summary": text,
        "contentType": "application/cloudevents+json",
        "payload": portable(schema),
    })
}
