//! Bodies under a cap, counted after decompression: a small answer that unpacks to a large one
//! ends when it passes the cap, not when it is whole.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum BodyError {
    /// Over the cap.
    TooLarge,
    /// The connection or the compression broke.
    Broken(reqwest::Error),
}

/// Reads a whole body of at most `cap` bytes.
pub(super) async fn read(response: &mut reqwest::Response, cap: u64) -> Result<Bytes, BodyError> {
    read_counted(response, cap, &AtomicU64::new(0)).await
}

/// The same, and counts while it reads: what breaks off was read all the same.
pub(super) async fn read_counted(
    response: &mut reqwest::Response,
    cap: u64,
    count: &AtomicU64,
) -> Result<Bytes, BodyError> {
    if response.content_length().is_some_and(|length| length > cap) {
        return Err(BodyError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if (body.len() + chunk.len()) as u64 > cap {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
