use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{MODULES, Module};
use crate::cli::Failure;
use crate::cli::client::{Answer, Client};
use crate::cli::progress::Progress;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    digest: String,
    adapter: String,
    version: String,
    signed_by: Option<String>,
    recordings: usize,
}

/// Brings a file to the gateway.
pub(super) async fn push(file: &Path, client: &Client) -> Result<(), Failure> {
    let pushed = send(file, MODULES, client).await?;
    pushed.print(|module: Module| module.line())
}

/// Has a file looked at.
pub(super) async fn check(file: &Path, client: &Client) -> Result<(), Failure> {
    let checked = send(file, &format!("{MODULES}/check"), client).await?;
    checked.print(|checked: Checked| {
        let signed = match checked.signed_by {
            Some(number) => format!("signed by key {number}"),
            None => "not signed by a trusted key".into(),
        };
        format!(
            "{} {} would be admitted: {signed}, {} recordings replayed\n{}\n",
            checked.adapter, checked.version, checked.recordings, checked.digest
        )
    })
}

async fn send(file: &Path, path: &str, client: &Client) -> Result<Answer, Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let progress = Arc::new(Progress::going("uploading", length, client.json()));
    let told = Arc::clone(&progress);
    let sent = client.upload(path, "application/wasm", bytes, move |part| told.add(part));
    sent.await
}
