//! The page's files as they are sent: compressed for whoever can read that, each form with its own entity tag.

use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Http, Local, get, soon};

/// Head and body of an answer, byte by byte.
async fn fetch(server: &Local, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let host = server.address;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon("the answer", stream.read_to_end(&mut answer)).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_ascii_lowercase(), body)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default()
}

/// The ending of a file's name.
fn content_kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// A body as it was before it was compressed, as the head says.
fn unpacked(head: &str, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match header(head, "content-encoding") {
        "" => plain.extend_from_slice(body),
        "gzip" => drop(GzDecoder::new(body).read_to_end(&mut plain).unwrap()),
        "br" => drop(Decompressor::new(body, 4096).read_to_end(&mut plain).unwrap()),
        other => panic!("{other} is not known"),
    }
    plain
}

/// The files that a page names: its style sheets, its script, its icon.
fn named(page: &str) -> Vec<&str> {
    page.split("\"./").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn a_client_that_reads_compressed_files_gets_the_same_in_fewer_bytes() {
    let server = Local::start().await;
    let page = get(server.address, "/").await.body;
    let mut first = named(&page);
    first.sort_unstable();
    first.dedup();
    first.push("");
    assert!(first.len() <= 6, "{first:?}");
    // What a page is on the wire before a person wants more.
    for (coding, most) in [("br", 76_000), ("gzip", 85_000)] {
        let names = incident::dashboard::FILES.iter().map(|(name, _)| *name);
        let (mut packed, mut plain, mut at_start) = (0, 0, 0);
        for name in names.filter(|name| !first.contains(name)).chain(first.clone()) {
            let accepted = format!("Accept-Encoding: {coding}, other;q=0.8\r\n");
            let (head, body) = fetch(&server, &format!("/{name}"), &accepted).await;
            assert!(head.starts_with("http/1.1 200"), "{name}: {head}");
            assert_eq!(header(&head, "vary"), "accept-encoding", "{name}");
            assert_eq!(header(&head, "content-length"), body.len().to_string(), "{name}");
            let (_, as_it_is) = fetch(&server, &format!("/{name}"), "").await;
            assert!(["", coding].contains(&header(&head, "content-encoding")), "{name}: {head}");
            assert_eq!(unpacked(&head, &body), as_it_is, "{name}");
            assert!(body.len() <= as_it_is.len(), "{name} is not smaller");
            packed += body.len();
            plain += as_it_is.len();
            // What is loaded when it is wanted is not weighed with the page.
            at_start += if first.contains(&name) { head.len() + 4 + body.len() } else { 0 };
        }
        assert!(packed * 5 < plain * 2, "{coding}: {packed} of {plain} bytes");
        assert!(at_start <= most, "the page is {at_start} bytes as {coding}");
    }
}

/// What is sent has no comments, and imports and exports are changed: `src/dashboard/` finds them by lines.
#[test]
fn comments_of_the_page_have_their_own_lines_and_no_text_spans_lines() {
    for (name, bytes) in incident::dashboard::FILES {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut comment = false;
        for (line, n) in text.lines().zip(1..) {
            let place = format!("dashboard/{name}:{n}: {line}");
            if comment {
                comment = !line.contains("*/");
                assert!(comment || line.trim_end().ends_with("*/"), "code after a comment: {place}");
                continue;
            }
            if line.trim_start().starts_with("/*") {
                comment = !line.contains("*/");
                continue;
            }
            if content_kind(name) != "js" || line.trim_start().starts_with("//") {
                continue;
            }
            // How exports may be written, which all are where a line begins.
            let known = ["const ", "class ", "function ", "async function ", "{ "];
            let exports = line.strip_prefix("export ");
            assert!(exports.is_none_or(|what| known.iter().any(|known| what.starts_with(known))), "{place}");
            assert!(
                !line.trim_start().starts_with("export ") || exports.is_some(),
                "an export inside: {place}"
            );
            assert!(
                !line.starts_with("import ") || line.starts_with("import {") || line.starts_with("import '"),
                "an import of another kind: {place}"
            );
            // A regular expression may have one.
            let quotes = line.matches('`').count();
            assert!(
                quotes.is_multiple_of(2) || line.contains(" = /"),
                "a text that goes on in the next line: {place}"
            );
            assert!(!line.trim_end().ends_with('\\'), "a text that goes on in the next line: {place}");
        }
    }
}

/// The names of the modules in the page's script, in order.
async fn of_the_script(server: &Local) -> Vec<String> {
    let script = get(server.address, "/app.js").await.body;
    let lines =
        script.lines().filter_map(|line| line.strip_prefix("modules['")?.strip_suffix("'] = (() => {"));
    lines.chain(["app.js"]).map(str::to_owned).collect()
}

/// What the page does not have at the start is loaded by `parts.js`: no file is forgotten.
#[tokio::test]
async fn what_the_page_does_not_have_at_the_start_is_a_part_that_is_loaded_when_it_is_wanted() {
    let server = Local::start().await;
    let page = get(server.address, "/").await.body;
    let script = of_the_script(&server).await;
    let at_start = |name: &str| {
        let sheets = named(&page).into_iter().filter(|name| content_kind(name) == "css");
        let sheet =
            |sheet: &str| sheet.trim_end_matches(".css").split('+').any(|part| format!("{part}.css") == name);
        name == "index.html"
            || name == "favicon.svg"
            || script.iter().any(|one| one == name)
            || sheets.into_iter().any(sheet)
    };
    let read = |name: &str| {
        let file = incident::dashboard::FILES.iter().find(|(file, _)| *file == name);
        let (_, bytes) = file.unwrap_or_else(|| panic!("there is no {name}"));
        str::from_utf8(bytes).unwrap()
    };
    // Every path in the quotes of an import, as a name of a file.
    let imports = |name: &str| {
        let folder = if name.starts_with("panels/") { "panels/" } else { "" };
        let paths = read(name).split('\'').skip(1).step_by(2).filter(|path| content_kind(path) == "js");
        let names = paths.map(|path| match path.strip_prefix("../") {
            Some(above) => above.to_owned(),
            None => format!("{folder}{}", path.trim_start_matches("./")),
        });
        names.collect::<Vec<_>>()
    };
    let (mut found, mut left) = (Vec::new(), imports("parts.js"));
    assert!(left.len() > 5, "{left:?}");
    while let Some(name) = left.pop() {
        if !found.contains(&name) {
            left.extend(imports(&name));
            found.push(name);
        }
    }
    let styles = read("parts.js").split('\'').filter(|text| content_kind(text) == "css").map(str::to_owned);
    found.extend(styles);
    let names = incident::dashboard::FILES.iter().map(|(name, _)| *name);
    let forgotten: Vec<&str> = names
        .filter(|name| !name.starts_with("login") && !at_start(name))
        .filter(|name| !found.iter().any(|one| one == name))
        .collect();
    assert_eq!(forgotten, [""; 0]);
}

/// What is asked for by the name of a module comes from the script, where it is already: there is one instance of each.
#[tokio::test]
async fn the_page_has_one_script_with_all_that_it_needs_at_the_start() {
    let server = Local::start().await;
    let page = get(server.address, "/").await.body;
    assert!(!page.contains("<!--"), "comments are not sent");
    assert_eq!(page.matches("<script").count(), 1);
    let script = of_the_script(&server).await;
    for needed in ["contract.js", "fold.js", "panels/feed.js", "curve.js"] {
        assert!(script.iter().any(|name| name == needed), "{needed} is not among {script:?}");
        let up = if needed.starts_with("panels/") { "../" } else { "./" };
        let module = get(server.address, &format!("/{needed}")).await.body;
        assert!(module.starts_with("import { modules } from './") && module.contains(up), "{module}");
        assert!(module.ends_with(&format!(" }} = modules['{needed}'];\n")), "{module}");
    }
    assert!(!script.iter().any(|name| name == "login.js"), "{script:?}");
    let part = get(server.address, "/panels/board.js").await.body;
    assert!(part.starts_with("import { modules } from './../app.js';\n"), "{part}");
    assert!(part.contains(" } = modules['dom.js'];\n") && !part.contains("from '../dom.js'"), "{part}");
    // The login page needs no file that it may not have.
    let login = get(server.address, "/login.js").await.body;
    assert!(login.contains("modules['api.js'] = ") && !login.contains("import "), "{login}");
}

/// The coding that is wanted most; of those that are wanted equally, the smallest form; as it is if that is wanted more.
#[tokio::test]
async fn each_client_gets_the_form_that_it_wants_most() {
    let server = Local::start().await;
    let plain = get(server.address, "/app.js").await;
    assert_eq!(plain.header("vary"), "accept-encoding");
    for (accepted, wanted) in [
        ("", ""),
        ("identity", ""),
        ("deflate, zstd", ""),
        ("gzip;q=0", ""),
        ("GZIP; q=0.000, br;q=0", ""),
        ("*;q=0", ""),
        ("gzip;q=x", ""),
        ("xgzip, brotli", ""),
        ("identity, gzip;q=0.5, br;q=0.9", ""),
        ("identity, *;q=0.5", ""),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate, gzip;q=0.1", "gzip"),
        ("gzip, *;q=0", "gzip"),
        ("*, br;q=0", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0.5, *;q=0.8", "gzip"),
        ("br", "br"),
        ("BR;Q=0.001", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=0.5, br;q=0.5", "br"),
        ("gzip;q=0.5, br;q=0.8, identity;q=0.1", "br"),
        ("*", "br"),
        ("identity;q=0, *;q=0.5", "br"),
        ("gzip;q=0, *", "br"),
    ] {
        let (head, body) = fetch(&server, "/app.js", &format!("Accept-Encoding: {accepted}\r\n")).await;
        assert_eq!(header(&head, "content-encoding"), wanted, "{accepted:?}");
        assert_eq!(header(&head, "vary"), "accept-encoding", "{accepted:?}");
        assert_eq!(unpacked(&head, &body), plain.body.as_bytes(), "{accepted:?}");
    }
    // In several headers as in one.
    let (head, _) = fetch(&server, "/app.js", "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n").await;
    assert_eq!(header(&head, "content-encoding"), "br");
}

#[tokio::test]
async fn each_form_has_its_own_tag_and_is_current_by_that_alone() {
    let server = Local::start().await;
    let plain = get(server.address, "/app.js").await.header("etag").to_owned();
    let tag = async |accepted: &str| {
        let (head, _) = fetch(&server, "/app.js", &format!("Accept-Encoding: {accepted}\r\n")).await;
        header(&head, "etag").to_owned()
    };
    let (gzip, brotli) = (tag("gzip").await, tag("br").await);
    assert!(plain != gzip && plain != brotli && gzip != brotli, "{plain} {gzip} {brotli}");
    let status = async |tag: &str, accepted: &str| {
        let request = Http::new(server.address, "GET", "/app.js").header("If-None-Match", tag);
        let reply = request.header("Accept-Encoding", accepted).send().await;
        if reply.status == 304 {
            assert_eq!((reply.body.as_str(), reply.header("content-encoding")), ("", ""));
            assert_eq!(reply.header("vary"), "accept-encoding");
            assert!(!reply.header("etag").is_empty());
        }
        reply.status
    };
    for (tag, accepted, wanted) in [
        (gzip.as_str(), "gzip", 304),
        (&brotli, "gzip, br", 304),
        (&gzip, "gzip, br", 200),
        (&brotli, "gzip", 200),
        (&plain, "gzip", 200),
        (&gzip, "identity", 200),
        (&plain, "identity", 304),
        // A proxy that compresses by itself says that a tag is weak; a browser may know several.
        (&format!("W/{gzip}"), "gzip", 304),
        (&format!("\"other\", {brotli}"), "br", 304),
        ("\"other\"", "gzip", 200),
    ] {
        assert_eq!(status(tag, accepted).await, wanted, "{tag} with {accepted}");
    }
}
