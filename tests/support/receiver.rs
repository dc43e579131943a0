//! Somebody who receives webhooks, as well or badly as a test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How a message is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// By that status, with these header lines, after a while.
    Status(u16, &'static str, Duration),
    /// By that status, and a body without end.
    Endless(u16),
    /// Not at all: the connection ends.
    Reset,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Message {
    /// When.
    pub at: Instant,
    /// The path it was sent to.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it was signed.
    pub body: Vec<u8>,
    /// Whether it was answered by 2xx.
    pub taken: bool,
}

/// Listens on this machine until it is dropped.
pub struct Receiver {
    /// Where.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    plan: VecDeque<Reply>,
    always: Option<Reply>,
    messages: Vec<Message>,
}

impl Reply {
    /// At once.
    pub const fn status(status: u16) -> Self {
        Self::Status(status, "", Duration::ZERO)
    }
}

impl Receiver {
    /// One that takes all.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// The next messages are answered so, and all behind them by 204.
    pub fn plan(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.seen).plan.extend(replies);
    }

    /// All that are not planned are answered so, from now on.
    pub fn always(&self, reply: Reply) {
        lock(&self.seen).always = Some(reply);
    }

    /// All that came.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.seen).messages.clone()
    }

    /// The registry's ids of the events that were taken, in the order in which they came.
    pub fn taken(&self) -> Vec<String> {
        let taken = self.messages().into_iter().filter(|it| it.taken);
        taken.map(|it| it.event()).collect()
    }
}

impl Message {
    /// A header's value.
    ///
    /// # Panics
    /// If there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a text")
    }

    /// The body.
    ///
    /// # Panics
    /// If it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The registry's id of the event; empty where it tells of none.
    pub fn event(&self) -> String {
        let id = &self.json()["data"]["event"]["id"];
        id.as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("nobody panicked")
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    while let Some(mut message) = read(&mut stream).await {
        let reply = {
            let mut seen = lock(&seen);
            let planned = seen.plan.pop_front().or_else(|| seen.always.clone());
            planned.unwrap_or(Reply::status(204))
        };
        if let Reply::Status(status, ..) | Reply::Endless(status) = reply {
            message.taken = (200..300).contains(&status);
        }
        lock(&seen).messages.push(message);
        match reply {
            Reply::Reset => return,
            Reply::Status(status, headers, after) => {
                tokio::time::sleep(after).await;
                let text = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n{headers}\r\n");
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Endless(status) => {
                let text = format!("HTTP/1.1 {status} Told\r\n\r\n");
                let mut sent = stream.write_all(text.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(&[b'x'; 8192]).await;
                }
                return;
            }
        }
    }
}

/// None: there is no more.
async fn read(stream: &mut TcpStream) -> Option<Message> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let length = headers.get("content-length")?.to_str().ok()?.parse();
    let end = head + 4 + length.unwrap_or(0);
    while bytes.len() < end {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    Some(Message {
        at: Instant::now(),
        path,
        headers,
        body: bytes[head + 4..end].to_vec(),
        taken: false,
    })
}
