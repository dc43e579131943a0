//! Packages: a component with what belongs to it, in custom sections of the one file. PACKAGES.md of
//! `adapter-sdk/` has the format for people.
//!
//! Nothing here runs a component: a package is read by tools that have no engine, too.

mod manifest;
mod recording;
mod section;
mod signature;

pub use manifest::{Endpoint, Manifest};
pub use recording::{Exchange, ExpectedFailure, Recording, Reply, Sent};
pub use signature::{KeyError, SignError, Signer, TrustedKey, Unverified, keygen};

use section::Section;

/// JSON: what the adapter is.
pub const MANIFEST: &str = "openimis:registry/manifest";
/// JSON: calls and their answers.
pub const RECORDINGS: &str = "openimis:registry/recordings";
/// A minisign signature of all that stands before this section.
pub const SIGNATURE: &str = "openimis:registry/signature";

/// Of the manifest: a settings schema is the most of it.
const MAX_MANIFEST: usize = 256 << 10;
/// Of all recordings together. In memory JSON is several times as large.
const MAX_RECORDINGS: usize = 4 << 20;

/// A package, read.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// What the adapter says it is. None: a bare component.
    pub manifest: Option<Manifest>,
    /// The calls that it is checked with.
    pub recordings: Vec<Recording>,
    /// Whether there is a signature, whoever made it.
    pub signed: bool,
}

/// What is wrong with a package, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrong {
    /// `manifest.endpoints.0.name`.
    pub place: String,
    /// What is wrong, with the remedy.
    pub problem: String,
}

impl Package {
    /// Reads what is in the sections, or tells all that is wrong with them.
    ///
    /// # Errors
    /// Each section that is twice there, no JSON, or not of its form.
    pub fn read(file: &[u8]) -> Result<Self, Vec<Wrong>> {
        let sections = section::read(file).map_err(|problem| vec![Wrong::of("module", problem)])?;
        let mut wrong = Vec::new();
        let mut one = |name| {
            let mut of_name = sections.iter().filter(|it| it.name == Some(name));
            let first = of_name.next();
            if of_name.next().is_some() {
                wrong.push(Wrong::of(name, "the section is there twice: package again"));
            }
            first
        };
        let (manifest, recordings) = (one(MANIFEST), one(RECORDINGS));
        let signed = one(SIGNATURE);
        if let Some(signature) = signed
            && signature.end != file.len()
        {
            let problem = "something follows the signature: sign after all else is in the file";
            wrong.push(Wrong::of("signature", problem));
        }
        // Before anything of it is parsed.
        for (section, place, most) in [
            (manifest, "manifest", MAX_MANIFEST),
            (recordings, "recordings", MAX_RECORDINGS),
        ] {
            if section.is_some_and(|it| it.content.len() > most) {
                let problem = format!("more than {} KiB: make it smaller", most >> 10);
                wrong.push(Wrong::of(place, problem));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let manifest = manifest.map(|it| manifest::read(it.content)).transpose();
        let recordings = recordings.map(|it| recording::read(it.content)).transpose();
        let (manifest, recordings) = match (manifest, recordings) {
            (Ok(manifest), Ok(recordings)) if wrong.is_empty() => (manifest, recordings),
            (manifest, recordings) => {
                wrong.extend(manifest.err());
                wrong.extend(recordings.err().into_iter().flatten());
                return Err(wrong);
            }
        };
        Ok(Self {
            manifest,
            recordings: recordings.unwrap_or_default(),
            signed: signed.is_some(),
        })
    }
}

/// A component with a manifest and recordings, in place of those that it has. What was signed is no
/// longer.
///
/// # Errors
/// The file is no WebAssembly, or the recordings have no JSON form.
pub fn pack(
    component: &[u8],
    manifest: &Manifest,
    recordings: &[Recording],
) -> Result<Vec<u8>, Wrong> {
    let mut package = without(component, &[MANIFEST, RECORDINGS, SIGNATURE])?;
    let to_json = |place, json: serde_json::Result<Vec<u8>>| {
        json.map_err(|error| Wrong::of(place, error.to_string()))
    };
    let manifest = to_json("manifest", manifest::write(manifest))?;
    section::append(&mut package, MANIFEST, &manifest);
    if !recordings.is_empty() {
        let recordings = to_json("recordings", recording::write(recordings))?;
        section::append(&mut package, RECORDINGS, &recordings);
    }
    Ok(package)
}

/// The file with a signature, in place of one that it has.
///
/// # Errors
/// The file is no WebAssembly, or the key cannot sign.
pub fn sign(file: &[u8], signer: &Signer) -> Result<Vec<u8>, SignError> {
    let mut package = without(file, &[SIGNATURE]).map_err(SignError::File)?;
    let signature = signer.sign(&package)?;
    section::append(&mut package, SIGNATURE, signature.as_bytes());
    Ok(package)
}

/// The number of the trusted key that signed the file.
///
/// # Errors
/// [`Unverified`]: there is no signature, or none that can be trusted.
pub fn verify<'k>(file: &[u8], trusted: &'k [TrustedKey]) -> Result<&'k str, Unverified> {
    let sections = section::read(file).map_err(|_| Unverified::Unreadable)?;
    // Only the last section can be one: it is about all that stands before it.
    let last = sections.last().filter(|it| it.name == Some(SIGNATURE));
    let last = last.ok_or(Unverified::NotSigned)?;
    let signed = file.get(..last.start).ok_or(Unverified::Unreadable)?;
    signature::verify(signed, last.content, trusted)
}

fn without(file: &[u8], names: &[&str]) -> Result<Vec<u8>, Wrong> {
    let sections = section::read(file).map_err(|problem| Wrong::of("module", problem))?;
    let mut kept = file.get(..section::HEADER).unwrap_or_default().to_vec();
    let stays = |it: &&Section<'_>| it.name.is_none_or(|name| !names.contains(&name));
    for section in sections.iter().filter(stays) {
        kept.extend_from_slice(file.get(section.start..section.end).unwrap_or_default());
    }
    Ok(kept)
}

impl Wrong {
    fn of(place: &str, problem: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            problem: problem.into(),
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// JSON of a section or a file, each mistake named by its field.
fn from_json<T: serde::de::DeserializeOwned>(place: &str, json: &[u8]) -> Result<T, Wrong> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        let place = match &*path {
            "." => place.to_owned(),
            path => format!("{place}.{path}"),
        };
        // What it quotes may be somebody's name, where recordings are not invented.
        let text = match error.inner().classify() {
            serde_json::error::Category::Data => "has not the form that the format says".into(),
            _ => format!("is not JSON at line {}", error.inner().line()),
        };
        Wrong {
            place,
            problem: text,
        }
    })?;
    json.end()
        .map_err(|_| Wrong::of(place, "something follows the JSON value"))?;
    Ok(value)
}

#[cfg(test)]
mod tests;
