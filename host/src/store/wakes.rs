use tokio::sync::watch;

use super::Store;
use super::db::Opener;
use super::postgres;

/// Tells when another gateway of the database has changed something, where the database can tell.
/// It may miss any: who waits for it looks now and then all the same.
#[derive(Debug)]
pub struct Wakes {
    told: Option<watch::Receiver<u64>>,
}

impl Store {
    /// Listens, on a connection of its own, until the answer is dropped.
    pub fn wakes(&self) -> Wakes {
        let Opener::Postgres(opener) = &*self.opener else {
            return Wakes { told: None };
        };
        let (tell, told) = watch::channel(0);
        tokio::spawn(postgres::listen(opener.clone(), tell));
        Wakes { told: Some(told) }
    }
}

impl Wakes {
    /// Returns when something may have changed since it last did. Never, where nobody tells.
    pub async fn next(&mut self) {
        if let Some(told) = &mut self.told
            && told.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}
