//! The machine as somebody would like to reach it who was granted one registry: that registry, and
//! listeners beside it that nobody may reach.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::judge;

/// Another address of this machine, on which both ports have a listener.
pub(super) const BESIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What the registry answers at a path instead of 200.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) location: String,
}

/// Ends with the test's runtime.
pub(super) struct Arena {
    /// The granted registry's port, on `127.0.0.1`.
    pub(super) port: u16,
    /// Nobody is granted this one: it is open on `127.0.0.1`, [`BESIDE`] and, where the machine has
    /// it, `::1`.
    pub(super) outside: u16,
    /// Whether the machine has `::1`.
    pub(super) has_v6: bool,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// As the registry's base URLs have it.
    hosts: Vec<String>,
    routes: Mutex<Vec<Route>>,
    closes: AtomicBool,
    connections: AtomicUsize,
    connections_outside: AtomicUsize,
    requests: AtomicUsize,
    verdicts: Mutex<Vec<String>>,
}

impl Arena {
    pub(super) async fn start() -> Self {
        let granted = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = granted.local_addr().unwrap().port();
        // Also on the registry's own port, for who has the port and not the address.
        let beside = TcpListener::bind((BESIDE, port)).await.unwrap();
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let outside = other.local_addr().unwrap().port();
        let mut listeners = vec![beside, other];
        listeners.push(TcpListener::bind((BESIDE, outside)).await.unwrap());
        let v6 = TcpListener::bind(("::1", outside)).await.ok();
        let has_v6 = v6.is_some();
        listeners.extend(v6);
        let state = Arc::new(State {
            hosts: ["127.0.0.1", "registry.example"]
                .map(|host| format!("{host}:{port}"))
                .into(),
            ..State::default()
        });
        for listener in listeners {
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    state.connections_outside.fetch_add(1, SeqCst);
                    tokio::spawn(refuse_nothing(stream));
                }
            });
        }
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = granted.accept().await {
                shared.connections.fetch_add(1, SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            port,
            outside,
            has_v6,
            state,
        }
    }

    /// What the registry redirects from now on, and whether it closes after each answer.
    pub(super) fn route(&self, routes: &[Route], closes: bool) {
        *self.state.routes.lock().unwrap() = routes.to_vec();
        self.state.closes.store(closes, SeqCst);
    }

    /// Connections to where nobody may go.
    pub(super) fn connections_outside(&self) -> usize {
        self.state.connections_outside.load(SeqCst)
    }

    /// Connections to the registry, and requests on them.
    pub(super) fn inside(&self) -> (usize, usize) {
        let state = &self.state;
        (state.connections.load(SeqCst), state.requests.load(SeqCst))
    }

    /// Of the requests to the registry those that are not what the grant allows, and why.
    pub(super) fn verdicts(&self) -> Vec<String> {
        self.state.verdicts.lock().unwrap().clone()
    }

    /// Sends bytes to the registry as a gateway without rules would, and waits for the answer.
    pub(super) async fn send_raw(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let _answer_or_reset = stream.read_to_end(&mut Vec::new()).await;
    }

    /// Connects to a listener outside as a gateway without rules would.
    pub(super) async fn connect(&self, address: IpAddr, port: u16) {
        let mut stream = TcpStream::connect(SocketAddr::new(address, port))
            .await
            .unwrap_or_else(|error| panic!("{address} does not lead here: {error}"));
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let _answer = stream.read(&mut [0; 16]).await;
    }
}

async fn refuse_nothing(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    while let Ok(1..) = stream.read(&mut bytes).await {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\noutside";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                // What is no request by the rules is still bytes that somebody could read.
                if !bytes.is_empty() {
                    let why = "bytes that are no request".to_owned();
                    state.verdicts.lock().unwrap().push(why);
                }
                return;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes.drain(..end);
        state.requests.fetch_add(1, SeqCst);
        if let Some(why) = judge::out(&head, &state.hosts) {
            let line = head.lines().next().unwrap_or_default();
            let verdict = format!("{why}: {line:?}");
            state.verdicts.lock().unwrap().push(verdict);
        }
        let closes = state.closes.load(SeqCst);
        let answer = answer(&head, &state.routes.lock().unwrap(), closes);
        if stream.write_all(answer.as_bytes()).await.is_err() || closes {
            return;
        }
    }
}

fn answer(head: &str, routes: &[Route], closes: bool) -> String {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let route = routes.iter().find(|route| route.path == target);
    let connection = if closes { "connection: close\r\n" } else { "" };
    match route {
        Some(Route {
            status, location, ..
        }) => format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\n{connection}content-length: 0\r\n\r\n"
        ),
        None => format!("HTTP/1.1 200 OK\r\n{connection}content-length: 6\r\n\r\ninside"),
    }
}
