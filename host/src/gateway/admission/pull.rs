//! Modules from an OCI registry, by digest: a manifest with one layer that is the module.
//!
//! The threat: whoever can name a reference has the gateway make requests. So the registries are
//! those of the configuration alone, reached like any endpoint: by its address policy, certificate
//! authorities, proxy and credential. What comes must have the digests that were asked for.

mod registry;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{ModuleView, Place};
use registry::{Asked, Registry};

use crate::gateway::{Act, Acting, AdminError, Gateway};
use crate::sandbox::digest_of;

const SCHEME: &str = "oci://";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const WASM: &str = "application/wasm";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
const MAX_MANIFEST: u64 = 1 << 20;
const MAX_REFERENCE: usize = 512;

/// `oci://host/repository@sha256:…`.
#[derive(Debug, Eq, PartialEq)]
struct Reference {
    host: String,
    repository: String,
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

impl Gateway {
    /// Pulls a module by digest, and admits and stores it. One that was pulled is not pulled again.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for the reference, [`AdminError::Refused`] with what the registry
    /// lacks or all that is wrong with the module, or as for any act.
    pub async fn pull_module(
        &self,
        by: &Acting,
        reference: &str,
        place: Place,
    ) -> Result<ModuleView, AdminError> {
        let parsed = Reference::parse(reference).map_err(invalid)?;
        let act = Act {
            word: "module.pull",
            subject: Some(reference.to_owned()),
            detail: Some(json!({ "reference": reference })),
            ..Act::default()
        };
        let (gateway, reference) = (self.clone(), reference.to_owned());
        self.act(by, act, async move {
            let _place = place;
            let store = &gateway.inner.store;
            if let Some(digest) = store.modules().pulled_as(&reference).await? {
                return gateway.module(&digest).await;
            }
            let bytes = gateway.fetch(&parsed).await?;
            let examined = gateway.examine(&bytes).await?;
            let view = gateway.store_module(examined, bytes, reference.clone());
            let view = view.await?;
            let digest = &view.summary.digest;
            store.modules().pulled(&reference, digest).await?;
            Ok(view)
        })
        .await
    }

    async fn fetch(&self, reference: &Reference) -> Result<Bytes, AdminError> {
        let Reference {
            host,
            repository,
            digest,
        } = reference;
        let Some(config) = self.inner.admission.oci.get(host) else {
            return Err(invalid(format!(
                "admission.oci has no registry \"{host}\": an administrator adds it there"
            )));
        };
        let (egress, secrets) = self.inner.roster.outside();
        let most = self.max_module_bytes();
        let from = Asked {
            host,
            repository,
            config,
        };
        let mut registry = Registry::open(from, egress, secrets, most).map_err(refused)?;
        let path = format!("/v2/{repository}/manifests/{digest}");
        let manifest = registry.get(&path, MAX_MANIFEST).await.map_err(refused)?;
        same(&manifest, digest, "the manifest").map_err(refused)?;
        let layer = layer(&manifest, most).map_err(refused)?;
        let path = format!("/v2/{repository}/blobs/{}", layer.digest);
        let module = registry.get(&path, most).await.map_err(refused)?;
        same(&module, &layer.digest, "the module").map_err(refused)?;
        Ok(module)
    }
}

fn same(bytes: &[u8], digest: &str, what: &str) -> Result<(), String> {
    if digest_of(bytes) == digest {
        return Ok(());
    }
    Err(format!(
        "{what} that came has another digest: it was changed on the way or in the registry"
    ))
}

/// The one layer of a Wasm artifact.
fn layer(manifest: &[u8], most: u64) -> Result<Descriptor, String> {
    let no = "the artifact is no module: one layer application/wasm, and a config \
              application/vnd.wasm.config.v0+json";
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|_| no.to_owned())?;
    let Ok([layer]) = <[Descriptor; 1]>::try_from(manifest.layers) else {
        return Err(no.to_owned());
    };
    if layer.media_type != WASM || manifest.config.media_type != WASM_CONFIG {
        return Err(no.to_owned());
    }
    if layer.size > most {
        let size = layer.size;
        return Err(format!(
            "it has {size} bytes, more than sandbox.max_module_bytes ({most})"
        ));
    }
    if !is_digest(&layer.digest) {
        return Err("its layer has no sha256 digest".into());
    }
    Ok(layer)
}

impl Reference {
    fn parse(text: &str) -> Result<Self, String> {
        let form = "write oci://host/repository@sha256:…, as the registry's own tools show it";
        let rest = text
            .strip_prefix(SCHEME)
            .filter(|_| text.len() <= MAX_REFERENCE);
        let rest = rest.ok_or(form)?;
        let (name, digest) = rest.split_once('@').ok_or(
            "write the digest, @sha256:…: what a tag stands for may change after it was checked",
        )?;
        let (host, repository) = name.split_once('/').ok_or(form)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let part = |part: &str| {
            let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
            let bytes = part.as_bytes();
            ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|b| plain(*b))
        };
        if host.is_empty() || !repository.split('/').all(part) || !is_digest(digest) {
            return Err(form.to_owned());
        }
        Ok(Self {
            host: host.to_owned(),
            repository: repository.to_owned(),
            digest: digest.to_owned(),
        })
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        hex.len() == 64 && hex.bytes().all(digit)
    })
}

fn invalid(problem: String) -> AdminError {
    AdminError::Invalid {
        field: "reference".into(),
        problem,
    }
}

fn refused(problem: String) -> AdminError {
    super::refused(vec![super::difference::finding("reference", problem)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_registry_repository_and_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let good = format!("oci://r.example.org:5000/team/spdci_x.y@{digest}");
        let parsed = Reference::parse(&good).unwrap();
        assert_eq!(
            (&*parsed.host, &*parsed.repository, &parsed.digest),
            ("r.example.org:5000", "team/spdci_x.y", &digest)
        );
        for bad in [
            "r/a".to_owned(),
            format!("https://r/a@{digest}"),
            "oci://r/a:latest".into(),
            "oci://r/a@sha256:00".into(),
            format!("oci://r@{digest}"),
            format!("oci:///a@{digest}"),
            format!("oci://r/../a@{digest}"),
            format!("oci://r/a//b@{digest}"),
            format!("oci://r/a?b@{digest}"),
            format!("oci://r/A@{digest}"),
            format!("oci://r/{}@{digest}", "a".repeat(600)),
        ] {
            assert!(Reference::parse(&bad).is_err(), "{bad}");
        }
        let tag = Reference::parse("oci://r/a:latest").unwrap_err();
        assert!(tag.contains("digest"), "{tag}");
    }
}
