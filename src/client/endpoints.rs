//! The servers of one stream, each of which has everything: which one is asked, and in which order the others are.
//!
//! A client begins with the server that answered last. If that server does not answer or refuses to serve anyone, the client
//! goes on to the next one in the list, and after the last one to the first.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::Method;
use serde_json::Value;
use tokio::time::timeout;

use super::endpoint::{Endpoint, EndpointError};
use super::error::ClientError;
use super::http::{DEADLINE, REPORT_DEADLINE, request, request_markdown, request_publish, request_text};

/// How long one of several servers may take to answer, before the next one is asked. Longer than a server with a shared
/// journal takes to say that it can't store an event.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most servers in a list.
const MOST: usize = 32;

/// The addresses of servers with the same stream. Clones share which of them is in use.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// At least one, each once.
    all: Arc<[Endpoint]>,
    /// The place of the one in use.
    current: Arc<AtomicUsize>,
}

/// A text that is not a list of servers' URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// One of them is not a URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There are too many.
    #[error("{0} servers are too many: name at most {MOST}, separated by commas")]
    TooMany(usize),
}

impl FromStr for Endpoints {
    type Err = EndpointsError;

    /// URLs, separated by commas. Spaces around them are ignored, and so is a URL that occurs again.
    fn from_str(text: &str) -> Result<Self, EndpointsError> {
        Self::read(text, str::parse)
    }
}

impl Endpoints {
    /// Reads a list of URLs, each with `read`.
    ///
    /// # Errors
    /// One of them is no URL, or there are too many.
    pub fn read(
        text: &str,
        read: impl Fn(&str) -> Result<Endpoint, EndpointError>,
    ) -> Result<Self, EndpointsError> {
        let mut all: Vec<Endpoint> = Vec::new();
        for url in text.split(',') {
            let endpoint = read(url.trim())?;
            if !all.contains(&endpoint) {
                all.push(endpoint);
            }
        }
        if all.len() > MOST {
            return Err(EndpointsError::TooMany(all.len()));
        }
        Ok(Self { all: all.into(), current: Arc::default() })
    }

    /// All of them, in the order of the list.
    pub fn all(&self) -> &[Endpoint] {
        &self.all
    }

    /// Whether one of them speaks TLS.
    pub fn are_encrypted(&self) -> bool {
        self.all().iter().any(Endpoint::is_encrypted)
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// The same servers, each changed in the same way. The first one is in use.
    #[must_use]
    pub fn map(&self, change: impl FnMut(Endpoint) -> Endpoint) -> Self {
        Self { all: self.all.iter().cloned().map(change).collect(), current: Arc::default() }
    }

    fn place(&self) -> usize {
        self.current.load(Ordering::Relaxed) % self.all.len()
    }

    /// The one in use: the one that answered last, or is to be tried next.
    pub fn current(&self) -> &Endpoint {
        &self.all[self.place()]
    }

    /// The others in the order in which they are tried, after the one in use.
    pub fn from_current(&self) -> impl Iterator<Item = &Endpoint> {
        let (before, after) = self.all.split_at(self.place());
        after.iter().chain(before)
    }

    /// Goes on to the next one.
    pub(super) fn advance(&self) {
        self.current.store((self.place() + 1) % self.all.len(), Ordering::Relaxed);
    }

    /// What one of them answers: the one in use, else the first after it that does not fail by itself. It is in use then.
    /// `attempt` may be made on several servers, so it has to be something that may be done twice.
    ///
    /// # Errors
    /// A server refuses what the others would refuse too; or none of them can be used.
    pub async fn any<T>(
        &self,
        attempt: impl AsyncFn(&Endpoint) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.any_within(PATIENCE, attempt).await
    }

    /// The same; each of several may take so long.
    ///
    /// # Errors
    /// As [`Endpoints::any`].
    pub async fn any_within<T>(
        &self,
        patience: Duration,
        attempt: impl AsyncFn(&Endpoint) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        if !self.are_several() {
            return attempt(self.current()).await;
        }
        let mut failures = Vec::new();
        for _ in 0..self.all.len() {
            let endpoint = self.current();
            // It may have taken the request.
            let late = || ClientError::Late { url: endpoint.to_string(), within: patience };
            match timeout(patience, attempt(endpoint)).await.unwrap_or_else(|_| Err(late())) {
                Err(error) if error.is_of_one_server() => failures.push(error),
                answer => return answer,
            }
            self.advance();
        }
        Err(ClientError::NoServer(failures))
    }

    /// The same for an answer that may take long, because much of the journal is read for it: a server that is ready is waited for as long
    /// as a single one. If none is ready, one may answer all the same.
    async fn any_patiently<T>(
        &self,
        attempt: impl AsyncFn(&Endpoint) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        match self.be_ready().await {
            // The request itself ends before.
            Ok(()) => self.any_within(REPORT_DEADLINE * 2, attempt).await,
            Err(_) => self.any_within(DEADLINE, attempt).await,
        }
    }

    /// Sends a request that may be sent twice: see [`request`]. Of several servers, one that is ready is asked first.
    ///
    /// # Errors
    /// As [`Endpoints::any`].
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        self.any_patiently(async |endpoint| request(endpoint, method.clone(), path, body).await).await
    }

    /// Publishes a batch: see [`request_publish`].
    ///
    /// # Errors
    /// As [`Endpoints::any`].
    pub async fn request_publish(&self, batch: &str) -> Result<Value, ClientError> {
        self.any(async |endpoint| request_publish(endpoint, batch).await).await
    }

    /// Requests a Markdown document: see [`request_markdown`].
    ///
    /// # Errors
    /// As [`Endpoints::any`].
    pub async fn request_markdown(&self, path: &str) -> Result<String, ClientError> {
        self.any_patiently(async |endpoint| request_markdown(endpoint, path).await).await
    }

    /// Goes on to the first of several servers that is ready, before a request that must not be sent twice. A single server is
    /// not asked: the request itself will say what is wrong.
    ///
    /// # Errors
    /// None of them is.
    pub async fn be_ready(&self) -> Result<(), ClientError> {
        if !self.are_several() {
            return Ok(());
        }
        let ready = async |endpoint: &Endpoint| match request_text(endpoint, "/readyz").await {
            // A server of another kind may have no such path: it answers, which is all that can be known.
            Ok(_) | Err(ClientError::Status { status: 400..500, .. }) => Ok(()),
            Err(error) => Err(error),
        };
        self.any(ready).await
    }

    /// `A`, `A or B`, `A, B or C`: for messages.
    pub fn any_of(&self) -> String {
        let names: Vec<String> = self.all.iter().map(Endpoint::to_string).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl From<Endpoint> for Endpoints {
    fn from(endpoint: Endpoint) -> Self {
        Self { all: [endpoint].into(), current: Arc::default() }
    }
}

/// Two lists are equal if they have the same servers in the same order.
impl PartialEq for Endpoints {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Eq for Endpoints {}

/// The list as it is read.
impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, endpoint) in self.all.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{endpoint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_written() {
        let list: Endpoints = "a:1, ws://b:2/ws,https://c/x/,a:1".parse().expect("a list");
        assert_eq!(list.to_string(), "ws://a:1/ws,ws://b:2/ws,wss://c/x/ws");
        assert_eq!(list.to_string().parse(), Ok(list.clone()));
        assert_eq!(list.any_of(), "ws://a:1/ws, ws://b:2/ws or wss://c/x/ws");
        assert_eq!("a:1".parse::<Endpoints>().expect("a list").any_of(), "ws://a:1/ws");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "a:1,", ",a:1", "a:1,,b:2", "a:1,b"] {
            assert!(matches!(text.parse::<Endpoints>(), Err(EndpointsError::Endpoint(_))), "{text}");
        }
        let many: Vec<String> = (1..=33).map(|port| format!("a:{port}")).collect();
        assert_eq!(many.join(",").parse::<Endpoints>(), Err(EndpointsError::TooMany(33)));
    }

    #[test]
    fn the_next_after_the_last_is_the_first() {
        let list: Endpoints = "a:1,b:2,c:3".parse().expect("a list");
        let shared = list.clone();
        let order = |list: &Endpoints| {
            list.from_current().map(|endpoint| endpoint.authority().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(order(&list), ["a:1", "b:2", "c:3"]);
        shared.advance();
        assert_eq!(order(&list), ["b:2", "c:3", "a:1"]);
        shared.advance();
        shared.advance();
        assert_eq!(list.current().authority(), "a:1");
    }
}
