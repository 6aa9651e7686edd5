//! The secrets of a receiver, and whether a request shows one of them. Comparisons take the same time wherever two texts
//! differ.

use axum::http::{HeaderMap, header};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::token::{Digest, Token};

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The secrets of one receiver.
#[derive(Clone, Default)]
pub struct Secrets {
    tokens: Vec<Digest>,
    signing: Option<Signing>,
}

/// How a sender signs a body.
#[derive(Clone)]
struct Signing {
    secret: Vec<u8>,
    header: String,
    timestamp_header: Option<String>,
}

/// How far the time of a signature may be from now. What was signed can be sent again for as long.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Why a signature lets nothing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// There is none, or it is wrong.
    Wrong,
    /// It is right, and made for another time.
    Late,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// These tokens.
    pub fn new(tokens: &[Token]) -> Self {
        Self { tokens: tokens.iter().map(Token::digest).collect(), signing: None }
    }

    /// Lets in what is signed with the secret, too: HMAC-SHA256 in the header, of the body, or, with a header for the time,
    /// of the seconds since 1970 in that header, a colon and the body.
    #[must_use]
    pub fn signed_with(self, secret: Vec<u8>, header: &str, timestamp_header: Option<&str>) -> Self {
        let (header, timestamp_header) = (header.to_owned(), timestamp_header.map(str::to_owned));
        Self { signing: Some(Signing { secret, header, timestamp_header }), ..self }
    }

    /// What a sender has to show, in words.
    pub(super) fn wanted(&self) -> String {
        let token = "the receiver's token, as Authorization: Bearer TOKEN or as the password of Basic";
        let Some(Signing { header, timestamp_header, .. }) = &self.signing else {
            return format!("send {token}");
        };
        let signed = match timestamp_header {
            Some(time) => format!(
                "sign the body with the receiver's secret: in {time} the seconds since 1970, in {header} the \
                 HMAC-SHA256 in hex of these, a colon and the body as it is sent"
            ),
            None => format!(
                "sign the body with the receiver's secret: in {header} its HMAC-SHA256 in hex, of the body as it is \
                 sent and without a time"
            ),
        };
        if self.tokens.is_empty() { signed } else { format!("{signed}; or send {token}") }
    }

    /// Whether a request may be let in by its body, so that this has to be read first.
    pub(super) fn may_be_signed(&self, headers: &HeaderMap) -> bool {
        self.signing.as_ref().is_some_and(|signing| headers.contains_key(&signing.header))
    }

    /// Whether the `Authorization` header has one of the tokens: behind `Bearer`, or as the password behind `Basic`.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::AUTHORIZATION).iter().any(|value| {
            let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
                return false;
            };
            if scheme.eq_ignore_ascii_case("bearer") {
                return self.has(rest.trim().as_bytes());
            }
            let pair =
                scheme.eq_ignore_ascii_case("basic").then(|| BASE64.decode(rest.trim().as_bytes()).ok());
            let pair = pair.flatten().unwrap_or_default();
            let colon = pair.iter().position(|byte| *byte == b':');
            colon.is_some_and(|colon| self.has(&pair[colon + 1..]))
        })
    }

    /// Whether this is one of the tokens. Compares with all of them.
    pub(super) fn has(&self, shown: &[u8]) -> bool {
        let shown = Digest::of(shown);
        self.tokens.iter().fold(false, |found, known| found | bool::from(known.ct_eq(&shown)))
    }

    /// Whether the body is signed with the secret, at about this time if the signature has one.
    ///
    /// # Errors
    /// It is not. A wrong time is told to those alone whose signature is right.
    pub(super) fn signed(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Unsigned> {
        let signing = self.signing.as_ref().ok_or(Unsigned::Wrong)?;
        let shown = headers.get(&signing.header).ok_or(Unsigned::Wrong)?;
        let shown = HEXLOWER_PERMISSIVE.decode(shown.as_bytes()).map_err(|_| Unsigned::Wrong)?;
        let time = match &signing.timestamp_header {
            Some(header) => Some(headers.get(header).ok_or(Unsigned::Wrong)?.as_bytes()),
            None => None,
        };
        let before = time.map(|time| [time, b":"].concat()).unwrap_or_default();
        if !bool::from(shown.ct_eq(&hmac(&signing.secret, &before, body))) {
            return Err(Unsigned::Wrong);
        }
        let Some(time) = time else { return Ok(()) };
        let seconds = std::str::from_utf8(time).ok().and_then(|text| text.parse::<i64>().ok());
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(Unsigned::Late)?;
        if at.duration_since(now).abs() <= WINDOW { Ok(()) } else { Err(Unsigned::Late) }
    }
}

/// HMAC-SHA256, as in RFC 2104, of two texts that follow each other.
fn hmac(secret: &[u8], before: &[u8], text: &[u8]) -> [u8; 32] {
    let mut key = [0; BLOCK];
    if secret.len() > BLOCK {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x36))
        .chain_update(before)
        .chain_update(text)
        .finalize();
    Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second and the sixth case of RFC 4231.
    #[test]
    fn the_hmac_is_the_one_of_the_standard() {
        let hex = |bytes: [u8; 32]| HEXLOWER_PERMISSIVE.encode(&bytes);
        assert_eq!(
            hex(hmac(b"Jefe", b"", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac(&[0xaa; 131], b"Test ", b"Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_token_is_shown_as_bearer_or_as_a_password() {
        let secrets = Secrets::new(&["0123456789abcdef".parse().expect("a token")]);
        let allows = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            secrets.allow(&headers)
        };
        assert!(allows("Bearer 0123456789abcdef") && allows("bearer  0123456789abcdef "));
        assert!(allows(&format!("Basic {}", BASE64.encode(b"anyone:0123456789abcdef"))));
        for wrong in
            ["Bearer 0123456789abcdeX", "0123456789abcdef", "Basic !", "Basic MDEyMzQ1Njc4OWFiY2RlZg=="]
        {
            assert!(!allows(wrong), "{wrong}");
        }
    }

    /// As Grafana signs: TIME:BODY, with the time of the header.
    #[test]
    fn a_signature_with_a_time_holds_for_five_minutes() {
        let secrets = Secrets::default().signed_with(b"secret".to_vec(), "X-Signature", Some("X-Timestamp"));
        let now = Timestamp::from_second(1_764_000_000).expect("a time");
        let asked = |time: &str, signed: &str, body: &[u8]| {
            let mut headers = HeaderMap::new();
            let signature = hmac(b"secret", format!("{signed}:").as_bytes(), b"body");
            headers.insert("x-signature", HEXLOWER_PERMISSIVE.encode(&signature).parse().expect("a header"));
            headers.insert("x-timestamp", time.parse().expect("a header"));
            secrets.signed(&headers, body, now)
        };
        for time in ["1764000000", "1763999700", "1764000300"] {
            assert_eq!(asked(time, time, b"body"), Ok(()), "{time}");
        }
        for time in ["1763999699", "1764000301", "0", "-1", "9223372036854775807", "", "now"] {
            assert_eq!(asked(time, time, b"body"), Err(Unsigned::Late), "{time}");
        }
        assert_eq!(asked("1764000000", "1763990000", b"body"), Err(Unsigned::Wrong), "another time");
        assert_eq!(asked("1764000000", "1764000000", b"Body"), Err(Unsigned::Wrong), "another body");
        let mut headers = HeaderMap::new();
        let signature = hmac(b"secret", b"", b"body");
        headers.insert("x-signature", HEXLOWER_PERMISSIVE.encode(&signature).parse().expect("a header"));
        assert_eq!(secrets.signed(&headers, b"body", now), Err(Unsigned::Wrong), "no time");
    }
}
