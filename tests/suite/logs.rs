//! What of a guest's words reaches the log.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use registry_gateway::model::{Asker, Consent, Opaque, Proof, ProofKind};
use registry_gateway::sandbox::PendingAnswer;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, done};
use crate::peer::Peer;

/// A name that is no word of the gateway's.
const NAME: &str = "Zwimbatosk";
/// One whose marks `Debug` would escape.
const NEPALI: &str = "सीता";

/// Keeps what this thread logs while the guard lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The lines of the adapter.
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().filter(|line| line.contains(" adapter: "));
        lines.map(str::to_owned).collect()
    }

    /// Asserts that the text is there and no name is.
    fn has_masked(&self, text: &str) {
        let lines = self.lines().join("\n");
        assert!(lines.contains(text), "{lines}");
        for name in [NAME, &NAME.to_uppercase(), NEPALI, "Müller"] {
            assert!(!lines.contains(name), "{name} in {lines}");
        }
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn names_that_were_asked_for_are_masked() {
    let bench = Bench::new().await;
    for (behaviour, text) in [
        ("log_name", "cannot map *** *** ***"),
        ("print_name", "printed *** *** ***"),
        ("panic_with_name", "cannot map *** *** ***"),
    ] {
        let (log, _guard) = Log::listen();
        let ran = bench.find(behaviour, &[NAME, NEPALI, "Müller"]).await;
        drop(ran);
        log.has_masked(text);
        let fields = "registry=\"test\"";
        assert!(log.lines().iter().all(|line| line.contains(fields)));
        assert!(log.lines().iter().all(|line| line.contains("request-1")));
    }
}

#[tokio::test]
async fn what_a_callback_brought_is_masked() {
    let bench = Bench::new().await;
    let (log, _guard) = Log::listen();
    let state = Opaque {
        schema: 1,
        data: Vec::new(),
    };
    let answer = PendingAnswer {
        reference: "r-1".into(),
        data: format!("<family>{NAME}</family>").into(),
    };
    let ran = bench
        .module
        .resume_find(bench.work(), &state, Some(answer))
        .await;
    assert!(ran.result.is_ok());
    log.has_masked("resumed with: <***>***</***>");
}

#[tokio::test]
async fn what_the_registry_answered_is_masked() {
    let answer = format!(r#"{{"surname":"{NAME}","given":"{NEPALI}"}}"#);
    let peer = Peer::start(&answer, Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let (log, _guard) = Log::listen();
    done(bench.find("log_answer", &[]).await);
    log.has_masked(r#"answered: {"surname":"***","given":"***"}"#);
}

#[tokio::test]
async fn what_the_caller_handed_over_is_masked() {
    let bench = Bench::new().await.called(|call| {
        call.asker = Asker {
            user: Some(NAME.into()),
            ..Asker::default()
        };
        call.consent = Some(Consent {
            reference: NEPALI.into(),
            given_at: None,
            expires_at: None,
        });
        call.proof = Some(Proof {
            kind: ProofKind::AuthorizationCode,
            value: "Müller".into(),
            parameters: [].into(),
        });
    });
    let (log, _guard) = Log::listen();
    done(bench.find("log_callers_words", &[]).await);
    log.has_masked("proof Some(\"***\")");
    log.has_masked("user Some(\"***\")");
}

#[tokio::test]
async fn a_flood_is_cut_and_said_to_be() {
    for behaviour in ["flood_log", "flood_stdout"] {
        let bench = Bench::new().await.limits(|limits| {
            limits.log_lines = 10;
            limits.log_bytes = 1_000;
        });
        let (log, _guard) = Log::listen();
        done(bench.find(behaviour, &[]).await);
        let lines = log.lines();
        assert!(
            (2..=11).contains(&lines.len()),
            "{behaviour}: {}",
            lines.len()
        );
        assert!(
            lines.last().unwrap().contains("more was logged"),
            "{behaviour}"
        );
        let flood: usize = lines.iter().map(|line| line.matches("flood").count()).sum();
        assert!(
            flood * "flood ".len() <= 1_000 + 10 * "flood_".len(),
            "{behaviour}"
        );
    }
}

/// A call that is cut short still shows what it said.
#[tokio::test]
async fn a_log_of_nothing_is_nothing() {
    let bench = Bench::new().await.limits(|limits| limits.log_lines = 0);
    let (log, _guard) = Log::listen();
    done(bench.find("print_name", &[NAME]).await);
    log.has_masked("more was logged");
    assert_eq!(log.lines().len(), 1);
}
