//! What is not asked for a person: the fate of a write, and what a registry tells by itself.

use bytes::Bytes;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::convert;
use super::instance::{PendingAnswer, Ran, Work, run};
use super::lent::State;
use super::mask;
use super::module::Module;
use super::verbs::no_export;
use crate::model::{Callback, ChangesPage, Fate, Opaque, Reception, TraceQuery};

impl Module {
    /// What became of a write whose end is not known, by what a callback brought for it if one did. One that the registry still works on is
    /// pending: the write's own `resume` goes on from there.
    pub async fn trace(
        &self,
        work: Work,
        query: &TraceQuery,
        answer: Option<PendingAnswer>,
    ) -> Ran<Fate> {
        let exports = self.exports().trace.clone();
        let request = serde_json::to_value(&query.request).unwrap_or_default();
        let asked = vec![mask::words_of(&request)];
        let query = convert::trace_query(query, answer);
        run(
            self,
            work,
            asked,
            mask::words_of(&request),
            move |store: &mut Store<State>, instance: Instance| {
                Box::pin(async move {
                    let guest = exports
                        .ok_or_else(no_export)?
                        .load(&mut *store, &instance)?;
                    let answer = guest.call_trace(&mut *store, &query).await?;
                    Ok(convert::fate(answer))
                })
            },
        )
        .await
    }

    /// What a callback is about, and what to answer.
    pub async fn receive(&self, work: Work, callback: &Callback) -> Ran<Reception> {
        let exports = self.exports().events.clone();
        let mut asked = vec![Bytes::from(callback.body.clone())];
        let values = callback.query.iter().chain(&callback.headers);
        asked.extend(values.map(|(_, value)| Bytes::from(value.clone())));
        let callback = convert::callback(callback);
        run(
            self,
            work,
            asked,
            Bytes::new(),
            move |store: &mut Store<State>, instance: Instance| {
                Box::pin(async move {
                    let guest = exports
                        .ok_or_else(no_export)?
                        .load(&mut *store, &instance)?;
                    let answer = guest.call_receive(&mut *store, &callback).await?;
                    Ok(convert::reception(answer))
                })
            },
        )
        .await
    }

    /// What changed since a cursor.
    pub async fn changes(
        &self,
        work: Work,
        cursor: Option<&Opaque>,
        limit: u32,
    ) -> Ran<ChangesPage> {
        let exports = self.exports().events.clone();
        let asked = cursor.map(|cursor| Bytes::copy_from_slice(&cursor.data));
        let cursor = cursor.map(convert::opaque_out);
        run(
            self,
            work,
            asked.into_iter().collect(),
            Bytes::new(),
            move |store: &mut Store<State>, instance: Instance| {
                Box::pin(async move {
                    let guest = exports
                        .ok_or_else(no_export)?
                        .load(&mut *store, &instance)?;
                    let answer = guest
                        .call_changes(&mut *store, cursor.as_ref(), limit)
                        .await?;
                    Ok(convert::changes(answer))
                })
            },
        )
        .await
    }
}
