//! The secrets of a receiver, and whether a request shows one of them. Comparisons take the same time wherever two texts
//! differ.

use axum::http::{HeaderMap, header};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
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
    header: String,
    secret: Vec<u8>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// These tokens, and perhaps a header with a signature and the secret for it.
    pub fn new(tokens: &[Token], signing: Option<(String, Vec<u8>)>) -> Self {
        let signing = signing.map(|(header, secret)| Signing { header, secret });
        Self { tokens: tokens.iter().map(Token::digest).collect(), signing }
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

    /// Whether the body is signed with the secret.
    pub(super) fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let Some(signing) = &self.signing else { return false };
        let Some(shown) = headers.get(&signing.header) else { return false };
        let Ok(shown) = HEXLOWER_PERMISSIVE.decode(shown.as_bytes()) else { return false };
        shown.ct_eq(&hmac(&signing.secret, body)).into()
    }
}

/// HMAC-SHA256, as in RFC 2104.
fn hmac(secret: &[u8], text: &[u8]) -> [u8; 32] {
    let mut key = [0; BLOCK];
    if secret.len() > BLOCK {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
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
            hex(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_token_is_shown_as_bearer_or_as_a_password() {
        let secrets = Secrets::new(&["0123456789abcdef".parse().expect("a token")], None);
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
}
