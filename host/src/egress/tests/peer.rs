//! A registry that answers what a test tells it to, byte by byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What to do with a request that was read to its end.
pub(super) enum Reply {
    /// Write, and keep the connection.
    Answer(Vec<u8>),
    /// Write, and close.
    AnswerAndClose(Vec<u8>),
    /// Write after a while.
    Late(Duration, Vec<u8>),
    /// Write one byte at a time, for ever.
    Trickle(Vec<u8>),
    /// Keep silent.
    Silence,
}

pub(super) struct Peer {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    pub(super) async fn answering(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::start(move |_| Reply::Answer(answer.clone().into())).await
    }

    pub(super) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let peer = Self {
            address: listener.local_addr().expect("address"),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, connections) = (Arc::clone(&peer.seen), Arc::clone(&peer.connections));
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move { serve(stream, &seen, &*reply).await });
            }
        });
        peer
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests, head and body.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("seen").clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Answers on one connection until it ends.
pub(super) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
    reply: &dyn Respond,
) {
    while let Some(request) = read(&mut stream).await {
        seen.lock().expect("seen").push(request.clone());
        match reply.respond(&request) {
            Reply::Answer(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::AnswerAndClose(bytes) => {
                let _cut_by_the_client = stream.write_all(&bytes).await;
                return;
            }
            Reply::Late(time, bytes) => {
                tokio::time::sleep(time).await;
                let _cut_by_the_client = stream.write_all(&bytes).await;
            }
            Reply::Trickle(head) => {
                let mut next: &[u8] = &head;
                while stream.write_all(next).await.is_ok() {
                    next = b"x";
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

pub(super) trait Respond: Send + Sync {
    fn respond(&self, request: &str) -> Reply;
}

impl<F: Fn(&str) -> Reply + Send + Sync> Respond for F {
    fn respond(&self, request: &str) -> Reply {
        self(request)
    }
}

pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("length"));
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
