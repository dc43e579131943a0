//! A proxy in front of the stand-in that does to connections what networks and servers do to them.
//!
//! ```no_run
//! # async fn example() {
//! use gateway_tests::fault_proxy::{FaultProxy, Mode, Place};
//! use gateway_tests::gateway::TestGateway;
//! let proxy = FaultProxy::start().await;
//! let gateway = TestGateway::builder()
//!     .registry("civil", |civil| civil.set("endpoints.registry.base_url", proxy.url("http")))
//!     .start()
//!     .await;
//! proxy.forward_to(gateway.stand_in.address());
//! proxy.set(Mode::Cut(Place::Body)).await;
//! # }
//! ```
//!
//! It knows HTTP as far as to tell one request from the next, so that a mode begins with the next
//! request, on a kept connection too.

mod exchange;
mod tls;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use tls::AUTHORITY;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What it does with the next request.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Passes request and answer on.
    #[default]
    Pass,
    /// Passes the answer on after this time.
    Late(Duration),
    /// Passes the answer on, and from this place a byte at a time.
    Trickle(Place, Duration),
    /// Ends the answer at this place, as a server does that stops.
    Cut(Place),
    /// Ends the answer at this place, as a host does that does not know the connection any more.
    Reset(Place),
    /// Leaves the answer at this place, and keeps the connection open.
    Stuck(Place),
    /// Passes the answer on, and closes the connection without having said so.
    CloseAfter,
    /// Passes the answer on, and resets the connection.
    ResetAfter,
    /// Passes the last answer on once more, and keeps that of this request back.
    AnswerBefore,
    /// Accepts connections and reads nothing.
    Deaf,
    /// Accepts no connections; those that are open, it closes with the next request.
    Refused,
    /// Answers the request itself. Without an end among the steps, the connection is kept.
    Instead(Vec<Step>),
    /// Speaks TLS with a certificate that nobody vouches for.
    SelfSigned,
    /// Passes everything on within TLS, with a certificate of [`AUTHORITY`].
    Tls,
}

/// A place in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before its first byte.
    Start,
    /// In the middle of its head.
    Head,
    /// In the middle of its body.
    Body,
}

/// A part of an answer of the proxy's own.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again, for as long as somebody takes them.
    Repeat(Vec<u8>),
    /// Sends these bytes again and again, with a pause after each time.
    Drip(Vec<u8>, Duration),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Keeps the connection open and says nothing more.
    Hold,
}

/// A running proxy; dropping it closes the listener and all connections.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    modes: watch::Sender<Mode>,
    listening: watch::Receiver<bool>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    registry: Mutex<Option<SocketAddr>>,
    last_answer: Mutex<Vec<u8>>,
    connections: AtomicU64,
    requests: AtomicU64,
    bytes_out: AtomicU64,
}

impl FaultProxy {
    /// A proxy that passes everything on, once it knows where to.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start() -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let (modes, seen) = watch::channel(Mode::Pass);
        let (told, listening) = watch::channel(true);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, address, Arc::clone(&shared), seen, told));
        Self {
            address,
            shared,
            modes,
            listening,
            _tasks: tasks,
        }
    }

    /// Its own URL, with this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Where the registry is.
    pub fn forward_to(&self, registry: SocketAddr) {
        *lock(&self.shared.registry) = Some(registry);
    }

    /// From the next request on.
    ///
    /// # Panics
    /// If it is not running any more.
    pub async fn set(&self, mode: Mode) {
        let listens = !matches!(mode, Mode::Refused);
        self.modes.send(mode).expect("it runs");
        let mut listening = self.listening.clone();
        let told = listening.wait_for(|listening| *listening == listens);
        told.await.expect("it runs");
    }

    /// Connections that it accepted.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(SeqCst)
    }

    /// Whole requests that came.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(SeqCst)
    }

    /// Bytes of answers that the system took from it: read by the gateway, or in buffers between.
    pub fn bytes_out(&self) -> u64 {
        self.shared.bytes_out.load(SeqCst)
    }
}

/// Little is between the two, so that what was sent tells what was read.
const SEND_BUFFER: u32 = 64 << 10;

fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_reuseaddr(true)
        .expect("an address that was used");
    socket
        .set_send_buffer_size(SEND_BUFFER)
        .expect("a small buffer");
    socket.bind(address).expect("an address on loopback");
    socket.listen(1024).expect("a listener")
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    mut modes: watch::Receiver<Mode>,
    told: watch::Sender<bool>,
) {
    let mut connections = JoinSet::new();
    let mut open = Some(listener);
    loop {
        let refuses = matches!(*modes.borrow_and_update(), Mode::Refused);
        if refuses == open.is_some() {
            drop(open.take());
            open = (!refuses).then(|| listen(address));
        }
        told.send_replace(!refuses);
        let next = async {
            match &open {
                Some(listener) => listener.accept().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = modes.changed() => if changed.is_err() { return },
            Some((stream, _)) = next => {
                shared.connections.fetch_add(1, SeqCst);
                let _small_answers_at_once = stream.set_nodelay(true);
                connections.spawn(serve(stream, Arc::clone(&shared), modes.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, mut modes: watch::Receiver<Mode>) {
    let mode = modes.borrow_and_update().clone();
    match mode {
        Mode::Deaf => {
            // Open until the test ends: what is not read is never seen to end either.
            std::future::pending::<()>().await;
            drop(stream);
        }
        Mode::SelfSigned => tls::self_signed(stream).await,
        Mode::Tls => {
            let registry = *lock(&shared.registry);
            // What is within is not read, so that a change of mode ends the connection.
            tokio::select! {
                _ = modes.changed() => {}
                () = tls::pass(stream, registry) => {}
            }
        }
        _ => exchange::serve(stream, &shared, &modes).await,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
