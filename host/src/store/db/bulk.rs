use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use super::query::{Query, query};

/// How many rows go into one statement. Few sizes, so that both databases keep them prepared: over a
/// network it is the number of statements, not of rows, that a batch waits for.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// An `INSERT` of many rows by few statements.
pub(in crate::store) struct BulkInsert {
    statements: [(usize, Arc<str>); SIZES.len()],
}

impl BulkInsert {
    /// `into` is a table and its columns, `table (a, b)`.
    pub(in crate::store) fn new(into: &'static str) -> Self {
        Self::or(into, "")
    }

    /// The same, with what is done about a row that is there already: `ON CONFLICT …`. No two rows
    /// of one part may be in conflict with each other.
    pub(in crate::store) fn or(into: &'static str, conflict: &str) -> Self {
        let columns = into.matches(',').count() + 1;
        let of = |rows| statement(into, columns, rows) + conflict;
        Self {
            statements: SIZES.map(|rows| (rows, of(rows).into())),
        }
    }

    /// The rows in order, each part with the statement that takes it.
    pub(in crate::store) fn parts<'r, 'q, T>(
        &self,
        mut rows: &'r [T],
    ) -> impl Iterator<Item = (Query<'q>, &'r [T])> {
        std::iter::from_fn(move || {
            self.statements.iter().find_map(|(size, sql)| {
                let (part, rest) = rows.split_at_checked(*size)?;
                rows = rest;
                Some((query(AssertSqlSafe(Arc::clone(sql))), part))
            })
        })
    }
}

fn statement(into: &str, columns: usize, rows: usize) -> String {
    let mut sql = format!("INSERT INTO {into} VALUES ");
    for number in 1..=rows * columns {
        let before = match number % columns {
            _ if columns == 1 && number == 1 => "(",
            _ if columns == 1 => "), (",
            1 if number == 1 => "(",
            1 => "), (",
            _ => ", ",
        };
        // Writing to a String does not fail.
        let _ = write!(sql, "{before}${number}");
    }
    sql.push(')');
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_in_order_and_none_is_left_out() {
        let insert = BulkInsert::new("t (a, b)");
        for count in [0, 1, 3, 4, 63, 64, 85, 256, 300] {
            let rows: Vec<usize> = (0..count).collect();
            let together: Vec<usize> = insert
                .parts(&rows)
                .flat_map(|(_, part)| part.iter().copied())
                .collect();
            assert_eq!(together, rows);
        }
        let rows = [0; 85];
        let sizes: Vec<usize> = insert.parts(&rows).map(|(_, part)| part.len()).collect();
        assert_eq!(sizes, [64, 16, 4, 1]);
    }

    #[test]
    fn each_row_has_its_own_places() {
        assert_eq!(
            statement("t (a, b)", 2, 2),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)"
        );
        assert_eq!(
            statement("t (a)", 1, 2),
            "INSERT INTO t (a) VALUES ($1), ($2)"
        );
    }
}
