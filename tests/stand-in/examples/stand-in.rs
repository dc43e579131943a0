//! Runs the stand-in registry by itself, to try things against with curl.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use stand_in::{Fault, OauthClient, Options, Register, StandIn};
use tokio::io::AsyncReadExt as _;

/// A stand-in registry that speaks SPDCI v1.0.0 for invented people.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How many people.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(20..=1_000_000))]
    people: u64,
    /// What the people depend on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Before every SPDCI path, such as /sr.
    #[arg(long, default_value = "", value_parser = prefix)]
    prefix: String,
    /// Ask the civil register where a search names none, and not the social one.
    #[arg(long)]
    civil: bool,
    /// A bearer token that callers must send.
    #[arg(long)]
    bearer: Option<String>,
    /// A client that may get tokens, as ID:SECRET.
    #[arg(long, value_parser = client)]
    oauth: Option<OauthClient>,
    /// How many seconds a token is good for.
    #[arg(long, default_value_t = 600)]
    token_lifetime: u64,
    /// A fault for every request, such as slow:250ms; an unknown one lists them all.
    #[arg(long, default_value = "none")]
    fault: Fault,
    /// Let only every Nth request meet the fault.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    fault_every: u64,
    /// Reject a search that matches more.
    #[arg(long, default_value_t = 1_000)]
    max_records: usize,
    /// Reject a message_id that came before.
    #[arg(long)]
    refuse_repeats: bool,
    /// Print this many UINs first, to have some to look up.
    #[arg(long, default_value_t = 0)]
    show: u64,
    /// Stop when standard input closes: for a parent that may die.
    #[arg(long)]
    stop_with_stdin: bool,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let (show, stop_with_stdin) = (arguments.show, arguments.stop_with_stdin);
    let registry = StandIn::try_start(arguments.into()).await?;
    let mut out = std::io::stdout();
    for index in 0..show.min(registry.population().len()) {
        writeln!(out, "{}", registry.population().person(index).uin)?;
    }
    writeln!(out, "listening on {}", registry.url())?;
    out.flush()?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped,
        () = stdin_closed(), if stop_with_stdin => Ok(()),
    }?;
    // A thread that waits for standard input would keep the runtime from ending.
    std::process::exit(0)
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        Self {
            listen: arguments.listen,
            people: arguments.people,
            seed: arguments.seed,
            prefix: arguments.prefix,
            register: if arguments.civil {
                Register::Civil
            } else {
                Register::Social
            },
            bearer: arguments.bearer,
            oauth: arguments.oauth,
            token_lifetime: Duration::from_secs(arguments.token_lifetime),
            fault: arguments.fault,
            fault_every: arguments.fault_every,
            max_records: arguments.max_records,
            refuse_repeats: arguments.refuse_repeats,
            ..Self::default()
        }
    }
}

async fn stdin_closed() {
    let (mut stdin, mut ignored) = (tokio::io::stdin(), [0; 1024]);
    while stdin.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let good = text.is_empty() || (text.starts_with('/') && !text.ends_with('/'));
    match good && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("write it like /sr or /dci/sr".into()),
    }
}

fn client(text: &str) -> Result<OauthClient, String> {
    let (id, secret) = text.split_once(':').ok_or("write it as ID:SECRET")?;
    Ok(OauthClient {
        id: id.to_owned(),
        secret: secret.to_owned(),
    })
}
