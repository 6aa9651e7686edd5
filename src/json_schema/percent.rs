//! Percent-encoding, as URLs and the fragments of references have it.

/// Percent-encodes what is neither a letter, a digit nor harmless.
pub fn encode(text: &str, is_path: bool) -> String {
    let is_plain =
        |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || (is_path && b"/:".contains(&b));
    let one = |b: u8| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}

/// Undoes percent-encoding. What is no encoding stays.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
