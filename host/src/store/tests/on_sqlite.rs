//! What only a file can do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn the_file_is_for_the_owner_only() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.audit().begin(begin_row("r-1")).await.unwrap();
    let directory = home.directory.path().join("data");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.clone()), 0o700);
    let files: Vec<_> = fs::read_dir(directory).unwrap().collect();
    assert_eq!(files.len(), 3, "the file, its log and the log's index");
    for file in files {
        let path = file.unwrap().path();
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_is_a_typed_error() {
    let home = Home::sqlite();
    let mut config = home.config.clone();
    fs::write(home.directory.path().join("file"), "").unwrap();
    config.path = home.directory.path().join("file/gateway.sqlite");
    let error = Store::open(&config, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");

    config.path = home.directory.path().join("text.sqlite");
    fs::write(
        &config.path,
        "this is no database, however long it may be".repeat(100),
    )
    .unwrap();
    let error = Store::open(&config, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_reported_and_recovered_from() {
    let home = Home::sqlite();
    let store = home.open().await;
    store.audit().begin(begin_row("r-0")).await.unwrap();
    // A limit in pages gives the same error as a full disk, and goes with the connection.
    store.fill_the_disk().await;

    let mut written = 1;
    let error = loop {
        let mut row = begin_row("r-0");
        row.asked = vec![[7; 32]; 1_000];
        match store.audit().begin(row).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the disk was not full");
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    store.ready().await.unwrap();
    store.audit().begin(begin_row("r-0")).await.unwrap();
    let rows = store.audit().by_request("r-0").await.unwrap();
    assert_eq!(
        rows.len(),
        written + 1,
        "what was acknowledged, and nothing else"
    );
}
