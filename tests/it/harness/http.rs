//! One HTTP request a connection, headers as given: nothing is added that a test does not see.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Raw;

/// A request that is being written.
pub struct Http {
    address: SocketAddr,
    line: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    source: Option<IpAddr>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

/// `GET PATH`, sent.
pub async fn get(address: SocketAddr, path: &str) -> Reply {
    Http::new(address, "GET", path).send().await
}

impl Http {
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let line = format!("{method} {path} HTTP/1.1");
        let host = Some(address.to_string());
        Self { address, line, host, headers: Vec::new(), body: Vec::new(), source: None }
    }

    /// `POST /api/incidents` with a JSON body.
    pub fn trigger(address: SocketAddr, body: &str) -> Self {
        Self::new(address, "POST", "/api/incidents").header("Content-Type", "application/json").body(body)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn origin(self, origin: &str) -> Self {
        self.header("Origin", origin)
    }

    /// With a token, as programs show it.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// From this address of this machine.
    pub fn from(mut self, source: IpAddr) -> Self {
        self.source = Some(source);
        self
    }

    /// Another `Host`, or none.
    pub fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        body.as_bytes().clone_into(&mut self.body);
        self
    }

    /// A body that is no text.
    pub fn bytes(mut self, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// The answer, or `None` if the server is gone before it has answered.
    pub async fn try_send(self) -> Option<Reply> {
        let address = self.address;
        let request = self.text();
        let answer = async {
            let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
            stream.write_all(&request).await.ok()?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok()?;
            Some(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = super::soon("an answer, or that there is none", answer).await?;
        let whole = answer.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            length.is_some_and(|length| length.parse() == Ok(body.len()))
        });
        whole.then(|| Reply::read(&answer))
    }

    /// Sends the request, and reads no answer.
    pub async fn unanswered(self) -> Raw {
        let mut raw = self.connect().await;
        raw.send(&self.text()).await;
        raw
    }

    async fn connect(&self) -> Raw {
        match self.source {
            Some(source) => Raw::connect_from(source, self.address).await,
            None => Raw::connect(self.address).await,
        }
    }

    pub async fn send(self) -> Reply {
        Reply::read(&self.unanswered().await.rest().await)
    }

    fn text(self) -> Vec<u8> {
        let host = self.host.map(|host| format!("Host: {host}"));
        let length = (!self.body.is_empty()).then(|| format!("Content-Length: {}", self.body.len()));
        let headers = self.headers.into_iter().map(|(name, value)| format!("{name}: {value}"));
        let lines =
            [self.line, "Connection: close".to_owned()].into_iter().chain(host).chain(headers).chain(length);
        let head = lines.map(|line| line + "\r\n").collect::<String>() + "\r\n";
        [head.as_bytes(), &self.body].concat()
    }
}

impl Reply {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        let reply = Self { status, headers: headers.collect(), body: body.to_owned() };
        match reply.header("transfer-encoding") {
            "chunked" => Self { body: joined(body), ..reply },
            _ => reply,
        }
    }

    /// A header by its lower-case name; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The cookie that was set, as a request sends it back: `NAME=VALUE`.
    pub fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Asserts an RFC 9457 problem of that status and gives its detail.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A chunked body as it was before. What was cut off is left out.
fn joined(mut chunked: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunked.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or_else(|error| panic!("{error}: {length:?}"));
        let Some(chunk) = rest.get(..length).filter(|_| length > 0) else { break };
        body += chunk;
        chunked = rest[length..].trim_start_matches("\r\n");
    }
    body
}
