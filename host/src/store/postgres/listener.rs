//! NOTIFY wakes the gateways. It carries nothing: what there is to know is in the tables, and they look
//! there now and then anyway, since a notification is lost with the connection that waits for it.

use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;

use super::{Opener, from_sqlx, within};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

const CHANNEL: &str = "registry_gateway";
/// Before connecting again.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection that is silent for so long is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(30);

/// Part of the transaction: nobody is woken before it is committed.
pub(in crate::store) async fn notify(conn: &mut Conn) -> Result<(), StoreError> {
    query("SELECT pg_notify('registry_gateway', '')")
        .execute(conn)
        .await
        .map(drop)
}

/// Tells of each notification, as long as somebody listens. A lost connection is made again.
pub(in crate::store) async fn listen(opener: Opener, tell: watch::Sender<u64>) {
    let listening = async {
        let mut known = false;
        loop {
            match until_lost(&opener, &tell).await {
                Ok(()) => known = false,
                Err(error) if known => tracing::debug!(%error, "still not listening"),
                Err(error) => {
                    tracing::warn!(
                        %error,
                        "changes by other gateways are seen by looking alone, until the \
                         connection that is told of them stands again"
                    );
                    known = true;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = tell.closed() => {}
        () = listening => {}
    }
}

/// Until the connection is lost: `Ok` where there was one.
async fn until_lost(opener: &Opener, tell: &watch::Sender<u64>) -> Result<(), StoreError> {
    // A pool of one, which is how the library takes a connection.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(opener.options.clone());
    let connect = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    };
    let mut listener = within(opener.limits.connect, connect).await?;
    // What was told while nobody listened.
    tell.send_modify(|told| *told = told.wrapping_add(1));
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => tell.send_modify(|told| *told = told.wrapping_add(1)),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(error = %from_sqlx(error), "the connection that is told is lost");
                return Ok(());
            }
            Err(_) => {
                let alive = (&mut listener).execute("SELECT 1");
                if within(opener.limits.answer, alive).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}
