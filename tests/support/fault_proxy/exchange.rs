//! One connection: requests are read whole, and answered as the mode says.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Mode, Place, Shared, Step, lock};

/// The first byte of a TLS handshake: what follows is nothing that a request could be told from.
const HANDSHAKE: u8 = 0x16;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Whether the connection goes on.
enum Then {
    Next,
    Close,
    Reset,
    Hold,
}

pub(super) async fn serve(mut stream: TcpStream, shared: &Shared, modes: &watch::Receiver<Mode>) {
    let mut bytes = Vec::new();
    while let Ok(Some(request)) = read_request(&mut stream, &mut bytes).await {
        if request.first() != Some(&HANDSHAKE) {
            shared.requests.fetch_add(1, SeqCst);
        }
        let mode = modes.borrow().clone();
        let mut out = Out {
            stream: &mut stream,
            shared,
        };
        // An error is the gateway having had enough.
        match out.answer(mode, &request).await {
            Ok(Then::Next) => {}
            Ok(Then::Hold) => {
                let _until_it_closes = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            Ok(Then::Reset) => {
                let _is_loopback = stream.set_zero_linger();
                return;
            }
            Ok(Then::Close) | Err(_) => return,
        }
    }
}

struct Out<'a> {
    stream: &'a mut TcpStream,
    shared: &'a Shared,
}

impl Out<'_> {
    async fn answer(&mut self, mode: Mode, request: &[u8]) -> io::Result<Then> {
        let steps = match mode {
            Mode::Instead(steps) => return self.steps(steps).await,
            Mode::Deaf => return Ok(Then::Hold),
            Mode::Refused | Mode::SelfSigned | Mode::Tls => return Ok(Then::Close),
            other => other,
        };
        let before = lock(&self.shared.last_answer).clone();
        let answer = self.fetch(request).await?;
        let until = |place| &answer[..position(&answer, place)];
        match steps {
            Mode::Late(time) => tokio::time::sleep(time).await,
            Mode::Trickle(place, pause) => {
                self.send(until(place)).await?;
                for byte in &answer[position(&answer, place)..] {
                    tokio::time::sleep(pause).await;
                    self.send(&[*byte]).await?;
                }
                return Ok(Then::Next);
            }
            Mode::Cut(place) => {
                self.send(until(place)).await?;
                return Ok(Then::Close);
            }
            Mode::Reset(place) => {
                self.send(until(place)).await?;
                // A reset overtakes what is on its way: so that it was there.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Ok(Then::Reset);
            }
            Mode::Stuck(place) => {
                self.send(until(place)).await?;
                return Ok(Then::Hold);
            }
            Mode::AnswerBefore => {
                self.send(&before).await?;
                return Ok(Then::Next);
            }
            Mode::CloseAfter | Mode::ResetAfter => {
                self.send(&answer).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Ok(match steps {
                    Mode::CloseAfter => Then::Close,
                    _ => Then::Reset,
                });
            }
            _ => {}
        }
        self.send(&answer).await?;
        Ok(Then::Next)
    }

    async fn steps(&mut self, steps: Vec<Step>) -> io::Result<Then> {
        for step in steps {
            match step {
                Step::Send(bytes) => self.send(&bytes).await?,
                Step::Repeat(bytes) => {
                    // In large pieces: the gateway is to be kept busy, not the proxy.
                    let times = (64 << 10) / bytes.len().max(1);
                    let bytes = bytes.repeat(times.max(1));
                    loop {
                        self.send(&bytes).await?;
                    }
                }
                Step::Drip(bytes, pause) => loop {
                    self.send(&bytes).await?;
                    tokio::time::sleep(pause).await;
                },
                Step::Close => return Ok(Then::Close),
                Step::Reset => return Ok(Then::Reset),
                Step::Hold => return Ok(Then::Hold),
            }
        }
        Ok(Then::Next)
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = self.stream.write(rest).await?;
            self.shared.bytes_out.fetch_add(count as u64, SeqCst);
            rest = &rest[count..];
        }
        Ok(())
    }

    /// The registry's whole answer, on a connection of its own.
    async fn fetch(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let registry: Option<SocketAddr> = *lock(&self.shared.registry);
        let registry = registry.ok_or_else(|| io::Error::other("no registry was named"))?;
        let mut stream = TcpStream::connect(registry).await?;
        let end = request
            .windows(2)
            .position(|two| two == b"\r\n")
            .unwrap_or(0)
            + 2;
        // Its end is then the end of the connection, and needs no reading of lengths.
        let parts = [&request[..end], b"connection: close\r\n", &request[end..]];
        stream.write_all(&parts.concat()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let line: &[u8] = b"connection: close\r\n";
        if let Some(at) = answer.windows(line.len()).position(|window| window == line) {
            answer.drain(at..at + line.len());
        }
        lock(&self.shared.last_answer).clone_from(&answer);
        Ok(answer)
    }
}

fn position(answer: &[u8], place: Place) -> usize {
    let head = answer
        .windows(END_OF_HEAD.len())
        .position(|window| window == END_OF_HEAD)
        .map_or(answer.len(), |at| at + END_OF_HEAD.len());
    match place {
        Place::Start => 0,
        Place::Head => head / 2,
        Place::Body => head + (answer.len() - head) / 2,
    }
}

/// One request, or what there is of a handshake. None: the connection ended.
async fn read_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if bytes.first() == Some(&HANDSHAKE) {
            return Ok(Some(std::mem::take(bytes)));
        }
        if let Some(length) = whole(bytes) {
            let rest = bytes.split_off(length);
            return Ok(Some(std::mem::replace(bytes, rest)));
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// The length of the request that the bytes begin with, if it is there to its end.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes
        .windows(END_OF_HEAD.len())
        .position(|window| window == END_OF_HEAD)?
        + END_OF_HEAD.len();
    let text = String::from_utf8_lossy(&bytes[..head]);
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let same = name.eq_ignore_ascii_case("content-length");
        same.then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or(0);
    (bytes.len() >= end).then_some(end)
}
