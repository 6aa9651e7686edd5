//! The WebSocket protocol (RFC 6455) by the chapters of the Autobahn test suite: what is allowed goes on, what is not
//! is closed with its code. What clients say is ignored, so an echo is not among it.

use crate::harness::{Local, Raw, masked, unmasked};

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FIN: u8 = 0x80;

/// A ping by which the end of the answers is known.
const SYNC: &[u8] = b"are you there";

async fn open(server: &Local) -> Raw {
    let mut raw = Raw::connect(server.address).await.upgrade("").await;
    let (opcode, _) = raw.frame().await.unwrap();
    assert_eq!(opcode, TEXT, "stream_opened");
    raw
}

/// The payloads of the pongs to what was sent; it has to go on after that.
async fn pongs(server: &Local, what: &str, bytes: &[u8], at_once: bool) -> Vec<Vec<u8>> {
    let mut raw = open(server).await;
    send(&mut raw, bytes, at_once).await;
    raw.send(&masked(FIN | PING, SYNC)).await;
    let mut pongs = Vec::new();
    loop {
        match raw.frame().await {
            Some((PONG, payload)) if payload == SYNC => return pongs,
            Some((PONG, payload)) => pongs.push(payload),
            // A heartbeat.
            Some((TEXT, _)) => {}
            other => panic!("{what}: instead of a pong {other:?}"),
        }
    }
}

/// The code of the close frame that answers what was sent; nothing but pongs comes before it, nothing after it.
async fn closed(server: &Local, what: &str, bytes: &[u8]) -> Option<u16> {
    let mut raw = open(server).await;
    send(&mut raw, bytes, true).await;
    loop {
        match raw.frame().await {
            // A heartbeat may come, too.
            Some((PONG | TEXT, _)) => {}
            Some((CLOSE, payload)) => {
                assert_eq!(raw.frame().await, None, "{what}: nothing comes after the close");
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
            other => panic!("{what}: instead of a close {other:?}"),
        }
    }
}

async fn send(raw: &mut Raw, bytes: &[u8], at_once: bool) {
    if at_once {
        return raw.send(bytes).await;
    }
    for byte in bytes {
        raw.send(&[*byte]).await;
    }
}

fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
    masked(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

#[tokio::test]
async fn framing_of_every_length_goes_on() {
    let server = Local::start().await;
    for length in [0, 1, 125, 126, 127, 128, 4_096, 16 * 1024] {
        for opcode in [TEXT, BINARY] {
            let frame = masked(FIN | opcode, &vec![b'*'; length]);
            let what = format!("{length} bytes of opcode {opcode}");
            assert!(pongs(&server, &what, &frame, length > 128).await.is_empty());
        }
    }
}

#[tokio::test]
async fn pings_are_answered_in_order_and_pongs_are_not() {
    let server = Local::start().await;
    let full = [0xfe; 125];
    for payload in [&b""[..], b"Hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", &full] {
        for at_once in [true, false] {
            let ping = masked(FIN | PING, payload);
            assert_eq!(pongs(&server, "ping", &ping, at_once).await, [payload]);
        }
        let pong = masked(FIN | PONG, payload);
        assert!(pongs(&server, "an unsolicited pong", &pong, true).await.is_empty());
        let both = [pong, masked(FIN | PING, b"asked")].concat();
        assert_eq!(pongs(&server, "pong, ping", &both, true).await, [b"asked"]);
    }
    let ten: Vec<Vec<u8>> = (0..10).map(|n| format!("payload-{n}").into_bytes()).collect();
    let pings: Vec<u8> = ten.iter().flat_map(|payload| masked(FIN | PING, payload)).collect();
    for at_once in [true, false] {
        assert_eq!(pongs(&server, "ten pings", &pings, at_once).await, ten);
    }
    assert_eq!(closed(&server, "a ping of 126 bytes", &masked(FIN | PING, &[0xfe; 126])).await, Some(1002));
}

#[tokio::test]
async fn reserved_bits_and_opcodes_and_bare_frames_are_1002() {
    let server = Local::start().await;
    for bits in 1..8_u8 {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let frame = masked(FIN | bits << 4 | opcode, b"");
            let what = format!("reserved bits {bits} on opcode {opcode}");
            assert_eq!(closed(&server, &what, &frame).await, Some(1002), "{what}");
        }
    }
    for opcode in (3..8).chain(11..16) {
        for payload in [&b""[..], b"reserved"] {
            let behind = [masked(FIN | TEXT, b"fine"), masked(FIN | opcode, payload)].concat();
            assert_eq!(closed(&server, "a reserved opcode", &behind).await, Some(1002), "opcode {opcode}");
        }
    }
    for opcode in [TEXT, BINARY, PING, CLOSE] {
        let bare = unmasked(FIN | opcode, b"");
        assert_eq!(closed(&server, "without a mask", &bare).await, Some(1002), "opcode {opcode}");
    }
}

#[tokio::test]
async fn fragments_belong_together() {
    let server = Local::start().await;
    let (first, more, last) = (masked(TEXT, b"frag-1"), masked(0, b"frag-2"), masked(FIN, b"frag-3"));
    let ping = masked(FIN | PING, b"between");
    let whole = masked(FIN | TEXT, b"whole");
    for (what, bytes, asked) in [
        ("two", [&first[..], &last].concat(), 0),
        ("three", [&first[..], &more, &last].concat(), 0),
        ("a ping between", [&first[..], &ping, &last].concat(), 1),
        ("pings all over", [&ping[..], &first, &ping, &more, &ping, &last, &ping].concat(), 4),
        ("empty ones", [masked(TEXT, b""), masked(0, b""), masked(FIN, b"")].concat(), 0),
        ("two messages", [&first[..], &last, &first, &last].concat(), 0),
    ] {
        for at_once in [true, false] {
            assert_eq!(pongs(&server, what, &bytes, at_once).await.len(), asked, "{what}");
        }
    }
    for (what, bytes) in [
        ("a ping in pieces", [masked(PING, b"frag-1"), last.clone()].concat()),
        ("a pong in pieces", [masked(PONG, b"frag-1"), last.clone()].concat()),
        ("the end of nothing", [&last[..], &whole].concat()),
        ("a part of nothing", [&more[..], &whole].concat()),
        ("a whole inside", [&first[..], &whole].concat()),
        ("a second beginning", [&first[..], &first].concat()),
        ("after the end", [&first[..], &last, &more].concat()),
    ] {
        assert_eq!(closed(&server, what, &bytes).await, Some(1002), "{what}");
    }
}

#[tokio::test]
async fn text_is_utf8_also_across_fragments() {
    let server = Local::start().await;
    let valid =
        ["Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\u{10ffff}", "\u{fffd}", "\u{0}", "\u{7ff}\u{800}\u{ffff}"];
    for text in valid {
        assert!(pongs(&server, text, &masked(FIN | TEXT, text.as_bytes()), true).await.is_empty());
        // Every byte is a fragment: characters are cut apart.
        let mut pieces = masked(TEXT, b"");
        pieces.extend(text.bytes().flat_map(|byte| masked(0, &[byte])));
        pieces.extend(masked(FIN, b""));
        assert!(pongs(&server, text, &pieces, true).await.is_empty());
    }
    for invalid in [
        &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..],
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xbf",
        b"\x80\xbf\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xc1\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xce",
        b"\xf0\x9f\x98",
        b"\xff",
    ] {
        assert_eq!(
            closed(&server, "invalid", &masked(FIN | TEXT, invalid)).await,
            Some(1007),
            "{invalid:x?}"
        );
        let pieces = [masked(TEXT, invalid), masked(FIN, b" and more")].concat();
        assert_eq!(closed(&server, "in pieces", &pieces).await, Some(1007), "{invalid:x?}");
        // Bytes are bytes.
        assert!(pongs(&server, "binary", &masked(FIN | BINARY, invalid), true).await.is_empty());
    }
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_or_with_1002() {
    let server = Local::start().await;
    assert_eq!(closed(&server, "no code", &masked(FIN | CLOSE, b"")).await, None);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        assert_eq!(closed(&server, "a code", &close_frame(code, b"")).await, Some(code));
        let longest = close_frame(code, &[b'*'; 123]);
        assert_eq!(closed(&server, "with a reason", &longest).await, Some(code));
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(closed(&server, "no such code", &close_frame(code, b"")).await, Some(1002), "{code}");
    }
    assert_eq!(closed(&server, "half a code", &masked(FIN | CLOSE, b"\x03")).await, Some(1002));
    assert_eq!(closed(&server, "too long", &close_frame(1000, &[b'*'; 124])).await, Some(1002));
    assert_eq!(closed(&server, "not UTF-8", &close_frame(1000, b"\xed\xa0\x80")).await, Some(1007));
    // What comes behind a goodbye is not heard.
    let goodbye = close_frame(1000, b"");
    for behind in [&goodbye[..], &masked(FIN | PING, b"?"), &masked(FIN | TEXT, b"late"), &masked(0x87, b"")]
    {
        assert_eq!(closed(&server, "behind it", &[&goodbye[..], behind].concat()).await, Some(1000));
    }
    let within = [masked(TEXT, b"frag"), goodbye].concat();
    assert_eq!(closed(&server, "within a message", &within).await, Some(1000));
}

#[tokio::test]
async fn lengths_that_nobody_needs_are_1009() {
    let server = Local::start().await;
    let claims = |length: u64| [&[FIN | BINARY, 0x80 | 127], &length.to_be_bytes()[..], &[0; 4]].concat();
    for length in [16 * 1024 + 1, 65_536, 16 << 20, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX] {
        assert_eq!(closed(&server, "claimed", &claims(length)).await, Some(1009), "{length}");
    }
    let parts: Vec<u8> =
        (0..17).flat_map(|n| masked(if n == 0 { TEXT } else { 0 }, &[b'x'; 1_024])).collect();
    assert_eq!(closed(&server, "in parts", &parts).await, Some(1009));
}
