//! Connections: so many at once, each with a limit on the time that a request's head may take, so
//! that nobody holds the gateway by sending slowly, and on the time for which an answer is not taken, so
//! that nobody holds what an answer without end needs. HTTP/1.1, as a reverse proxy speaks it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use crate::api::Peer;
use crate::config::api::ApiConfig;

/// Without a free file descriptor, accepting again at once would spin.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Serves until told to stop, and then what is there already, until the time that comes with it.
/// Whoever drops it cuts all off.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    config: ApiConfig,
    stopped: impl Future<Output = Instant>,
) {
    let most = usize::try_from(config.max_connections.get()).unwrap_or(Semaphore::MAX_PERMITS);
    let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    // While no request comes, the same time ends an idle connection.
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.read_timeout_ms));
    let write_timeout = Duration::from_millis(config.write_timeout_ms);
    let (tell, told) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped);
    let by = loop {
        tokio::select! {
            by = &mut stopped => break by,
            Some(_) = connections.join_next() => {}
            (stream, peer, permit) = next(&listener, &room) => {
                let peer = Peer(peer.ip());
                let service = router.clone().map_request(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(peer);
                    request
                });
                let service = TowerToHyperService::new(service);
                let mut stream = TimeoutStream::new(stream);
                stream.set_write_timeout(Some(write_timeout));
                let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
                let mut told = told.clone();
                connections.spawn(async move {
                    let mut connection = pin!(connection);
                    tokio::select! {
                        // Why it ended is the peer's affair, and may quote what it sent.
                        _ = connection.as_mut() => {}
                        _ = told.changed() => {
                            connection.as_mut().graceful_shutdown();
                            let _ = connection.await;
                        }
                    }
                    drop(permit);
                });
            }
        }
    };
    drop(listener);
    drop(tell);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout_at(by, all).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections were cut off: they did not end within api.drain_timeout_ms"
        );
        connections.shutdown().await;
    }
}

/// A connection once there is room for it: until then it waits in the kernel's queue.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(permit) = Arc::clone(room).acquire_owned().await else {
            // Nobody closes it.
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            // The peer's doing: the next one is not concerned.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted
                        | ErrorKind::ConnectionRefused
                        | ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted now");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use std::convert::Infallible;

    use axum::body::Body;
    use axum::routing::get;
    use bytes::Bytes;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);
    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(20);

    async fn start(most: u32) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = ApiConfig {
            read_timeout_ms: u64::try_from(LIMIT.as_millis()).unwrap(),
            write_timeout_ms: u64::try_from(LIMIT.as_millis()).unwrap(),
            max_connections: NonZeroU32::new(most).unwrap(),
            ..ApiConfig::default()
        };
        let slow = async || {
            sleep(LIMIT).await;
            "slow"
        };
        let router = Router::new()
            .route("/", get(async || "ok"))
            .route("/slow", get(slow))
            .route("/endless", get(async || endless()));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router, config, async {
            let _ = stopped.await;
            Instant::now() + LONG
        }));
        (address, stop, task)
    }

    fn endless() -> Body {
        let chunk = Bytes::from(vec![b'x'; 64 << 10]);
        Body::from_stream(stream::repeat_with(move || {
            Ok::<_, Infallible>(chunk.clone())
        }))
    }

    async fn all(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        timeout(LONG, read).await.expect("an end").expect("bytes");
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn a_slow_head_and_silence_are_ended() {
        let (address, _stop, _task) = start(2).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        assert!(!all(&mut slow).await.contains("200 OK"));
        assert!(!all(&mut silent).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn one_too_many_waits_for_room() {
        let (address, _stop, _task) = start(1).await;
        let _silent = TcpStream::connect(address).await.unwrap();
        let began = std::time::Instant::now();
        let mut second = TcpStream::connect(address).await.unwrap();
        let ask = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        second.write_all(ask).await.unwrap();
        assert!(all(&mut second).await.ends_with("ok"));
        assert!(began.elapsed() >= LIMIT / 2, "after the silent one's end");
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_is_cut_off() {
        // There is room for one: the second is answered when the first has lost its place.
        let (address, _stop, _task) = start(1).await;
        let mut stalled = TcpStream::connect(address).await.unwrap();
        let ask = b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
        stalled.write_all(ask).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        let ask = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        second.write_all(ask).await.unwrap();
        assert!(all(&mut second).await.ends_with("ok"));
    }

    #[tokio::test]
    async fn who_reads_slowly_is_not_cut_off() {
        let (address, _stop, _task) = start(1).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        let ask = b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
        slow.write_all(ask).await.unwrap();
        let mut some = vec![0; 8 << 20];
        for _ in 0..6 {
            sleep(LIMIT / 3).await;
            timeout(LONG, slow.read_exact(&mut some))
                .await
                .unwrap()
                .unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_there_is_answered_before_the_end() {
        let (address, stop, task) = start(8).await;
        let _idle = TcpStream::connect(address).await.unwrap();
        let mut asking = TcpStream::connect(address).await.unwrap();
        let ask = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
        asking.write_all(ask).await.unwrap();
        sleep(LIMIT / 4).await;
        stop.send(()).unwrap();
        assert!(all(&mut asking).await.ends_with("slow"));
        timeout(LONG, task).await.expect("it ends").unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
