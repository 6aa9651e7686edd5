//! A contract that is an AsyncAPI document: channels, their messages, and the schemas of these.
//!
//! All messages of all channels count, whoever sends them: documents are written from the server's side and from the
//! client's, and nothing in them says which.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::document::Document;
use super::error::ContractError;
use super::files::{Files, Place};
use super::found::Found;
use crate::json_schema::Draft;
use crate::json_schema::words::quoted;

/// What a message may have from its traits.
const FROM_TRAITS: [&str; 4] = ["name", "title", "schemaFormat", "examples"];

/// The messages of a document.
pub(super) fn messages(root: &Rc<Document>, files: &Files) -> Result<Vec<Found>, ContractError> {
    let root = Place { document: root.clone(), pointer: String::new() };
    let version = root
        .get("asyncapi")
        .map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned));
    let version = version.unwrap_or_default();
    let is_new = match version.split('.').next() {
        Some("2") => false,
        Some("3") => true,
        _ => {
            let text = format!("AsyncAPI {} cannot be read", quoted(&version));
            return Err(root.document.error("/asyncapi", text).hint("use AsyncAPI 2 or 3"));
        }
    };
    let mut places = Vec::new();
    for (name, channel) in root.members("channels") {
        let channel = files.follow(&channel)?;
        if is_new {
            places.extend(channel.members("messages"));
        } else {
            old_channel(&name, &channel, files, &mut places)?;
        }
    }
    if places.is_empty()
        && let Some(components) = root.at("components")
    {
        places = files.follow(&components)?.members("messages");
    }
    if places.is_empty() {
        let text = "no channel has a message, and `components` has none";
        return Err(root.document.error("", text).hint("describe the messages in `channels`"));
    }
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for (name, place) in places {
        let component = component(&place);
        let place = files.follow(&place)?;
        let key = (place.document.path.clone(), place.pointer.clone());
        if !seen.contains(&key) {
            seen.push(key);
            let name = if is_new { name } else { component.unwrap_or(name) };
            found.push(message(name, &place, files, is_new)?);
        }
    }
    Ok(found)
}

/// The messages of a channel of AsyncAPI 2.
fn old_channel(
    name: &str,
    channel: &Place,
    files: &Files,
    places: &mut Vec<(String, Place)>,
) -> Result<(), ContractError> {
    for operation in ["subscribe", "publish"] {
        let Some(operation_at) = channel.at(operation) else { continue };
        let Some(message) = files.follow(&operation_at)?.at("message") else { continue };
        let label = format!("{operation} {name}");
        // A list of messages may itself be referred to.
        let target = files.follow(&message)?;
        let one_of = target.items("oneOf");
        if one_of.is_empty() {
            places.push((label, message));
        } else {
            places.extend(one_of.into_iter().map(|place| (label.clone(), place)));
        }
    }
    Ok(())
}

/// The name that a reference uses: `#/components/messages/NAME`, or `file.yaml#/NAME`.
fn component(place: &Place) -> Option<String> {
    let (_, pointer) = place.get("$ref").and_then(Value::as_str)?.split_once('#')?;
    let (_, name) = pointer.rsplit_once('/')?;
    // A message of an operation has no name there, or only a number.
    (name != "message" && name.parse::<u32>().is_err()).then(|| name.to_owned())
}

fn message(name: String, place: &Place, files: &Files, is_new: bool) -> Result<Found, ContractError> {
    if !place.value().is_object() {
        return Err(place.error("this is no message: it is not an object"));
    }
    let fields = with_traits(place, files, is_new)?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let name = text("name").map_or(name, str::to_owned);
    let title = text("title").map(str::to_owned);
    let listed = fields.get("examples").and_then(Value::as_array);
    let examples =
        listed.into_iter().flatten().filter_map(|example| example.get("payload").cloned()).collect();
    let mut format = text("schemaFormat").map(str::to_owned);
    let mut schema = place.at("payload");
    // AsyncAPI 3 has the format beside the schema.
    if is_new && let Some(payload) = schema.clone() {
        let payload = files.follow(&payload)?;
        if let (Some(its), Some(inner)) = (payload.get("schemaFormat"), payload.at("schema")) {
            format = its.as_str().map(str::to_owned);
            schema = Some(inner);
        }
    }
    let draft = draft(format.as_deref()).map_err(|what| {
        let text = format!("the schema of the message {} is {what}", quoted(&name));
        place.error(text).hint(
            "describe the payload as a JSON Schema: `application/vnd.aai.asyncapi+json;version=…` or \
             `application/schema+json;version=draft-07`",
        )
    })?;
    Ok(Found { name, title, examples, schema, draft })
}

/// The fields of a message and of its traits. In AsyncAPI 2 traits go before the message, in 3 the message before traits.
fn with_traits(place: &Place, files: &Files, is_new: bool) -> Result<Map<String, Value>, ContractError> {
    let mut fields = Map::new();
    let mut add = |from: &Place, replace: bool| {
        for key in FROM_TRAITS {
            if let Some(value) = from.get(key).filter(|_| replace || !fields.contains_key(key)) {
                fields.insert(key.to_owned(), value.clone());
            }
        }
    };
    add(place, true);
    let traits = place.items("traits");
    // The last trait goes before the others.
    let traits: Vec<Place> = if is_new { traits.into_iter().rev().collect() } else { traits };
    for one in traits {
        add(&files.follow(&one)?, !is_new);
    }
    Ok(fields)
}

/// The newest draft of the schemas of messages.
pub(super) fn newest(messages: &[Found]) -> Draft {
    messages.iter().map(|message| message.draft).max().unwrap_or(Draft::V7)
}

/// The draft of a schema format; what it is instead, if it is no JSON Schema.
fn draft(format: Option<&str>) -> Result<Draft, String> {
    let Some(format) = format else { return Ok(Draft::V7) };
    let (kind, parameters) = format.split_once(';').unwrap_or((format, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let known = ["application/vnd.aai.asyncapi", "application/schema"];
    let base = kind.trim_end_matches("+json").trim_end_matches("+yaml");
    if base == known[0] {
        return Ok(Draft::V7);
    }
    if base == known[1] {
        return match parameters.split_once("version=").map(|(_, version)| version.trim_matches('"')) {
            Some("draft-04") => Ok(Draft::V4),
            Some("draft-06") => Ok(Draft::V6),
            None | Some("draft-07") => Ok(Draft::V7),
            Some("2019-09" | "draft-2019-09" | "draft/2019-09") => Ok(Draft::V2019_09),
            Some("2020-12" | "draft-2020-12" | "draft/2020-12") => Ok(Draft::V2020_12),
            Some(_) => Err(format!("of a draft of JSON Schema that is not known: {}", quoted(format))),
        };
    }
    let name =
        [("avro", "Avro"), ("protobuf", "Protobuf"), ("raml", "RAML"), ("openapi", "an OpenAPI schema")];
    let what =
        name.iter().find(|(word, _)| kind.contains(word)).map_or("in another language", |(_, name)| name);
    Err(format!("{what} ({}), and only JSON Schemas can be checked", quoted(format)))
}
