//! What this registry sends by itself: one `POST`, on a connection of its own.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::{Position, Url};

/// Sends JSON with one more header. Gives the status, and what was answered.
pub(crate) async fn post(
    url: &Url,
    (name, value): (&str, &str),
    body: &str,
) -> io::Result<(u16, Bytes)> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await?;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let request = Request::post(&url[Position::BeforePath..])
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(name, value)
        .body(Body::from(body.to_owned()))
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await;
    let answered = async {
        let response = response.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(Body::new(response.into_body()), 1 << 20).await;
        Ok((status, body.map_err(io::Error::other)?))
    };
    let answered = answered.await;
    connection.abort();
    answered
}
