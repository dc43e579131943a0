use std::path::PathBuf;

use serde::{Deserialize, Serialize};

const DIGEST: &str = "sha256:";
const PULLED: &str = "oci://";

/// Where a registry's module is.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum ModuleSource {
    /// `sha256:…`: one that the gateway has already.
    Digest(String),
    /// `oci://…`: one that the gateway fetches.
    Pulled(String),
    /// A `.wasm`, relative to the file that names it.
    File(PathBuf),
}

/// The text names no module.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("write a file's path, sha256: and 64 hexadecimal digits, or oci://host/name@sha256:…")]
pub struct BadModuleSource;

impl TryFrom<String> for ModuleSource {
    type Error = BadModuleSource;

    fn try_from(text: String) -> Result<Self, BadModuleSource> {
        if let Some(digits) = text.strip_prefix(DIGEST) {
            let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            let whole = digits.len() == 64 && digits.bytes().all(lower);
            return whole.then_some(Self::Digest(text)).ok_or(BadModuleSource);
        }
        match text.as_str() {
            "" | PULLED => Err(BadModuleSource),
            _ if text.starts_with(PULLED) => Ok(Self::Pulled(text)),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl From<ModuleSource> for String {
    fn from(source: ModuleSource) -> Self {
        match source {
            ModuleSource::Digest(text) | ModuleSource::Pulled(text) => text,
            ModuleSource::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_a_file_a_digest_or_pulled() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let read = |text: &str| ModuleSource::try_from(text.to_owned());
        assert_eq!(read(&digest), Ok(ModuleSource::Digest(digest.clone())));
        let pulled = "oci://r.example/a@sha256:1";
        assert_eq!(read(pulled), Ok(ModuleSource::Pulled(pulled.into())));
        assert_eq!(read("a/b.wasm"), Ok(ModuleSource::File("a/b.wasm".into())));
        for bad in [
            "",
            "oci://",
            "sha256:",
            "sha256:0A",
            &digest.to_uppercase().replace("SHA", "sha"),
        ] {
            assert_eq!(read(bad), Err(BadModuleSource), "{bad}");
        }
        assert_eq!(String::from(read("a/b.wasm").unwrap()), "a/b.wasm");
    }
}
