//! The load: so many connections that ask again as soon as they are answered, or so many questions
//! a second whatever becomes of the answers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::machine;

/// A question that is asked again and again.
#[derive(Clone)]
pub(crate) struct Question {
    /// Scheme, host and port.
    pub(crate) url: String,
    pub(crate) registry: &'static str,
    pub(crate) key: String,
    /// An identifier's value.
    pub(crate) value: String,
    /// The statuses that are no error.
    pub(crate) expected: &'static [u16],
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Sorted.
    pub(crate) took: Vec<Duration>,
    /// Answers of another status.
    pub(crate) bad: u64,
    pub(crate) wall: Duration,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Question {
    fn request(&self) -> Request<Full<Bytes>> {
        let body = json!({ "identifiers": [{ "scheme": "national-id", "value": self.value }] });
        Request::post(format!("/v1/registries/{}/find", self.registry))
            .header(header::HOST, "gateway")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .header("registry-purpose", "benchmark")
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("a request")
    }

    async fn connect(&self) -> Connection {
        let address = self.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("connects");
        stream.set_nodelay(true).expect("a socket");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Connection { sender }
    }
}

impl Connection {
    /// The status of the answer.
    async fn ask(&mut self, question: &Question) -> u16 {
        self.sender.ready().await.expect("the connection is kept");
        let response = self.sender.send_request(question.request()).await;
        let response = response.expect("an answer");
        let status = response.status().as_u16();
        response
            .into_body()
            .collect()
            .await
            .expect("a whole answer");
        status
    }
}

/// `connections` ask for that long, each again as soon as it is answered. They begin over a time of
/// `spread`: callers of a slow registry do not come all at once, again and again.
pub(crate) async fn closed(
    question: &Question,
    connections: usize,
    time: Duration,
    spread: Duration,
) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let began = Instant::now();
    let until = began + time;
    LocalSet::new()
        .run_until(async {
            let tasks: Vec<_> = (0..connections)
                .map(|index| {
                    let (question, outcome) = (question.clone(), outcome.clone());
                    let begin = began + spread.mul_f64(index as f64 / connections as f64);
                    tokio::task::spawn_local(async move {
                        tokio::time::sleep_until(begin.into()).await;
                        let mut connection = question.connect().await;
                        while Instant::now() < until {
                            let asked = Instant::now();
                            let status = connection.ask(&question).await;
                            outcome.borrow_mut().note(&question, status, asked);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no connection breaks");
            }
        })
        .await;
    Outcome::end(outcome, began)
}

/// So many questions a second. The time of an answer counts from when its question was due.
pub(crate) async fn open(question: &Question, per_second: u32, time: Duration) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let idle: Rc<RefCell<Vec<Connection>>> = Rc::default();
    let under_way = Rc::new(Cell::new(0_u64));
    let began = Instant::now();
    LocalSet::new()
        .run_until(async {
            let mut due = began;
            while due < began + time {
                tokio::time::sleep_until(due.into()).await;
                let (question, outcome) = (question.clone(), outcome.clone());
                let (idle, under_way) = (idle.clone(), under_way.clone());
                under_way.set(under_way.get() + 1);
                tokio::task::spawn_local(async move {
                    let kept = idle.borrow_mut().pop();
                    let mut connection = match kept {
                        Some(connection) => connection,
                        None => question.connect().await,
                    };
                    let status = connection.ask(&question).await;
                    outcome.borrow_mut().note(&question, status, due);
                    idle.borrow_mut().push(connection);
                    under_way.set(under_way.get() - 1);
                });
                due += Duration::from_secs(1) / per_second;
            }
            while under_way.get() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    Outcome::end(outcome, began)
}

impl Outcome {
    fn note(&mut self, question: &Question, status: u16, asked: Instant) {
        if question.expected.contains(&status) {
            self.took.push(asked.elapsed());
        } else {
            self.bad += 1;
        }
    }

    fn end(outcome: Rc<RefCell<Self>>, began: Instant) -> Self {
        let mut outcome = outcome.take();
        outcome.wall = began.elapsed();
        outcome.took.sort();
        outcome
    }

    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.took.len() as f64 / self.wall.as_secs_f64()
    }

    pub(crate) fn p50(&self) -> f64 {
        machine::millis(machine::percentile(&self.took, 50))
    }

    pub(crate) fn p95(&self) -> f64 {
        machine::millis(machine::percentile(&self.took, 95))
    }

    pub(crate) fn p99(&self) -> f64 {
        machine::millis(machine::percentile(&self.took, 99))
    }
}
