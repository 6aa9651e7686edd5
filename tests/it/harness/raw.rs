//! Bytes on a socket, for what no WebSocket library would send or leave unread.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::soon;

/// A TCP connection, or TLS over one.
pub struct Raw {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: Either::Left(TcpStream::connect(address).await.unwrap()) }
    }

    /// From another address of this machine.
    pub async fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source, 0)).unwrap();
        Self { stream: Either::Left(socket.connect(address).await.unwrap()) }
    }

    /// With room for little in the kernel, so that a reader that does not read is noticed soon.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        Self { stream: Either::Left(socket.connect(address).await.unwrap()) }
    }

    /// Shakes hands for TLS with whoever shows a certificate for this address.
    pub async fn encrypt(self, config: &std::sync::Arc<rustls::ClientConfig>) -> Self {
        let address = self.tcp().peer_addr().unwrap().ip();
        let Either::Left(tcp) = self.stream else { panic!("it is encrypted") };
        let handshake = TlsConnector::from(std::sync::Arc::clone(config)).connect(address.into(), tcp);
        Self { stream: Either::Right(Box::new(soon("the TLS handshake", handshake).await.unwrap())) }
    }

    /// Below TLS, if there is any.
    pub fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Either::Left(tcp) => tcp,
            Either::Right(tls) => tls.get_ref().0,
        }
    }

    /// The same below TLS, to send what TLS would not.
    pub fn unwrapped(&mut self) -> (&mut TcpStream, &mut rustls::ClientConnection) {
        match &mut self.stream {
            Either::Left(_) => panic!("it is not encrypted"),
            Either::Right(tls) => tls.get_mut(),
        }
    }

    /// Asks for `/ws` by hand, and gives the head of the answer.
    pub async fn ask(&mut self, query: &str) -> String {
        let request = format!(
            "GET /ws{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.send(request.as_bytes()).await;
        self.head().await
    }

    /// Shakes hands on `/ws` by hand.
    pub async fn upgrade(mut self, query: &str) -> Self {
        let head = self.ask(query).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The key of RFC 6455, 1.3, and its answer.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        self
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Ends what is sent; the answer can still be read.
    pub async fn shutdown(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Sends though the server may have closed meanwhile. Whether it had not.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        matches!(tokio::time::timeout(super::PATIENCE, self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The code of the close frame, if one comes before the end.
    pub async fn maybe_closed(&mut self) -> Option<u16> {
        while let Some((opcode, payload)) = self.frame().await {
            if opcode == 0x8 {
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
        None
    }

    /// The next frame: opcode and payload. `None` at the end of the connection, on a frame's border.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        let first = soon("a frame", self.stream.read(&mut head[..1])).await;
        if !matches!(first, Ok(1)) {
            return None;
        }
        self.exactly(&mut head[1..]).await;
        assert_eq!(head[0] & 0xf0, 0x80, "one whole frame, no extension");
        assert_eq!(head[1] & 0x80, 0, "a server does not mask");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.exactly(&mut length).await;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.exactly(&mut length).await;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; length as usize];
        self.exactly(&mut payload).await;
        Some((head[0] & 0x0f, payload))
    }

    /// The next text, pings left out.
    pub async fn text(&mut self) -> String {
        loop {
            match self.frame().await {
                Some((0x1, payload)) => return String::from_utf8(payload).unwrap(),
                Some((0x9, _)) => {}
                other => panic!("instead of a text: {other:?}"),
            }
        }
    }

    /// Reads until the close frame: the texts before it, its code and reason.
    pub async fn closed(&mut self) -> (Vec<String>, u16, String) {
        let mut texts = Vec::new();
        while let Some((opcode, payload)) = self.frame().await {
            match opcode {
                0x1 => texts.push(String::from_utf8(payload).unwrap()),
                0x8 => {
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    return (texts, code, String::from_utf8(payload[2..].to_vec()).unwrap());
                }
                _ => {}
            }
        }
        panic!("the connection ended without a close frame after {} texts", texts.len());
    }

    /// The head of an HTTP answer.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match soon("an answer", self.stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(head).unwrap()
    }

    /// The next piece of a chunked body: nothing in it at its proper end, `None` when the connection ends before.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut length = Vec::new();
        while !length.ends_with(b"\r\n") {
            length.push(soon("a chunk", self.stream.read_u8()).await.ok()?);
        }
        let length = usize::from_str_radix(std::str::from_utf8(&length).unwrap().trim_end(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        soon("the rest of a chunk", self.stream.read_exact(&mut chunk)).await.ok()?;
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(length);
        Some(chunk)
    }

    /// Breaks the connection instead of closing it.
    pub fn reset(self) {
        socket2::SockRef::from(self.tcp()).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Everything until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset ends it too: what came before counts.
        let _ = soon("the end", self.stream.read_to_end(&mut bytes)).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn exactly(&mut self, bytes: &mut [u8]) {
        soon("the rest of a frame", self.stream.read_exact(bytes)).await.unwrap();
    }
}

/// A frame as clients send them. `head` is its first byte: FIN, RSV and opcode.
pub fn masked(head: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = length(head, payload.len(), 0x80);
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame as clients must not send them.
pub fn unmasked(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = length(head, payload.len(), 0);
    frame.extend(payload);
    frame
}

fn length(head: u8, length: usize, mask: u8) -> Vec<u8> {
    match u16::try_from(length) {
        Ok(short) if short < 126 => vec![head, mask + short as u8],
        Ok(medium) => [&[head, mask + 126], &medium.to_be_bytes()[..]].concat(),
        Err(_) => [&[head, mask + 127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}
