//! What serves next: all registries as the store has them, or one of them.
//!
//! Both are loaded beside what serves, and put in its place only where that is still what they
//! began with: of two that change a registry at once the later one looks again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::modules::{self, Modules};
use super::slot::{Slot, Staged, State};
use super::{Drain, Roster, Slots};
use crate::config::registry::RegistryConfig;
use crate::sandbox::Module;
use crate::store::{Candidate, Registry, Served, Store, StoreError};

/// What the store has of one registry, and what of it is loaded.
pub(super) struct Rows {
    pub(super) row: Registry,
    pub(super) candidate: Option<Candidate>,
    pub(super) ready: Vec<Module>,
}

impl Roster {
    /// Takes over what the store has: what changed is loaded beside what serves, then all is
    /// swapped at once.
    pub(in crate::gateway) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let _alone = self.reloading.lock().await;
        let now = self.slots.load_full();
        let listed = store.registries().list().await?;
        let candidates = store.candidates().list().await?.into_iter();
        let mut candidates: HashMap<String, Candidate> = candidates
            .map(|candidate| (candidate.registry.clone(), candidate))
            .collect();
        let changed: Vec<&Registry> = listed
            .iter()
            .flatten()
            .filter(|row| {
                let known = now.get(&row.name);
                !known.is_some_and(|slot| slot.is_of(row, candidates.get(&row.name)))
            })
            .filter(|row| row.enabled)
            .collect();
        let served = match changed.is_empty() {
            true => Vec::new(),
            false => store.activations().served(None).await?,
        };
        let digests = changed.iter().flat_map(|row| {
            let candidate = candidates.get(&row.name);
            digests_of(row, candidate)
        });
        let modules = modules::load(&self.sandbox, store, digests.collect()).await?;
        let mut next = HashMap::with_capacity(listed.len());
        let mut behind = Vec::new();
        for row in listed {
            let name = match &row {
                Ok(row) => row.name.clone(),
                Err(unreadable) => unreadable.name.clone(),
            };
            let candidate = candidates.remove(&name);
            let before = now.get(&name);
            let slot = match (row, before) {
                (Ok(row), Some(slot)) if slot.is_of(&row, candidate.as_ref()) => slot.clone(),
                (Ok(row), before) => {
                    let ready = self.ready(&row, &served).await;
                    let rows = Rows {
                        row,
                        candidate,
                        ready,
                    };
                    let slot = self.slot(rows, before.map(|slot| &**slot), &modules);
                    // A thousand of them are some time without a look at the network.
                    tokio::task::yield_now().await;
                    match before.and_then(|before| Some((before, before.serves_on(&slot)?))) {
                        Some((before, why)) => {
                            behind.push(why);
                            before.clone()
                        }
                        None => Arc::new(slot),
                    }
                }
                (Err(unreadable), before) => {
                    Arc::new(Slot::unreadable(&unreadable, before.map(|slot| &**slot)))
                }
            };
            next.insert(name, slot);
        }
        let before = self
            .slots
            .rcu(|current| Arc::new(merge(&now, &next, current)));
        self.tell_behind(behind);
        let after = self.slots.load();
        for (name, slot) in before.iter() {
            self.drains.turned(Some(slot), after.get(name));
        }
        Ok(())
    }

    /// The same of one registry, and of no other. `module` is what it is to serve with, loaded: its
    /// configuration and secrets are then taken to be what they were.
    pub(in crate::gateway) async fn refresh(
        &self,
        store: &Store,
        name: &str,
        module: Option<&Module>,
    ) -> Result<(), StoreError> {
        loop {
            let before = self.slots.load().get(name).cloned();
            let after = match store.registries().get(name).await? {
                None => None,
                Some(row) => Some(Arc::new(
                    self.refreshed(store, row, before.as_deref(), module)
                        .await?,
                )),
            };
            if let (Some(before), Some(after)) = (&before, &after)
                && before.serves_on(after).is_some()
            {
                // The next reload says so.
                return Ok(());
            }
            if self.exchange(name, before.as_ref(), after.as_ref()) {
                self.drains.turned(before.as_ref(), after.as_ref());
                return Ok(());
            }
        }
    }

    async fn refreshed(
        &self,
        store: &Store,
        row: Registry,
        before: Option<&Slot>,
        module: Option<&Module>,
    ) -> Result<Slot, StoreError> {
        let candidate = store.candidates().get(&row.name).await?;
        let served = store.activations().served(Some(&row.name)).await?;
        let ready = self.ready(&row, &served).await;
        let mut digests: BTreeSet<String> = match row.enabled {
            true => digests_of(&row, candidate.as_ref()).collect(),
            false => BTreeSet::new(),
        };
        let active = before.and_then(|slot| slot.state.entry());
        let active = active.map(|entry| &entry.module);
        let module = [module, active].into_iter().flatten();
        let mut module = module;
        let module = module.find(|it| it.digest() == row.module_digest);
        if module.is_some() {
            digests.remove(&row.module_digest);
        }
        let mut modules = modules::load(&self.sandbox, store, digests).await?;
        if let Some(module) = module {
            modules.insert(row.module_digest.clone(), Ok(module.clone()));
        }
        let quick = match (before, module) {
            (Some(before), Some(module)) => before.turned(&row, module),
            _ => None,
        };
        let rows = Rows {
            row,
            candidate,
            ready,
        };
        Ok(match quick {
            Some(state) => self.with_state(rows, before, &modules, state),
            None => self.slot(rows, before, &modules),
        })
    }

    fn slot(&self, rows: Rows, before: Option<&Slot>, modules: &Modules) -> Slot {
        let Rows {
            row,
            candidate,
            ready,
        } = rows;
        let config = serde_json::from_str::<RegistryConfig>(&row.configuration);
        let state = match config {
            _ if !row.enabled => State::Disabled,
            Err(error) => State::Broken(format!("its stored configuration: {error}")),
            Ok(config) => match self.entry(&row, config, modules) {
                Ok(entry) => State::Ready(Arc::new(entry)),
                Err(why) => State::Broken(why),
            },
        };
        let state = match (state, before) {
            (State::Ready(entry), Some(before)) => State::Ready(before.go_on(&row, entry)),
            (state, _) => state,
        };
        let rows = Rows {
            row,
            candidate,
            ready,
        };
        self.with_state(rows, before, modules, state)
    }

    fn with_state(
        &self,
        rows: Rows,
        before: Option<&Slot>,
        modules: &Modules,
        state: State,
    ) -> Slot {
        let Rows {
            row,
            candidate,
            ready,
        } = rows;
        let config = serde_json::from_str::<RegistryConfig>(&row.configuration);
        let summary = config.map(|config| config.summary).unwrap_or_default();
        let name = row.name.clone();
        let staged = candidate.filter(|_| row.enabled).map(|candidate| {
            let module = match modules.get(&candidate.module_digest) {
                Some(known) => known.clone(),
                None => Err("its module is not loaded".into()),
            };
            Staged::new(candidate, module, &state, before)
        });
        let slot = Slot {
            staged,
            row: Some(row),
            summary,
            state,
            ready,
        };
        // Where the one before serves on that is told, and not that this one does not load.
        let goes_on = before.is_some_and(|before| {
            before.state.is_same(&slot.state) || before.serves_on(&slot).is_some()
        });
        if !goes_on {
            slot.state.tell(&name, before);
        }
        slot
    }

    /// What served before and need not be compiled: a start does not wait for what may never be
    /// wanted.
    async fn ready(&self, row: &Registry, served: &[Served]) -> Vec<Module> {
        let mut ready = Vec::new();
        if !row.enabled {
            return ready;
        }
        let mine = served.iter().filter(|one| one.registry == row.name);
        let others = mine.filter(|one| one.module_digest != row.module_digest);
        for one in others.take(self.sandbox.ready_versions()) {
            ready.extend(self.sandbox.known(&one.module_digest).await);
        }
        ready
    }

    /// Whether it was done: not where another has changed the registry meanwhile.
    fn exchange(&self, name: &str, before: Option<&Arc<Slot>>, after: Option<&Arc<Slot>>) -> bool {
        let mut done = false;
        self.slots.rcu(|current| {
            done = is_same(current.get(name), before);
            if !done {
                return current.clone();
            }
            let mut next = Slots::clone(current);
            match after {
                Some(slot) => next.insert(name.to_owned(), slot.clone()),
                None => next.remove(name),
            };
            Arc::new(next)
        });
        done
    }

    /// What is known of a registry.
    pub(in crate::gateway) fn slot_of(&self, name: &str) -> Option<Arc<Slot>> {
        self.slots.load().get(name).cloned()
    }

    /// Calls that go on with what served the registry before.
    pub(in crate::gateway) fn drains(&self, registry: &str) -> Vec<Drain> {
        self.drains.of(registry)
    }
}

impl Slot {
    /// The state with another module and nothing else new.
    fn turned(&self, row: &Registry, module: &Module) -> Option<State> {
        let entry = self.state.entry()?;
        if !row.enabled || !self.is_configured_as(row) {
            return None;
        }
        let config: RegistryConfig = serde_json::from_str(&row.configuration).ok()?;
        super::check_needs(&config, module).ok()?;
        if entry.module.digest() == module.digest() {
            return Some(State::Ready(entry.clone()));
        }
        Some(State::Ready(Arc::new(entry.with(module.clone()))))
    }
}

fn digests_of(
    row: &Registry,
    candidate: Option<&Candidate>,
) -> impl Iterator<Item = String> + use<> {
    let candidate = candidate.map(|candidate| candidate.module_digest.clone());
    [row.module_digest.clone()].into_iter().chain(candidate)
}

/// What was prepared, but for what another has changed since it was begun.
fn merge(began: &Slots, next: &Slots, current: &Slots) -> Slots {
    let mut merged = next.clone();
    merged.retain(|name, _| is_same(began.get(name), current.get(name)));
    for (name, slot) in current {
        let mine = is_same(began.get(name), Some(slot));
        if !mine {
            merged.insert(name.clone(), slot.clone());
        }
    }
    merged
}

fn is_same(one: Option<&Arc<Slot>>, other: Option<&Arc<Slot>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}
