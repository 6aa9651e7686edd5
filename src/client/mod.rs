//! The client's side: a socket, a follower that reconnects and resumes, and the few HTTP requests.

mod backoff;
mod distrust;
mod endpoint;
mod endpoints;
mod error;
mod event_stream;
mod follow;
mod http;
mod interim;
mod item;
mod old_version;
mod secrets;
mod socket;
mod subscription;
mod tls;
mod trust;

pub use backoff::Backoff;
pub use distrust::Distrust;
pub use endpoint::{Endpoint, EndpointError};
pub use endpoints::{Endpoints, EndpointsError};
pub use error::{Advice, ClientError};
pub use event_stream::{EventParser, EventStream, EventStreamItem, Parsed, TooLarge};
pub use follow::Follower;
pub use http::{
    request, request_markdown, request_publish, request_publish_within, request_text, request_to_post,
};
pub use item::Item;
pub use secrets::{subprotocol_without_secrets, urls_without_secrets, without_secrets};
pub use socket::{Ended, Socket, SocketEvent};
pub use subscription::Subscription;
pub use trust::{Trust, TrustError};
