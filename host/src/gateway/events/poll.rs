//! Registries that do not call back, or may have missed somebody, are asked for what changed: one node
//! at a time, page by page, with where to go on stored in the transaction of the page.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::hook::{begin_row, lease};
use super::people::people_of_all;
use super::read::never_pends;
use super::rows::spread;
use crate::gateway::lookups::audited::Start;
use crate::gateway::lookups::waiting::{Outcome, ask};
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Ability, Call, ChangesPage, Failure, Opaque};
use crate::store::{AuditEnd, EventCursor, Polled, StoreError};

/// Events of one page.
const PAGE: u32 = 200;
/// Pages one after the other, before others have a turn.
const PAGES: u32 = 50;
/// A registry that only calls back is asked again so late: its adapter may change.
const UNSUPPORTED: Duration = Duration::from_secs(60 * 60);

impl Gateway {
    /// Asks each registry that is due.
    pub(super) async fn ask_for_changes(&self) {
        for entry in self.inner.roster.serving() {
            let Some(poll_ms) = entry.events.poll_ms else {
                continue;
            };
            if !entry.module.can(Ability::Events) || self.is_stopping() {
                continue;
            }
            let every = Duration::from_millis(poll_ms.get().into());
            let events = self.inner.store.events();
            let cursor = match events.take_cursor(&entry.name, lease(&entry)).await {
                Ok(Some(cursor)) => cursor,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(registry = entry.name, %error, "it is not asked for changes");
                    continue;
                }
            };
            let gateway = self.clone();
            self.inner.tasks.spawn(async move {
                gateway.pages(&entry, cursor, every).await;
            });
        }
    }

    async fn pages(&self, entry: &Arc<Entry>, mut cursor: EventCursor, every: Duration) {
        let _underway = entry.begin();
        for page in 1..=PAGES {
            match self.page(entry, &cursor, every, page == PAGES).await {
                Ok(Some(data)) => cursor.data = Some(data),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(registry = entry.name, %error, "what changed is not stored");
                    return;
                }
            }
        }
    }

    /// One page. Gives where to go on, if there is more now.
    async fn page(
        &self,
        entry: &Arc<Entry>,
        cursor: &EventCursor,
        every: Duration,
        is_last: bool,
    ) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        let row = Uuid::now_v7();
        let began = Instant::now();
        let begin = begin_row(row, entry, &row.to_string());
        self.inner.store.audit().begin(begin.clone()).await?;
        let (asked, calls) = self.ask_for_page(entry, cursor, row).await;
        let read = asked.and_then(|page| {
            let events = page.events.iter();
            let events = events.map(|event| self.seal_event(&entry.name, event));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            let people = people_of_all(&page.events).all_hashes(&self.inner.fingerprint);
            let data = self.seal_cursor(&entry.name, &page.cursor.data)?;
            Ok((events, people, (page.cursor.schema, data), page.more))
        });
        let mut polled = Polled {
            at: Timestamp::now(),
            again_in: every,
            reason: None,
            data: None,
            events: Vec::new(),
            module_digest: entry.module.digest().to_owned(),
        };
        let (mut people, mut go_on, mut code) = (Vec::new(), None, None);
        match read {
            Ok((events, named, data, more)) => {
                if more && !is_last {
                    polled.again_in = lease(entry);
                    go_on = Some(data.clone());
                } else if more {
                    polled.again_in = Duration::ZERO;
                }
                (polled.events, polled.data, people) = (events, Some(data), named);
            }
            Err(error) => {
                let word = error.word();
                tracing::warn!(
                    registry = entry.name,
                    reason = word,
                    "it did not tell what changed"
                );
                if let GatewayError::Failure(Failure::Unsupported(_)) = &error {
                    polled.again_in = every.max(UNSUPPORTED);
                }
                code = error.code().map(str::to_owned);
                polled.reason = Some(word.into());
            }
        }
        let end = AuditEnd {
            id: row,
            at: polled.at,
            outcome: polled.reason.clone().unwrap_or_else(|| "done".into()),
            code,
            disclosed: Vec::new(),
            registry_calls: calls,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let rows = spread(&begin, end, people);
        let events = self.inner.store.events();
        let stored = events.polled(cursor, polled, Some(rows)).await?;
        self.inner.events.stored.notify_one();
        Ok(go_on.filter(|_| stored))
    }

    async fn ask_for_page(
        &self,
        entry: &Arc<Entry>,
        cursor: &EventCursor,
        row: Uuid,
    ) -> (Result<ChangesPage, GatewayError>, u32) {
        let opened = cursor.data.as_ref().map(|(schema, sealed)| {
            let readable = &entry.module.description().readable_states;
            if !readable.contains(schema) {
                // Of another version of the adapter. It stays until one that reads it is back.
                return Err(GatewayError::Failure(Failure::Misconfigured(
                    crate::model::Refusal {
                        code: Some("cursor-of-another-version".into()),
                        field: None,
                    },
                )));
            }
            let data = self.open_cursor(&entry.name, sealed)?;
            Ok(Opaque {
                schema: *schema,
                data,
            })
        });
        let cursor = match opened.transpose() {
            Ok(cursor) => Arc::new(cursor),
            Err(error) => return (Err(error), 0),
        };
        let call = Call {
            request_id: row.to_string(),
            registry: entry.name.clone(),
            attempt: 1,
            ..Call::default()
        };
        let start: Start<ChangesPage> = Box::new(move |entry, work| {
            let cursor = cursor.clone();
            Box::pin(async move {
                let cursor = cursor.as_ref().as_ref();
                entry.module.changes(work, cursor, PAGE).await
            })
        });
        let endpoints = entry.endpoints.clone();
        let call = Arc::new(call);
        let asked = ask(self, entry, endpoints, call, &start, |_, _, _, _| {
            Box::pin(async { never_pends() })
        });
        let Outcome { result, spent, .. } = asked.await;
        (result, spent.usage.http_calls)
    }
}
