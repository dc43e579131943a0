use std::path::Path;

use http::Method;

use super::{MODULES, Module};
use crate::cli::Failure;
use crate::cli::client::Client;

/// Brings a file to the gateway.
pub(super) async fn run(file: &Path, client: &Client) -> Result<(), Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let pushed = client.send(Method::POST, MODULES, "application/wasm", bytes);
    pushed.await?.print(|module: Module| module.line())
}
