//! The audit handed out whole, and verified from what was handed out.

use std::io::BufRead;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use super::SignedCheckpoint;
use super::line::{FORM, Line};
use super::put_in::PutIn;
use super::statement::{ChainEnd, Statement};
use super::verifier::{Bad, Verdict, Verifier};
use super::verify::Kept;
use crate::store::{AuditCheckpoint, ChainHead, Store, StoreError, UnchainedAt, page_end};

/// Most checkpoints in memory at once.
const PAGE: u32 = 256;
/// The longest line: a row names at most thousands of people.
const LINE_MAX_BYTES: u64 = 4 << 20;

/// Why an export ends early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The database does not answer.
    #[error("the database does not answer")]
    Store(#[from] StoreError),
    /// Nobody reads it any more.
    #[error("nobody reads it")]
    Unread,
}

/// What is to be verified is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be read.
    #[error("the export cannot be read")]
    Io(#[from] std::io::Error),
    /// A line is none.
    #[error("line {0} of the export is none that this gateway knows")]
    Line(u64),
    /// Whoever made the export could name any key in it.
    #[error(
        "name the public key that signs the audit's checkpoints: an export cannot vouch for itself"
    )]
    NoKey,
}

/// Writes all there is, line by line, as fast as it is read.
pub(super) async fn export(store: &Store, to: &Sender<Bytes>) -> Result<(), Ended> {
    let audit = store.audit();
    let mut out = Out { to, rows: 0 };
    // Heads first: what is written meanwhile is behind them.
    let heads = audit.heads().await?;
    let at = Timestamp::now();
    out.line(&Line::Audit { form: FORM, at }).await?;
    let mut number = 0;
    loop {
        let page = audit.checkpoints(number, PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        number = last.number;
        for signed in page.iter().filter(|signed| covered(signed, &heads)) {
            let signed = SignedCheckpoint::of(signed);
            out.line(&Line::Checkpoint(signed)).await?;
        }
    }
    for head in &heads {
        out.line(&Line::chain(head)).await?;
        let mut after = 0;
        while let Some(seq) = audit.next_behind(head.chain, after).await? {
            if seq > head.seq {
                break;
            }
            for row in audit.chained(head.chain, seq - 1).await? {
                if row.seq <= head.seq {
                    out.row(Line::row(Some(head.chain), row)).await?;
                }
            }
            after = page_end(seq - 1);
        }
    }
    out.line(&Line::Unchained).await?;
    let mut at = UnchainedAt::default();
    loop {
        let page = audit.unchained(&mut at).await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            out.row(Line::row(None, row)).await?;
        }
    }
    let rows = out.rows;
    out.line(&Line::Done { rows }).await
}

/// One that was made meanwhile may name rows that are not in the export.
fn covered(signed: &AuditCheckpoint, heads: &[ChainHead]) -> bool {
    let read: Result<Statement, _> = serde_json::from_str(&signed.body);
    let within = |end: &ChainEnd| {
        heads
            .iter()
            .any(|head| head.chain == end.chain && head.seq >= end.seq)
    };
    // What cannot be read is for who verifies it.
    read.map_or(true, |read| read.chains.iter().all(within))
}

struct Out<'a> {
    to: &'a Sender<Bytes>,
    rows: u64,
}

impl Out<'_> {
    async fn row(&mut self, line: Line) -> Result<(), Ended> {
        self.rows += 1;
        self.line(&line).await
    }

    async fn line(&mut self, line: &Line) -> Result<(), Ended> {
        // Plain data: it cannot but be written.
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let sent = self.to.send(text.into()).await;
        sent.map_err(|_| Ended::Unread)
    }
}

/// Goes through an export.
///
/// # Errors
/// [`ExportError`]. What is wrong with the audit is in the verdict.
pub fn verify_export(mut from: impl BufRead, kept: &Kept) -> Result<Verdict, ExportError> {
    if kept.keys.is_empty() {
        return Err(ExportError::NoKey);
    }
    let mut verifier = Verifier::new(kept.keys.clone());
    let mut put_in = PutIn::default();
    let (mut number, mut rows, mut given) = (0, 0, false);
    let mut chain = None;
    let mut done = None;
    let mut text = Vec::new();
    loop {
        text.clear();
        let mut line = std::io::Read::take(&mut from, LINE_MAX_BYTES);
        if line.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        number += 1;
        let line: Line = serde_json::from_slice(&text).map_err(|_| ExportError::Line(number))?;
        match line {
            Line::Audit { form, .. } if form == FORM && number == 1 => {}
            Line::Audit { .. } => return Err(ExportError::Line(number)),
            Line::Checkpoint(signed) => match signed.back() {
                Ok(signed) => verifier.checkpoint(&signed),
                Err(bad) => verifier.found(bad),
            },
            Line::Chain {
                chain: next,
                began_at,
                rows,
                hash,
            } => {
                if !given {
                    kept.checkpoints.iter().for_each(|it| verifier.given(it));
                    given = true;
                }
                verifier.chain_ends();
                chain = Some(next);
                let head = ChainHead {
                    chain: next,
                    began_at,
                    seq: rows,
                    hash: hash.0,
                };
                put_in.chain(Some(head), verifier.pruned());
                verifier.chain(head);
            }
            Line::Unchained => {
                verifier.chain_ends();
                put_in.chain(None, verifier.pruned());
                chain = None;
            }
            Line::Done { rows } => done = Some(rows),
            line => {
                let (of, row) = line.stored().ok_or(ExportError::Line(number))?;
                rows += 1;
                if of == chain {
                    put_in.row(&row);
                }
                match (of, chain) {
                    (Some(of), Some(chain)) if of == chain => verifier.row(&row),
                    (Some(of), _) => verifier.too_much(of, row.seq),
                    (None, _) => verifier.unchained(&row),
                }
            }
        }
    }
    if !given {
        kept.checkpoints.iter().for_each(|it| verifier.given(it));
    }
    verifier.chain_ends();
    put_in.finish(&mut verifier);
    if done != Some(rows) {
        verifier.found(Bad::checkpoint(
            0,
            "the export is not whole: its last line is missing or counts other rows",
        ));
    }
    Ok(verifier.finish())
}
