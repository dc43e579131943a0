//! A proxy that opens tunnels, by HTTP `CONNECT`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a request for a tunnel.
#[derive(Clone, Copy)]
pub(super) enum Tunnels {
    /// To this address, whatever name was asked for: its own DNS.
    To(SocketAddr),
    /// Answers with this head, and closes.
    Refuses(&'static str),
    /// Never answers.
    Silent,
}

pub(super) struct Tunnel {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    pub(super) async fn start(tunnels: Tunnels) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let tunnel = Self {
            address: listener.local_addr().expect("address"),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&tunnel.asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked), tunnels));
            }
        });
        tunnel
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("asked").clone()
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, tunnels: Tunnels) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("a head is text");
    asked.lock().expect("asked").push(head);
    match tunnels {
        Tunnels::To(address) => {
            let mut other = TcpStream::connect(address).await.expect("the peer");
            let opened = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            opened.await.expect("write");
            let _until_closed = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
        }
        Tunnels::Refuses(answer) => {
            let _cut_by_the_client = stream.write_all(answer.as_bytes()).await;
        }
        Tunnels::Silent => std::future::pending().await,
    }
}
