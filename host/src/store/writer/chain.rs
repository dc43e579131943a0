use super::AuditRow;
use crate::store::chain::{FORM, Link};
use crate::store::columns::time;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::now;

/// How often another process may be faster. Each has a chain to itself where it can, so that it is
/// hardly ever once.
const TRIES: usize = 8;

/// The chain that a connection's rows go into, as far as it is known.
///
/// What counts is the chain's head in the database. It is moved within the transaction of the rows, and
/// only from where this process believes it to be: two that write one chain take turns there, and none
/// goes on from a row that another has followed already.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Chain {
    claimed: Option<i64>,
    head: Option<Link>,
}

impl Chain {
    /// Moves the head by these rows, within the transaction that writes them. Gives their links.
    pub(super) async fn extend(
        &mut self,
        conn: &mut Conn,
        rows: &[&AuditRow],
    ) -> Result<Vec<Link>, StoreError> {
        for _ in 0..TRIES {
            let head = match self.head {
                Some(head) => head,
                None => self.look(conn).await?,
            };
            let links = head.through(rows);
            let last = links.last().copied().unwrap_or(head);
            if advance(conn, &head, &last).await? {
                self.head = Some(last);
                return Ok(links);
            }
            self.head = None;
        }
        Err(StoreError::Busy)
    }

    /// After the transaction's end: what was not committed did not move the head.
    pub(super) fn settle<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if done.is_err() {
            *self = Self::default();
        }
        done
    }

    async fn look(&mut self, conn: &mut Conn) -> Result<Link, StoreError> {
        if let Some(chain) = self.claimed {
            return head(conn, chain).await;
        }
        for row in query("SELECT id FROM audit_chain WHERE form = $1 ORDER BY id")
            .bind(FORM)
            .fetch_all(&mut *conn)
            .await?
        {
            let chain: i64 = row.get("id")?;
            if conn.claim(chain).await? {
                self.claimed = Some(chain);
                return head(conn, chain).await;
            }
        }
        let link = begin(conn).await?;
        self.claimed = Some(link.chain);
        Ok(link)
    }
}

async fn head(conn: &mut Conn, chain: i64) -> Result<Link, StoreError> {
    let row = query("SELECT seq, hash FROM audit_chain WHERE id = $1")
        .bind(chain)
        .fetch_one(conn)
        .await?;
    let hash: &[u8] = row.get("hash")?;
    Ok(Link {
        chain,
        seq: row.get("seq")?,
        hash: hash
            .try_into()
            .map_err(|_| StoreError::Damaged { what: "hash" })?,
    })
}

async fn advance(conn: &mut Conn, from: &Link, to: &Link) -> Result<bool, StoreError> {
    let moved = query(
        "UPDATE audit_chain SET seq = $1, hash = $2 WHERE id = $3 AND seq = $4 AND hash = $5",
    )
    .bind(to.seq)
    .bind(&to.hash[..])
    .bind(from.chain)
    .bind(from.seq)
    .bind(&from.hash[..])
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// A chain of one's own, where each that is there has somebody who writes it.
async fn begin(conn: &mut Conn) -> Result<Link, StoreError> {
    conn.claim_next().await?;
    let row = query(
        "INSERT INTO audit_chain (id, form, began_at, seq, hash) \
         SELECT COALESCE(MAX(id), 0) + 1, $1, $2, 0, $3 FROM audit_chain RETURNING id, began_at",
    )
    .bind(FORM)
    .bind(now().as_microsecond())
    .bind(&[0; 32][..])
    .fetch_one(&mut *conn)
    .await?;
    let chain = row.get("id")?;
    let link = Link::first(chain, time(&row, "began_at")?);
    // Nobody else has seen it yet.
    conn.claim(chain).await?;
    query("UPDATE audit_chain SET hash = $1 WHERE id = $2")
        .bind(&link.hash[..])
        .bind(chain)
        .execute(conn)
        .await?;
    Ok(link)
}
