//! What is wrong with a query, in words.

use axum::extract::rejection::QueryRejection;

/// What serde says of a query that can't be read, without axum's words around it.
pub(super) fn wrong(error: &QueryRejection) -> String {
    let text = error.body_text();
    let what = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    format!("the query can't be read: {what}")
}
