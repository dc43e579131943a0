//! Looking at a database changes nothing, and says what opening it would do.

use super::*;

on_both![
    what_is_there_is_read,
    a_schema_behind_is_told,
    a_later_schema_is_refused
];

async fn look(home: &Home) -> Result<Look, StoreError> {
    Store::look(&home.config, None).await
}

async fn what_is_there_is_read(home: Home) {
    let store = home.open().await;
    store.modules().put(a_module(b"a module")).await.unwrap();
    store.close().await;
    let Ok(Look::Here(looked)) = look(&home).await else {
        panic!("it is there and up to date");
    };
    assert_eq!(looked.modules().list().await.unwrap().len(), 1);
    let written = looked.modules().put(a_module(b"another")).await;
    assert!(matches!(written, Err(StoreError::Closed)));
    looked.close().await;
}

async fn a_schema_behind_is_told(home: Home) {
    home.open().await.close().await;
    let mut conn = home.connect().await;
    run(&mut conn, "DELETE FROM _sqlx_migrations WHERE version = 1")
        .await
        .unwrap();
    conn.close().await;
    let Ok(Look::Behind { steps }) = look(&home).await else {
        panic!("a step is missing");
    };
    assert_eq!(steps.len(), 1);
    assert!(steps.first().unwrap().starts_with("0001_"), "{steps:?}");
}

async fn a_later_schema_is_refused(home: Home) {
    home.open().await.close().await;
    let mut conn = home.connect().await;
    run(
        &mut conn,
        "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1",
    )
    .await
    .unwrap();
    conn.close().await;
    assert!(matches!(look(&home).await, Err(StoreError::Migrate(_))));
}

#[tokio::test]
async fn what_is_not_there_is_not_made() {
    let home = Home::sqlite();
    assert!(matches!(look(&home).await, Ok(Look::Absent)));
    assert!(!home.config.path.exists());
}

/// Not even what a database turns to by itself when it is opened to be written.
#[tokio::test]
async fn the_files_stay_as_they_are() {
    let home = Home::sqlite();
    home.open().await.close().await;
    let mut conn = home.connect().await;
    run(&mut conn, "PRAGMA journal_mode = DELETE")
        .await
        .unwrap();
    conn.close().await;
    let files = || {
        let folder = home.config.path.parent().unwrap();
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let Ok(Look::Here(looked)) = look(&home).await else {
        panic!("it is there and up to date");
    };
    assert!(looked.modules().list().await.unwrap().is_empty());
    looked.close().await;
    assert_eq!(files(), before);
}
