//! Below a path of a host: the page, its files, cookies, links, streams and every command, whether a proxy removes the
//! path from requests or not.

use std::net::SocketAddr;

use incident::client::{Endpoint, EndpointError};
use incident::journal::Retention;
use incident::server::{BasePath, Options};
use incident::token::Scope;
use serde_json::json;

use crate::harness::{Client, Http, Local, READ, Serving, WRITE, get, incident, options, tokens};

pub const BODY: &str = r#"{"scenario":"database-outage"}"#;

/// Where the links of a page lead, as paths.
pub fn links(page: &str, path: &str) -> Vec<String> {
    let attributes = ["href=\"", "src=\""].into_iter().flat_map(|attribute| page.split(attribute).skip(1));
    let targets = attributes.map(|rest| rest.split('"').next().unwrap());
    let links: Vec<String> = targets.map(|target| resolve(path, target)).collect();
    // An icon, style sheets, a script.
    assert!(links.len() >= 3, "{page}");
    links
}

/// A relative reference from a path, as browsers resolve it.
fn resolve(path: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in target.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

pub fn below(base: &str) -> Options {
    let tokens = tokens(&[(Scope::Read, READ), (Scope::Write, WRITE)]);
    Options { base_path: base.parse().unwrap(), tokens, ..options() }
}

pub async fn start(options: Options) -> Local {
    Local::with(options, Retention::default()).await
}

#[tokio::test]
async fn everything_is_below_the_base_path_and_at_the_root_for_proxies_that_remove_it() {
    let server = start(Options { tokens: Vec::new(), ..below("/a/incident/") }).await;
    for base in ["/a/incident", ""] {
        let page = get(server.address, &format!("{base}/")).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{base}");
        for link in links(&page.body, &format!("{base}/")) {
            assert!(link.starts_with(base), "{link} is not below {base:?}");
            assert_eq!(get(server.address, &link).await.status, 200, "{link}");
        }
        for path in [
            "/api/scenarios",
            "/api/incidents?x=1",
            "/healthz",
            "/readyz",
            "/metrics",
            "/schema.json",
            "/asyncapi.json",
            "/login",
        ] {
            assert_eq!(get(server.address, &format!("{base}{path}")).await.status, 200, "{base}{path}");
        }
        let started = Http::new(server.address, "POST", &format!("{base}/api/incidents"))
            .header("Content-Type", "application/json")
            .body(BODY)
            .send()
            .await;
        let id = started.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(started.header("location"), format!("/a/incident/api/incidents/{id}"));
        assert_eq!(get(server.address, started.header("location")).await.json()["id"], *id);
        let endpoint = format!("http://{}{base}/", server.address).parse::<Endpoint>().unwrap();
        let mut socket = incident::client::Socket::connect(&endpoint, Some("0")).await.unwrap();
        assert!(format!("{:?}", socket.receive().await).contains("stream_opened"));
        let cancel = Http::new(server.address, "DELETE", &format!("{base}/api/incidents/{id}"));
        assert_eq!(cancel.send().await.status, 200);
        get(server.address, &format!("{base}/nothing")).await.problem(404);
        Http::new(server.address, "POST", &format!("{base}/")).send().await.problem(405);
    }
    for other in ["/a/incidents", "/a", "/a/", "/a/incident/a/incident/", "/A/incident/"] {
        get(server.address, other).await.problem(404);
    }
    for (path, to) in [("/a/incident", "/a/incident/"), ("/a/incident?from=here", "/a/incident/?from=here")] {
        let reply = get(server.address, path).await;
        assert_eq!((reply.status, reply.header("location")), (308, to));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    Http::new(server.address, "POST", "/a/incident").send().await.problem(405);
}

/// What is guarded stays guarded by the path behind the base path.
#[tokio::test]
async fn the_guard_and_the_tokens_look_at_the_path_behind_it() {
    let server = start(below("/incident")).await;
    for path in
        ["/incident/", "/incident/api/incidents", "/incident/ws", "/incident/metrics", "/incident/nothing"]
    {
        get(server.address, path).await.problem(401);
        let evil =
            Http::new(server.address, "GET", path).bearer(WRITE).header("Sec-Fetch-Site", "cross-site");
        evil.send().await.problem(403);
        Http::new(server.address, "GET", path).host(Some("evil.example")).send().await.problem(421);
    }
    let link = |path| {
        let link = Http::new(server.address, "GET", path).bearer(READ).header("Sec-Fetch-Site", "cross-site");
        link.header("Sec-Fetch-Dest", "document")
    };
    assert_eq!(link("/incident/").send().await.status, 200);
    link("/incident/events").send().await.problem(403);
    link("/incident/ws").send().await.problem(403);
    for path in ["/incident/healthz", "/incident/login", "/incident/app.css", "/incident/login.js"] {
        assert_eq!(get(server.address, path).await.status, 200, "{path}");
    }
    let post = Http::new(server.address, "POST", "/incident/api/incidents");
    post.header("Content-Type", "application/json").bearer(READ).body(BODY).send().await.problem(403);
}

/// The login page comes in the place of whatever was asked for, below a prefix that the server need not know.
#[tokio::test]
async fn the_links_of_the_login_page_lead_to_its_files_from_everywhere() {
    let server = Local::closed().await;
    for path in ["/", "/index.html", "/login", "/nothing", "/api/incidents/x/report.md", "/a//b/"] {
        let page = Http::new(server.address, "GET", path).header("Accept", "text/html").send().await;
        assert!(page.body.contains("<form id=\"login\""), "{path}: {}", page.body);
        for prefix in ["", "/somewhere/else"] {
            for link in links(&page.body, &format!("{prefix}{path}")) {
                let file = link.strip_prefix(prefix).unwrap_or_else(|| panic!("{link} from {prefix}{path}"));
                assert_eq!(get(server.address, file).await.status, 200, "{file} from {path}");
            }
        }
    }
}

pub async fn log_in(server: &Local, path: &str, headers: &[(&str, &str)]) -> crate::harness::Reply {
    let login = Http::new(server.address, "POST", path).header("Content-Type", "application/json");
    let login = login.body(&json!({ "token": WRITE }).to_string());
    headers.iter().fold(login, |login, (name, value)| login.header(name, value)).send().await
}

#[tokio::test]
async fn the_cookie_is_for_the_base_path_alone() {
    let server = start(below("/incident")).await;
    for path in ["/incident/login", "/login"] {
        let login = log_in(&server, path, &[("X-Forwarded-Prefix", "/elsewhere")]).await;
        assert_eq!(login.status, 200, "{}", login.body);
        assert!(login.header("set-cookie").contains("; Path=/incident/; HttpOnly"), "{login:?}");
        let own = format!("http://{}", server.address);
        let cookie = login.cookie();
        let listed = Http::new(server.address, "GET", "/incident/api/incidents").header("Cookie", cookie);
        assert_eq!(listed.send().await.status, 200);
        let logout = Http::new(server.address, "POST", "/incident/logout").header("Cookie", cookie);
        let logout = logout.origin(&own).send().await;
        assert!(logout.header("set-cookie").contains("; Max-Age=0; Path=/incident/;"), "{logout:?}");
    }
}

#[tokio::test]
async fn a_forwarded_prefix_counts_where_it_is_allowed() {
    let server = start(Options { allow_forwarded_prefix: true, ..below("/incident") }).await;
    let login = async |prefix| log_in(&server, "/login", &[("X-Forwarded-Prefix", prefix)]).await;
    assert!(login("/b/c").await.header("set-cookie").contains("; Path=/b/c/;"));
    assert!(login("/").await.header("set-cookie").contains("; Path=/;"));
    assert!(log_in(&server, "/login", &[]).await.header("set-cookie").contains("; Path=/incident/;"));
    let started = Http::trigger(server.address, BODY).bearer(WRITE).header("X-Forwarded-Prefix", "/b");
    let started = started.send().await;
    assert!(started.header("location").starts_with("/b/api/incidents/"), "{started:?}");
    for bad in ["b", "", "//evil.example", "/a/../b", "/a;x", "/a, /b", "/a b", "https://evil.example/"] {
        login(bad).await.problem(400);
    }
    let twice = [("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/a")];
    log_in(&server, "/login", &twice).await.problem(400);
}

/// Behind a proxy that removes the path, `/api/incidents` would be taken for `/incidents`.
#[test]
fn a_base_path_that_begins_as_a_path_of_the_server_is_refused_with_the_reason() {
    for own in
        ["/api", "/ws/", "/events", "/login/x", "/healthz", "/metrics", "/hooks/a", "/panels", "/app.js"]
    {
        let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--base-path", own]).run();
        assert_eq!(ran.status, Some(2), "{own}: {ran:?}");
        assert!(ran.stderr.contains("as paths of the server itself do"), "{own}: {}", ran.stderr);
    }
}

#[test]
fn what_is_no_base_path_is_refused() {
    for bad in
        ["incident", "", "//", "/a//b", "/a/../b", "/./a", "/a b", "/a;b", "/ä", "/a%2fb", "/a?b", "/a//"]
    {
        assert!(bad.parse::<BasePath>().is_err(), "{bad:?}");
        let ran = incident(&["serve", "--base-path", bad]).run();
        assert_eq!(ran.status, Some(2), "{bad:?}: {}", ran.stderr);
    }
    for (text, path) in [("/", ""), ("/a", "/a"), ("/a/", "/a"), ("/a-b/c_d.e~f/", "/a-b/c_d.e~f")] {
        assert_eq!(text.parse::<BasePath>().unwrap().to_string(), path);
    }
}

#[test]
fn a_url_may_be_that_of_the_page_of_the_socket_or_host_and_port() {
    for (text, socket, http) in [
        ("ws://h:1/ws", "ws://h:1/ws", "http://h:1/x"),
        ("ws://h", "ws://h/ws", "http://h/x"),
        ("ws://h/incident/", "ws://h/incident/ws", "http://h/incident/x"),
        ("wss://h/incident/ws", "wss://h/incident/ws", "https://h/incident/x"),
        ("ws://h/incident/ws/", "ws://h/incident/ws", "http://h/incident/x"),
        ("https://h/ws/", "wss://h/ws", "https://h/x"),
        ("h:1/ws/", "ws://h:1/ws", "http://h:1/x"),
        ("ws://h/stream", "ws://h/stream", "http://h/x"),
        ("http://h", "ws://h/ws", "http://h/x"),
        ("http://h:7911/", "ws://h:7911/ws", "http://h:7911/x"),
        ("HTTP://h/incident", "ws://h/incident/ws", "http://h/incident/x"),
        ("https://h/a/incident/", "wss://h/a/incident/ws", "https://h/a/incident/x"),
        ("https://h/incident/ws", "wss://h/incident/ws", "https://h/incident/x"),
        ("https://h/incident/#database-outage-x7k2p", "wss://h/incident/ws", "https://h/incident/x"),
        ("https://h/incident/?incident=a-x7k2p&t=67#x", "wss://h/incident/ws", "https://h/incident/x"),
        ("h:1?a=b", "ws://h:1/ws", "http://h:1/x"),
        ("127.0.0.1:7911", "ws://127.0.0.1:7911/ws", "http://127.0.0.1:7911/x"),
        ("localhost:7911/", "ws://localhost:7911/ws", "http://localhost:7911/x"),
        ("[::1]:7911/incident", "ws://[::1]:7911/incident/ws", "http://[::1]:7911/incident/x"),
    ] {
        let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((endpoint.to_string().as_str(), endpoint.http("/x").as_str()), (socket, http), "{text}");
        assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint, "it is told as it is taken");
    }
    for bad in [
        "",
        "nonsense",
        "7911",
        ":7911",
        "h:",
        "ws:/h",
        "ftp://h",
        "ws://",
        "http:///x",
        "http://h/?incident=a&token=b",
        "ws://h/ws?after=0",
        "ws://h:99999/",
        "h:65536",
        "https://[::1]:-1/",
        "ws://h:0x1/ws",
    ] {
        assert!(matches!(bad.parse::<Endpoint>(), Err(EndpointError::Form(_))), "{bad:?}");
    }
    for bad in ["ws://u@h/ws", "u:p@h:1", "https://u:p@bücher.example/"] {
        assert!(matches!(bad.parse::<Endpoint>(), Err(EndpointError::Credentials(_))), "{bad:?}");
    }
    let error = "https://bücher.example/".parse::<Endpoint>().unwrap_err();
    assert!(error.to_string().contains("xn--"), "{error}");
}

/// Every command that talks to a server, with this `--url`.
pub fn commands_work(url: &str) {
    let run = |args: &[&str]| incident(&[args, &["--url", url]].concat()).run();
    let triggered = run(&["trigger", "database-outage"]);
    assert_eq!(triggered.status, Some(0), "{url}: {}", triggered.stderr);
    let id = triggered.stdout.split(' ').next().unwrap();
    let watched = run(&["watch", "--incident", id, "--no-follow", "--json"]);
    assert!(watched.status == Some(0) && watched.stdout.contains("incident_resolved"), "{url}: {watched:?}");
    let report = run(&["report", id]);
    assert!(report.status == Some(0) && report.stdout.contains(id), "{url}: {report:?}");
    let judged = run(&["validate", "--trigger", "database-outage", "--rule", "order"]);
    assert_eq!(judged.status, Some(0), "{url}: {}{}", judged.stdout, judged.stderr);
    let cancelled = run(&["trigger", "--cancel", id]);
    assert!(cancelled.stderr.contains("is already resolved"), "{url}: {cancelled:?}");
    for nonsense in
        [&["watch", "--incident", "NONSENSE"][..], &["report", "NONSENSE"], &["trigger", "NONSENSE"]]
    {
        let ran = run(nonsense);
        assert!(ran.status == Some(2) && ran.stderr.contains("NONSENSE"), "{nonsense:?} at {url}: {ran:?}");
    }
}

#[test]
fn every_command_finds_the_server_by_each_of_its_urls() {
    let server = Serving::with(&["--speed", "1000", "--base-path", "/incident"]);
    assert!(server.url().ends_with("/incident/ws"), "{}", server.url());
    let address: SocketAddr = server.address();
    for url in [
        format!("http://{address}/incident/"),
        format!("http://{address}/incident"),
        format!("ws://{address}/incident/ws"),
        format!("{address}"),
    ] {
        commands_work(&url);
    }
}

#[tokio::test]
async fn a_redirect_is_told_with_where_it_leads() {
    let url = crate::trigger::answering("301 Moved Permanently\r\nLocation: https://h/incident/");
    for command in [&["watch", "--url", &url][..], &["trigger", "database-outage", "--url", &url]] {
        let ran = incident(command).run();
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("redirects to https://h/incident/"), "{}", ran.stderr);
    }
}

/// A server of another kind, which has the stream but not the interface that says whether it knows an incident.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_nobody_knows_is_not_waited_for() {
    let server = Serving::with(&["--speed", "1000"]);
    server.incident(&["trigger", "database-outage"]).run();
    for after in [&[][..], &["--after", "0"]] {
        let ran = server.incident(&[&["watch", "--incident", "NONSENSE"], after].concat()).run();
        assert!(ran.status == Some(2) && ran.stderr.contains("NONSENSE"), "{after:?}: {ran:?}");
        let other = streams_only(server.address()).await;
        let url = format!("ws://{other}/stream");
        let ran = incident(&[&["watch", "--incident", "NONSENSE", "--url", &url], after].concat()).run();
        assert_eq!(ran.status, Some(2), "{after:?}: {ran:?}");
        assert!(ran.stderr.contains("the server knows no incident \"NONSENSE\""), "{}", ran.stderr);
    }
}

/// A server that has nothing but the stream of another, at `/stream`.
async fn streams_only(server: SocketAddr) -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                // One read holds the whole request: it is small and sent at once.
                let length = client.read(&mut head).await.unwrap_or_default();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                if !head.starts_with("GET /stream") {
                    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = client.write_all(answer.as_bytes()).await;
                    return;
                }
                let mut server = tokio::net::TcpStream::connect(server).await.unwrap();
                server.write_all(head.replacen("/stream", "/ws", 1).as_bytes()).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

/// Browsers leave out the port that goes without saying; proxies and people write it.
#[tokio::test]
async fn a_default_port_is_the_same_with_and_without() {
    let allow = ["https://incidents.example:443", "http://plain.example"].map(|text| text.parse().unwrap());
    let server = start(Options { allow_origins: allow.to_vec(), ..options() }).await;
    let status = async |host: &str, origin: &str| {
        Http::trigger(server.address, BODY).host(Some(host)).origin(origin).send().await.status
    };
    for (host, origin) in [
        ("incidents.example", "https://incidents.example"),
        ("incidents.example:443", "https://incidents.example:443"),
        ("plain.example:80", "http://plain.example:80"),
        ("127.0.0.1:80", "http://127.0.0.1"),
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("[::1]:80", "http://[::1]"),
    ] {
        assert_eq!(status(host, origin).await, 202, "{host} {origin}");
    }
    for (host, origin) in [
        ("incidents.example", "http://incidents.example:443"),
        ("incidents.example", "https://incidents.example:80"),
        ("127.0.0.1:443", "http://127.0.0.1"),
        ("127.0.0.1:8080", "http://127.0.0.1"),
    ] {
        assert_eq!(status(host, origin).await, 403, "{host} {origin}");
    }
    let ran = incident(&["serve", "--allow-origin", "https://bücher.example"]).run();
    assert!(ran.status == Some(2) && ran.stderr.contains("xn--"), "{}", ran.stderr);
}

/// Load balancers check with HTTP/1.0 and without a host.
#[tokio::test]
async fn health_needs_no_host() {
    let server = start(below("/incident")).await;
    for path in ["/healthz", "/readyz", "/incident/readyz"] {
        let mut raw = crate::harness::Raw::connect(server.address).await;
        raw.send(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.0 200 "), "{path}: {answer}");
        assert_eq!(Http::new(server.address, "GET", path).host(None).send().await.status, 200);
    }
    let mut raw = crate::harness::Raw::connect(server.address).await;
    raw.send(b"GET /api/incidents HTTP/1.0\r\n\r\n").await;
    assert!(raw.rest().await.starts_with("HTTP/1.0 400 "));
    Http::new(server.address, "GET", "/readyz").host(Some("evil.example")).send().await.problem(421);
    // A client can't be opened by this way around the host.
    assert!(Client::with_headers(server.address, "", &[("Host", "evil.example")]).await.is_err());
}
