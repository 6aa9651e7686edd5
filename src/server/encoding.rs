//! The content encoding of a request's body: none, or gzip. Inflating stops at the limit of the body, so that a small body
//! which would become a huge one costs no more than one of that size.

use std::io::{Cursor, Read};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use flate2::bufread::MultiGzDecoder;

/// What a refusal of another encoding offers, in `Accept-Encoding` (RFC 9110, 12.5.3).
pub(super) const ACCEPTED: &str = "gzip";

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Gzip,
}

/// Why a body cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// It is larger than it may be.
    TooLarge,
    /// It is no gzip, or is cut off or damaged.
    Broken(String),
    /// There is no memory for it at the moment.
    Busy,
}

impl Encoding {
    /// The encoding that the headers name.
    ///
    /// # Errors
    /// The server does not know it: a sentence for people.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let values = headers.get_all(header::CONTENT_ENCODING).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let names: Vec<String> = values
            .iter()
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !matches!(name.as_str(), "" | "identity"))
            .collect();
        match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Ok(Self::Plain),
            ["gzip" | "x-gzip"] => Ok(Self::Gzip),
            _ => {
                let names = names.join(", ");
                Err(format!(
                    "the content encoding {names:?} is not known; send the body as it is, or gzip it once"
                ))
            }
        }
    }

    /// The body as it was before it was encoded, of at most `most` bytes.
    ///
    /// # Errors
    /// It is larger, or not what the encoding says.
    pub(super) fn decode(self, body: Bytes, most: usize) -> Result<Bytes, Undecodable> {
        let plain = match self {
            Self::Plain => body,
            Self::Gzip => inflate(&body, most)?.into(),
        };
        if plain.len() > most { Err(Undecodable::TooLarge) } else { Ok(plain) }
    }
}

/// Reads one byte more than is allowed at most, to see that there is more.
fn inflate(body: &[u8], most: usize) -> Result<Vec<u8>, Undecodable> {
    let mut plain = Vec::new();
    let mut inflated = MultiGzDecoder::new(Cursor::new(body)).take(most as u64 + 1);
    match inflated.read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => {
            Err(Undecodable::Broken(format!("the body is not gzip, or not all of it came: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn of(values: &[&'static str]) -> Result<Encoding, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        Encoding::of(&headers)
    }

    #[test]
    fn one_gzip_is_known_and_nothing_else() {
        assert_eq!(of(&[]), Ok(Encoding::Plain));
        assert_eq!(of(&["identity"]), Ok(Encoding::Plain));
        for gzip in ["gzip", "GZIP", "x-gzip", " gzip , identity"] {
            assert_eq!(of(&[gzip]), Ok(Encoding::Gzip), "{gzip}");
        }
        for values in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["deflate"], &["gzip, br"]] {
            assert!(of(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn a_body_is_what_it_was_before_also_in_several_members() {
        let both = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(Encoding::Gzip.decode(both.into(), 7), Ok(Bytes::from_static(b"one two")));
        assert_eq!(Encoding::Gzip.decode(gzip(b"").into(), 0), Ok(Bytes::new()));
    }

    #[test]
    fn the_limit_is_the_one_of_the_inflated_body() {
        let body = gzip(&[b'x'; 1_000]);
        assert!(body.len() < 100);
        assert!(Encoding::Gzip.decode(body.clone().into(), 1_000).is_ok());
        assert_eq!(Encoding::Gzip.decode(body.into(), 999), Err(Undecodable::TooLarge));
    }

    /// What lies behind the limit is not even looked at: it could not be inflated.
    #[test]
    fn nothing_is_inflated_beyond_the_limit() {
        let mut bomb = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100 * 1024, "{}", bomb.len());
        let half = bomb.len() / 2;
        bomb.truncate(half);
        bomb.extend([0xff; 64]);
        assert_eq!(Encoding::Gzip.decode(bomb.clone().into(), 1024 * 1024), Err(Undecodable::TooLarge));
        assert!(matches!(Encoding::Gzip.decode(bomb.into(), usize::MAX - 1), Err(Undecodable::Broken(_))));
    }

    #[test]
    fn what_is_no_gzip_or_cut_off_is_told() {
        let whole = gzip(b"some text that is longer than the header");
        for broken in [&b"{}"[..], b"", &whole[..whole.len() - 1], &[whole.as_slice(), b"x"].concat()] {
            assert!(matches!(
                Encoding::Gzip.decode(broken.to_vec().into(), 1_000),
                Err(Undecodable::Broken(_))
            ));
        }
    }
}
