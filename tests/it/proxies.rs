//! The examples of `docs/proxies.md` in real proxies, as they stand there.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{Http, PATIENCE, Scratch, Serving, WRITE, get, ms, root, soon};
use crate::prefix::{commands_work, links};

/// A proxy that is ended when dropped.
pub struct Proxied {
    process: Child,
    pub address: SocketAddr,
    _folder: Scratch,
}

impl Drop for Proxied {
    fn drop(&mut self) {
        // SIGTERM ends the workers too.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// The example of that language in the guide.
pub fn example(language: &str) -> String {
    let guide = fs::read_to_string(root().join("docs/proxies.md")).unwrap();
    let start = format!("```{language}\n");
    let (_, rest) = guide.split_once(&start).unwrap_or_else(|| panic!("{language} has no example"));
    rest.split("```").next().unwrap().to_owned()
}

/// Runs a proxy before a server. Another process may take the port between choosing and listening: then another port.
fn run(server: SocketAddr, config: &str, command: impl Fn(&Scratch, &str) -> Command) -> Proxied {
    for _ in 0..20 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for address in ["127.0.0.1:8080", "127.0.0.1:7911"] {
            assert!(config.contains(address), "{address} is not in\n{config}");
        }
        let config = config.replace("127.0.0.1:8080", &port.to_string());
        let config = config.replace("127.0.0.1:7911", &server.to_string());
        let folder = Scratch::new().with("proxy.conf", &config);
        let file = folder.path().join("proxy.conf");
        let mut command = command(&folder, file.to_str().unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().expect("./tests/run installs it");
        let mut proxied = Proxied { process, address: port, _folder: folder };
        for _ in 0..PATIENCE.as_millis() / 20 {
            if TcpStream::connect_timeout(&port, Duration::from_secs(1)).is_ok() {
                return proxied;
            }
            if proxied.process.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(ms(20));
        }
    }
    panic!("it does not listen");
}

pub fn nginx(server: SocketAddr, config: &str) -> Proxied {
    let whole = format!(
        "daemon off; pid FOLDER/pid; error_log stderr crit; worker_processes 1;\nevents {{}}\nhttp {{\naccess_log off;\n\
         client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;\n\
         uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\n{config}\n}}\n"
    );
    run(server, &whole, |folder, file| {
        fs::write(file, fs::read_to_string(file).unwrap().replace("FOLDER", folder.text())).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.args(["-e", "stderr", "-p", folder.text(), "-c", file]);
        nginx
    })
}

pub fn haproxy(server: SocketAddr, config: &str) -> Proxied {
    run(server, config, |_, file| {
        let mut haproxy = Command::new("haproxy");
        haproxy.args(["-q", "-db", "-f", file]);
        haproxy
    })
}

pub fn caddy(server: SocketAddr, config: &str) -> Proxied {
    run(server, &format!("{{\n    admin off\n}}\n{config}"), |folder, file| {
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config", file]).stderr(Stdio::null());
        caddy
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path());
        caddy
    })
}

/// Waits until the proxy has found its server well, then tries everything through it.
async fn works(proxy: &Proxied) {
    let root = format!("http://{}/incident/", proxy.address);
    // A proxy may answer by itself what it does not pass on.
    soon("the proxy to reach the server", async {
        while !get(proxy.address, "/incident/readyz").await.body.starts_with("ready") {
            tokio::time::sleep(ms(50)).await;
        }
    })
    .await;
    let redirect = get(proxy.address, "/incident").await;
    assert!(matches!(redirect.status, 301 | 308), "{redirect:?}");
    let location = redirect.header("location");
    assert!(location == root || location == "/incident/", "{location}");
    let asked = get(proxy.address, "/incident?incident=drill-1&x=%20").await;
    let location = asked.header("location");
    assert!(location.ends_with("/incident/?incident=drill-1&x=%20"), "{location}");
    let page = get(proxy.address, "/incident/").await;
    assert_eq!(page.status, 200, "{page:?}");
    for link in links(&page.body, "/incident/") {
        assert_eq!(get(proxy.address, &link).await.status, 200, "{link}");
    }
    let own = format!("http://{}", proxy.address);
    let started = Http::new(proxy.address, "POST", "/incident/api/incidents")
        .header("Content-Type", "application/json")
        .origin(&own)
        .body(r#"{"scenario":"database-outage"}"#);
    let started = started.send().await;
    assert_eq!(started.status, 202, "{}", started.body);
    let location = started.header("location").to_owned();
    assert_eq!(get(proxy.address, &location).await.status, 200, "{location}");
    let url = root.clone();
    tokio::task::spawn_blocking(move || commands_work(&url)).await.unwrap();
    // Event streams come through at once, though they do not end.
    let mut stream = crate::harness::Raw::connect(proxy.address).await;
    let request = format!(
        "GET /incident/events?after=0 HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip\r\n\r\n",
        proxy.address
    );
    stream.send(request.as_bytes()).await;
    let head = stream.head().await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
    let mut got = stream.chunk().await.unwrap();
    while !String::from_utf8_lossy(&got).contains("\ndata: ") {
        got.extend(stream.chunk().await.unwrap());
    }
}

/// A server below `/incident`, with the flags of the guide.
fn serving(flags: &[&str]) -> Serving {
    Serving::with(&[&["--speed", "1000", "--base-path", "/incident"], flags].concat())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: ./tests/run installs it and runs this"]
async fn nginx_leaves_the_path_or_removes_it() {
    let server = serving(&[]);
    let config = example("nginx");
    works(&nginx(server.address(), &config)).await;
    let pass = "proxy_pass http://127.0.0.1:7911;";
    let removed = config.replace(pass, "proxy_pass http://127.0.0.1:7911/;");
    assert_ne!(config, removed);
    works(&nginx(server.address(), &removed)).await;
}

/// The page and every command work below a path that the server was not told, too: but for what has to name it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: ./tests/run installs it and runs this"]
async fn nginx_may_name_the_path_in_a_header() {
    let server = Serving::with(&["--speed", "1000", "--allow-forwarded-prefix"]);
    let config = example("nginx");
    let config = config.replace("proxy_pass http://127.0.0.1:7911;", "proxy_pass http://127.0.0.1:7911/;");
    let config = config.replace("X-Forwarded-Prefix \"\"", "X-Forwarded-Prefix /incident");
    works(&nginx(server.address(), &config)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy: ./tests/run installs it and runs this"]
async fn haproxy_leaves_the_path_or_removes_it() {
    let server = serving(&[]);
    let config = example("haproxy");
    works(&haproxy(server.address(), &config)).await;
    let rule = "    http-request del-header X-Forwarded-Prefix\n";
    let removed = config.replace(rule, &format!("{rule}    http-request replace-path /incident/(.*) /\\1\n"));
    assert_ne!(config, removed);
    works(&haproxy(server.address(), &removed)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Caddy: ./tests/run installs it and runs this"]
async fn caddy_leaves_the_path_or_removes_it() {
    let server = serving(&[]);
    works(&caddy(server.address(), &example("caddy"))).await;
    let removed = format!("http://127.0.0.1:8080 {{\n{}}}\n", example("caddy-removed"));
    works(&caddy(server.address(), &removed)).await;
    // What compresses a stream would keep its events back.
    let config = example("caddy");
    let compressing = config.replacen("redir ", &format!("{}\n    redir ", example("caddy-gzip")), 1);
    assert_ne!(config, compressing);
    works(&caddy(server.address(), &compressing)).await;
}

/// As in the first command of the guide: with a name and tokens.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx: ./tests/run installs it and runs this"]
async fn a_name_and_a_login_below_the_path() {
    let tokens = Scratch::new().with("tokens.txt", &format!("write {WRITE}\n"));
    let file = tokens.path().join("tokens.txt");
    let server =
        serving(&["--allow-origin", "http://incidents.example", "--token-file", file.to_str().unwrap()]);
    let proxy = nginx(server.address(), &example("nginx"));
    let named =
        |method: &str, path: &str| Http::new(proxy.address, method, path).host(Some("incidents.example"));
    let page = named("GET", "/incident/api/incidents/x/report.md").header("Accept", "text/html").send().await;
    assert_eq!(page.status, 401);
    for link in links(&page.body, "/incident/api/incidents/x/report.md") {
        assert_eq!(named("GET", &link).send().await.status, 200, "{link}");
    }
    let login = named("POST", "/incident/login").header("Content-Type", "application/json");
    let login =
        login.origin("http://incidents.example").body(&format!(r#"{{"token":"{WRITE}"}}"#)).send().await;
    assert!(login.header("set-cookie").contains("; Path=/incident/;"), "{login:?}");
    let listed = named("GET", "/incident/api/incidents").header("Cookie", login.cookie()).send().await;
    assert_eq!(listed.status, 200);
}
