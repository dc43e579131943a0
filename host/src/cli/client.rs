//! How commands reach the admin API: of a gateway somewhere, or in this process on the data that the
//! configuration names. Both are the same API, so that there is one way to do each thing.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::progress::Progress;
use super::refused::Refused;
use super::{Failure, print};
use crate::config::{self, Config};
use crate::egress::Remote;
use crate::serve::Local;

const JSON: &str = "application/json";
/// What was begun in this process has so long to be written.
const CLOSE_WAIT: Duration = Duration::from_secs(30);

/// Which gateway is meant.
#[derive(Args, Debug)]
pub(super) struct Connection {
    /// The gateway to administer. Without it: the data that `--config` names, on this machine,
    /// without a key; without that too, the gateway that `REGISTRY_GATEWAY_SERVER` names.
    #[arg(long, global = true, value_name = "URL")]
    server: Option<Url>,
    /// A file with the key for it. Without it: the variable `REGISTRY_GATEWAY_KEY`.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Print what the API answers, as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Whether `--config` was said.
    #[arg(skip)]
    pub(super) configured: bool,
}

/// The admin API.
pub(super) struct Client {
    to: To,
    json: bool,
}

enum To {
    Local(Box<Local>),
    Remote(Box<Remote>),
}

/// What was answered, and is not yet printed.
pub(super) struct Answer {
    body: Vec<u8>,
    json: bool,
}

impl Connection {
    /// Whether JSON is to be printed.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// The gateway that is meant; none: the data on this machine. What is said on the command line
    /// comes before what the environment says.
    fn server(&self, config: &Config) -> Result<Option<Url>, Failure> {
        if self.server.is_some() || self.configured {
            return Ok(self.server.clone());
        }
        if let Some(server) = config::administration_server() {
            let server = server.parse();
            let server = server.map_err(|error| format!("REGISTRY_GATEWAY_SERVER: {error}"))?;
            return Ok(Some(server));
        }
        if !config.data_dir.exists() {
            // Else a command in another folder would make a database there, and find nothing in it.
            return Err("no gateway is named: say --server or --config".into());
        }
        Ok(None)
    }
}

impl Client {
    pub(super) async fn open(connection: &Connection, config: &Config) -> Result<Self, Failure> {
        let client = match connection.server(config)? {
            None => Self::here(config).await?,
            Some(server) => Self {
                to: To::Remote(Box::new(Remote::new(server, key(connection)?)?)),
                json: false,
            },
        };
        Ok(Self {
            json: connection.json,
            ..client
        })
    }

    /// In this process, on the data that the configuration names.
    pub(super) async fn here(config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            to: To::Local(Box::new(Local::open(config).await?)),
            json: false,
        })
    }

    /// Whether what the API answers is to be printed as it is.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Whether it is this process, which serves nobody: it knows of no call.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.to, To::Local(_))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, JSON, Vec::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body)?;
        self.send(Method::POST, path, JSON, body).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body)?;
        self.send(Method::PUT, path, JSON, body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, JSON, Vec::new()).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let (status, body) = match &self.to {
            To::Local(local) => {
                local
                    .request(method.as_str(), path, content_type, body)
                    .await?
            }
            To::Remote(remote) => remote.request(method, path, content_type, body).await?,
        };
        self.answer(status, body)
    }

    fn answer(&self, status: u16, body: Vec<u8>) -> Result<Answer, Failure> {
        if !(200..300).contains(&status) {
            return Err(Refused::new(status, &body).into());
        }
        Ok(Answer {
            body,
            json: self.json,
        })
    }

    /// Sends a file; `told` hears how many bytes of it went.
    pub(super) async fn upload(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
        told: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<Answer, Failure> {
        match &self.to {
            To::Local(_) => {
                told(body.len());
                self.send(Method::POST, path, content_type, body).await
            }
            To::Remote(remote) => {
                let (status, body) = remote.upload(path, content_type, body, told).await?;
                self.answer(status, body)
            }
        }
    }

    /// Writes an answer as it comes: it may be longer than memory is. Where it is printed the answer
    /// itself is seen coming.
    pub(super) async fn download(
        &self,
        path: &str,
        to: &mut (dyn std::io::Write + Send),
        printed: bool,
    ) -> Result<(), Failure> {
        let mut failed = None;
        let progress = (!printed).then(|| Progress::coming("downloading", self.json));
        let mut take = |part: &[u8]| {
            if let Some(progress) = &progress {
                progress.add(part.len());
            }
            failed = to.write_all(part).err();
            failed.is_none()
        };
        let (status, body) = match &self.to {
            To::Local(local) => local.download(path, &mut take).await?,
            To::Remote(remote) => remote.download(path, &mut take).await?,
        };
        if let Some(error) = failed {
            return Err(error.into());
        }
        if !(200..300).contains(&status) {
            return Err(Refused::new(status, &body).into());
        }
        Ok(to.flush()?)
    }

    pub(super) async fn close(self) {
        if let To::Local(local) = self.to {
            local.close(Instant::now() + CLOSE_WAIT).await;
        }
    }
}

impl Answer {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|_| "the gateway's answer is of another version: use its own program".into())
    }

    /// Prints it: as it came where JSON was asked for, or else as `text` has it.
    pub(super) fn print<T: DeserializeOwned>(
        &self,
        text: impl FnOnce(T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.print_json();
        }
        print(&text(self.read()?));
        Ok(())
    }

    /// The same for an answer that has no body.
    pub(super) fn print_done(&self, text: &str) -> Result<(), Failure> {
        if self.json {
            return self.print_json();
        }
        print(text);
        Ok(())
    }

    fn print_json(&self) -> Result<(), Failure> {
        let value: Value = match self.body.is_empty() {
            true => Value::Object(serde_json::Map::new()),
            false => self.read()?,
        };
        print(&format!("{value:#}\n"));
        Ok(())
    }
}

/// Never an argument: what runs is seen by everybody on the machine.
fn key(connection: &Connection) -> Result<SecretString, Failure> {
    if let Some(file) = &connection.key_file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("--key-file: {} cannot be read: {error}", file.display()))?;
        return Ok(text.trim().into());
    }
    config::administration_key()
        .ok_or_else(|| "put the key into REGISTRY_GATEWAY_KEY, or name a --key-file".into())
}

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
