//! The modules in memory, by digest: one for all registries that use it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::module::Admitted;

/// Holds none of them: a module goes with its last user.
#[derive(Default)]
pub(super) struct Loaded {
    modules: Mutex<HashMap<String, Weak<Admitted>>>,
}

impl Loaded {
    pub(super) fn get(&self, digest: &str) -> Option<Arc<Admitted>> {
        self.lock().get(digest)?.upgrade()
    }

    /// Keeps the module, or gives the one that another load has brought meanwhile.
    pub(super) fn keep(&self, module: Arc<Admitted>) -> Arc<Admitted> {
        let mut modules = self.lock();
        let first = modules.get(module.digest()).and_then(Weak::upgrade);
        if let Some(first) = first {
            // Not under the lock: the second one ends, and says so here.
            drop(modules);
            return first;
        }
        modules.insert(module.digest().to_owned(), Arc::downgrade(&module));
        module
    }

    /// A module has ended.
    pub(super) fn forget(&self, digest: &str) {
        let mut modules = self.lock();
        // Another of the same digest may have come since.
        if modules
            .get(digest)
            .is_some_and(|module| module.strong_count() == 0)
        {
            modules.remove(digest);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Admitted>>> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
