//! What instances cost, taken apart: for the benchmark. The gateway itself never keeps one, since
//! a call must not see what another left behind.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings::abilities::find;
use super::convert;
use super::engine::Running;
use super::fault::Fault;
use super::instance::{self, Work};
use super::lent::State;
use super::module::Module;
use super::output::Output;
use super::progress::Progress;
use crate::model::FindQuery;

/// An instance that is called again and again.
pub struct Live {
    /// What ends it should it compute without end.
    _running: Running,
    store: Store<State>,
    find: find::Guest,
}

impl Module {
    /// A fresh instance with all its limits, which is thrown away unused.
    ///
    /// # Errors
    /// [`Fault`], where it does not start.
    pub async fn start_only(&self, work: Work) -> Result<(), Fault> {
        self.started(work).await.map(drop)
    }

    /// A fresh instance that stays.
    ///
    /// # Errors
    /// [`Fault`], where it does not start or has no `find`.
    pub async fn keep(&self, work: Work) -> Result<Live, Fault> {
        let (mut store, instance) = self.started(work).await?;
        let find = self.exports().find.as_ref().ok_or(Fault::NoInstance)?;
        let find = find
            .load(&mut store, &instance)
            .map_err(|error| Fault::from_error(&error))?;
        let _running = self.sandbox().ticker.begin();
        Ok(Live {
            _running,
            store,
            find,
        })
    }

    async fn started(&self, work: Work) -> Result<(Store<State>, Instance), Fault> {
        let progress = Progress::new(Duration::from_millis(work.limits.cpu_ms));
        let output = Output::new(&work.limits);
        let deadline = work.deadline;
        let mut store = instance::store(self.sandbox(), work, deadline, output, progress);
        let instance = self.start(&mut store).await;
        let instance = instance.map_err(|error| Fault::from_error(&error))?;
        Ok((store, instance))
    }
}

impl Live {
    /// One more find. Whether there was an answer.
    ///
    /// # Errors
    /// [`Fault`]: the instance is then of no more use.
    pub async fn find(&mut self, query: &FindQuery) -> Result<bool, Fault> {
        let query = convert::find_query(query);
        let answer = self.find.call_find(&mut self.store, &query).await;
        let answer = answer.map_err(|error| Fault::from_error(&error))?;
        Ok(convert::find(answer)?.is_ok())
    }
}
