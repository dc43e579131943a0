//! The life of adapters' modules.

mod swap;

use clap::Subcommand;

use super::Failure;
use super::client::Client;

#[derive(Debug, Subcommand)]
pub(super) enum AdapterCommand {
    #[command(flatten)]
    Swap(swap::SwapCommand),
}

pub(super) async fn run(command: AdapterCommand, client: &Client) -> Result<(), Failure> {
    match command {
        AdapterCommand::Swap(command) => swap::run(command, client).await,
    }
}
