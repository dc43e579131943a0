//! Where secrets come from: `env:REGISTRY_SECRET_*` or `file:` below the secrets directory,
//! nothing else. A configuration file holds the place of a secret, never the secret.

mod witness;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use witness::Witness;

/// What the name of an environment variable must begin with: the configuration cannot be used to
/// read the rest of the environment.
pub const ENVIRONMENT_PREFIX: &str = "REGISTRY_SECRET_";

/// A secret is a password, a token or a key, so a larger file is a mistake.
pub const MAX_SECRET_BYTES: u64 = 64 * 1024;

type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretSource {
    /// `env:REGISTRY_SECRET_…`: the whole name of the variable.
    Environment(String),
    /// `file:…`: a path below the secrets directory.
    File(String),
}

/// The text is not a place of a secret. It is not repeated here: it may be the secret itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write env:REGISTRY_SECRET_<NAME> or file:<name below the secrets directory>")]
pub struct BadSecretSource;

/// Reads secrets. It alone reads the environment.
#[derive(Clone)]
pub struct Secrets {
    directory: Option<PathBuf>,
    environment: Arc<Environment>,
    witness: Option<Witness>,
}

/// A secret could not be read. Names the field and what to do, never the value.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {remedy}")]
pub struct SecretError {
    /// The field of the configuration that names the secret.
    pub field: String,
    /// What is wrong with it.
    #[source]
    pub problem: SecretProblem,
    remedy: String,
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// The variable is not set, or not UTF-8.
    #[error("the environment variable is not set")]
    NotSet,
    /// A `file:` secret without a secrets directory.
    #[error("no secrets directory is configured")]
    NoDirectory,
    /// The file does not exist or cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// A symbolic link leads out of the secrets directory.
    #[error("the file is outside the secrets directory")]
    Outside,
    /// A directory, device or pipe.
    #[error("not a regular file")]
    NotAFile,
    /// Over [`MAX_SECRET_BYTES`].
    #[error("larger than a secret may be")]
    TooLarge,
    /// Nothing left after the trailing newline.
    #[error("empty")]
    Empty,
    /// A secret is text.
    #[error("not UTF-8")]
    NotText,
}

impl SecretError {
    /// What to do, and why.
    pub fn remedy(&self) -> String {
        format!("{}: {}", self.remedy, self.problem)
    }
}

impl SecretSource {
    /// Reads the place of a secret from its text.
    pub fn parse(text: &str) -> Result<Self, BadSecretSource> {
        if let Some(name) = text.strip_prefix("env:") {
            let rest = name
                .strip_prefix(ENVIRONMENT_PREFIX)
                .ok_or(BadSecretSource)?;
            let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            if rest.is_empty() || !rest.bytes().all(allowed) {
                return Err(BadSecretSource);
            }
            return Ok(Self::Environment(name.to_owned()));
        }
        let name = text.strip_prefix("file:").ok_or(BadSecretSource)?;
        if !name.split('/').all(is_plain_file_name) {
            return Err(BadSecretSource);
        }
        Ok(Self::File(name.to_owned()))
    }
}

impl TryFrom<String> for SecretSource {
    type Error = BadSecretSource;

    fn try_from(text: String) -> Result<Self, BadSecretSource> {
        Self::parse(&text)
    }
}

impl From<SecretSource> for String {
    fn from(source: SecretSource) -> Self {
        source.to_string()
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(name) => write!(f, "file:{name}"),
        }
    }
}

impl Secrets {
    /// Secrets of this process: its environment, and the files below `directory`.
    pub fn new(directory: Option<PathBuf>) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads secrets from the environment"
        )]
        let read = |name: &str| std::env::var(name).ok();
        Self::with_environment(directory, read)
    }

    /// The same with another environment: tests need not touch their own.
    pub fn with_environment(
        directory: Option<PathBuf>,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            directory,
            environment: Arc::new(environment),
            witness: None,
        }
    }

    /// The same secrets, with a witness of what is read of them through this handle.
    pub fn witnessed(&self) -> (Self, Witness) {
        let witness = Witness::default();
        let witnessed = Self {
            witness: Some(witness.clone()),
            ..self.clone()
        };
        (witnessed, witness)
    }

    /// Reads a secret. One trailing newline is no part of it. `field` is named in the error.
    pub fn resolve(&self, field: &str, source: &SecretSource) -> Result<SecretString, SecretError> {
        let text = match source {
            SecretSource::Environment(name) => {
                (self.environment)(name).ok_or(SecretProblem::NotSet)
            }
            SecretSource::File(name) => self.read_file(name),
        };
        text.and_then(without_newline)
            .map(SecretString::from)
            .inspect(|secret| {
                if let Some(witness) = &self.witness {
                    witness.saw(field, secret);
                }
            })
            .map_err(|problem| SecretError {
                field: field.to_owned(),
                remedy: remedy(&problem, source),
                problem,
            })
    }

    fn read_file(&self, name: &str) -> Result<String, SecretProblem> {
        let directory = self
            .directory
            .as_deref()
            .ok_or(SecretProblem::NoDirectory)?;
        let root = directory
            .canonicalize()
            .map_err(SecretProblem::Unreadable)?;
        let path = real_path(&root, name)?;
        // Looked at before it is opened: opening a pipe would wait for a writer.
        let about = std::fs::metadata(&path).map_err(SecretProblem::Unreadable)?;
        if !about.is_file() {
            return Err(SecretProblem::NotAFile);
        }
        let file = std::fs::File::open(&path).map_err(SecretProblem::Unreadable)?;
        let mut bytes = Vec::new();
        file.take(MAX_SECRET_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(SecretProblem::Unreadable)?;
        if bytes.len() as u64 > MAX_SECRET_BYTES {
            return Err(SecretProblem::TooLarge);
        }
        String::from_utf8(bytes).map_err(|_| SecretProblem::NotText)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Symbolic links are followed, since mounted Kubernetes secrets consist of them, but only within
/// the directory.
fn real_path(root: &Path, name: &str) -> Result<PathBuf, SecretProblem> {
    let path = root
        .join(name)
        .canonicalize()
        .map_err(SecretProblem::Unreadable)?;
    if path.starts_with(root) {
        Ok(path)
    } else {
        Err(SecretProblem::Outside)
    }
}

/// No leading dot rules out `.` and `..`; no empty name rules out absolute paths.
fn is_plain_file_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(allowed)
}

fn without_newline(mut text: String) -> Result<String, SecretProblem> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(SecretProblem::Empty);
    }
    Ok(text)
}

fn remedy(problem: &SecretProblem, source: &SecretSource) -> String {
    match problem {
        SecretProblem::NotSet => format!("set {source} in the gateway's environment"),
        SecretProblem::NoDirectory => format!("configure the secrets directory to use {source}"),
        SecretProblem::Unreadable(_) => format!("make {source} readable for the gateway"),
        SecretProblem::Outside => {
            format!("put {source} into the secrets directory; it links to a place outside")
        }
        SecretProblem::NotAFile => format!("make {source} a regular file"),
        SecretProblem::TooLarge => format!("{source} is over {MAX_SECRET_BYTES} bytes"),
        SecretProblem::Empty => format!("{source} is empty"),
        SecretProblem::NotText => format!("{source} is not UTF-8 text"),
    }
}

#[cfg(test)]
mod tests;
