use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure, print};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  registry-gateway completions bash > /etc/bash_completion.d/registry-gateway
  registry-gateway completions zsh > \"${fpath[1]}/_registry-gateway\"
  registry-gateway completions fish > ~/.config/fish/completions/registry-gateway.fish")]
pub(super) struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, "registry-gateway", &mut script);
    print(&String::from_utf8(script)?);
    Ok(())
}
