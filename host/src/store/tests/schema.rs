//! Two sets of steps, one schema.

use std::collections::BTreeSet;
use std::fs;

use super::*;

/// Table, column, type, and whether it must have a value.
type Column = (String, String, String, bool);

/// `INTEGER PRIMARY KEY` is SQLite's own number of a row: it is never absent, and not called so.
const OF_SQLITE: &str = "SELECT t.name AS table_name, c.name AS column_name, \
     CASE c.type WHEN 'INTEGER' THEN 'BIGINT' ELSE c.type END AS type, \
     c.\"notnull\" <> 0 OR c.pk > 0 AND c.type = 'INTEGER' AS required FROM sqlite_master t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE '\\_%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite%'";
const OF_POSTGRES: &str = "SELECT table_name::text, column_name::text, upper(data_type) AS type, \
     is_nullable = 'NO' AS required FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'";

async fn columns(home: &Home, statement: &'static str) -> BTreeSet<Column> {
    home.open().await.close().await;
    let rows = query(statement).fetch_all(&mut home.connect().await).await;
    rows.unwrap()
        .iter()
        .map(|row| {
            let of_type: String = row.get("type").unwrap();
            (
                row.get("table_name").unwrap(),
                row.get("column_name").unwrap(),
                of_type.replace("BLOB", "BYTEA"),
                row.get("required").unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    let Some(postgres) = Home::postgres() else {
        return;
    };
    let of_sqlite = columns(&Home::sqlite(), OF_SQLITE).await;
    assert!(of_sqlite.len() >= 40, "{of_sqlite:?}");
    assert_eq!(columns(&postgres, OF_POSTGRES).await, of_sqlite);
}

#[test]
fn both_databases_have_the_same_steps_and_no_step_is_left_out() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut steps = Vec::new();
    for (database, migrator) in [
        ("sqlite", &sqlite::MIGRATOR),
        ("postgres", &postgres::MIGRATOR),
    ] {
        let files = fs::read_dir(format!("{root}/{database}")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(
            migrator.iter().count(),
            names.len(),
            "a step was added without rebuilding: touch store/{database}.rs"
        );
        names.sort();
        steps.push(names);
    }
    assert_eq!(steps[0], steps[1]);
}
