//! Packages on this machine: no gateway is needed.

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::cli::{Failure, print};
use crate::model::Ability;
use crate::package::{self, Endpoint, Manifest, Package, Recording, Signer};

/// `adapter.toml`. What is in it for people alone is not packaged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    version: String,
    summary: String,
    licence: Option<String>,
    source: Option<String>,
    abilities: Vec<Ability>,
    #[serde(default)]
    readable_states: Vec<u32>,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
    /// The file with it, beside this one.
    settings_schema: Option<PathBuf>,
    /// For people: the schema says the same for programs.
    #[serde(rename = "settings")]
    _settings: Option<toml::Table>,
}

/// Puts a component, its manifest and its recordings into one file.
pub(super) fn package(
    component: &Path,
    manifest: &Path,
    recordings: Option<&Path>,
    out: &Path,
) -> Result<(), Failure> {
    let bytes = read(component)?;
    let manifest = manifest_of(manifest)?;
    let recordings = recordings.map(recordings_of).transpose()?;
    let recordings = recordings.unwrap_or_default();
    let packed = package::pack(&bytes, &manifest, &recordings).map_err(|it| it.to_string())?;
    write(out, &packed)?;
    print(&format!(
        "{} {} with {} recordings: {}\n",
        manifest.name,
        manifest.version,
        recordings.len(),
        out.display()
    ));
    Ok(())
}

/// Signs a file in place, or into another.
pub(super) fn sign(
    file: &Path,
    key: &Path,
    password: Option<&Path>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let secret = SecretString::from(text(key)?);
    let signer = Signer::open(secret.expose_secret(), password_of(password)?.as_ref())?;
    let signed = package::sign(&read(file)?, &signer)?;
    let out = out.unwrap_or(file);
    write(out, &signed)?;
    print(&format!(
        "signed by key {}: {}\n",
        signer.number(),
        out.display()
    ));
    Ok(())
}

/// Makes a pair of keys.
pub(super) fn keygen(secret: &Path, password: Option<&Path>) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let (key, public) = package::keygen(password_of(password)?.as_ref())?;
    // Another key is never written over.
    let mut options = fs::OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(secret);
    let written = file.and_then(|mut file| file.write_all(key.expose_secret().as_bytes()));
    written.map_err(|error| format!("{} cannot be made: {error}", secret.display()))?;
    print(&format!(
        "the secret key is in {}: keep it away from the gateway\n[admission]\ntrusted_keys = [\"{public}\"]\n",
        secret.display()
    ));
    Ok(())
}

/// Shows what is in a file, without running it.
pub(super) fn inspect(file: &Path) -> Result<(), Failure> {
    let bytes = read(file)?;
    let package = Package::read(&bytes).map_err(|wrong| {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        wrong.join("\n  ")
    })?;
    let mut shown = String::new();
    match &package.manifest {
        None => shown.push_str("no manifest: a bare component\n"),
        Some(manifest) => {
            shown.push_str(&serde_json::to_string_pretty(manifest)?);
            shown.push('\n');
        }
    }
    for recording in &package.recordings {
        shown.push_str(&format!(
            "recording {} ({})\n",
            recording.name, recording.ability
        ));
    }
    shown.push_str(if package.signed {
        "signed: the gateway says whether by a trusted key\n"
    } else {
        "not signed\n"
    });
    print(&shown);
    Ok(())
}

fn manifest_of(file: &Path) -> Result<Manifest, Failure> {
    let read: ManifestFile = crate::config::read::toml_file(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let settings_schema = match &read.settings_schema {
        None => None,
        Some(schema) => {
            let schema = folder.join(schema);
            let json = serde_json::from_str(&text(&schema)?);
            Some(json.map_err(|error| format!("{}: {error}", schema.display()))?)
        }
    };
    Ok(Manifest {
        format: 1,
        name: read.name,
        version: read.version,
        summary: read.summary,
        licence: read.licence,
        source: read.source,
        abilities: read.abilities,
        endpoints: read.endpoints,
        settings_schema,
        readable_states: read.readable_states,
    })
}

/// By their names, so that the same files give the same package.
fn recordings_of(folder: &Path) -> Result<Vec<Recording>, Failure> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let files = fs::read_dir(folder).map_err(unreadable)?;
    let files = files.map(|file| file.map(|file| file.path()));
    let mut files = files.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    let recordings = files.iter().map(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let recording = Recording::read(&name, &read(file)?).map_err(|it| it.to_string())?;
        Ok(recording)
    });
    recordings.collect()
}

fn password_of(file: Option<&Path>) -> Result<Option<SecretString>, Failure> {
    let password = file.map(text).transpose()?;
    Ok(password.map(|it| it.trim_end_matches(['\r', '\n']).into()))
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()).into())
}

fn text(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file);
    text.map_err(|error| format!("{} cannot be read: {error}", file.display()).into())
}

/// Whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    let written = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .and_then(|mut new| new.write_all(bytes).map(|()| new))
        .and_then(|new| new.persist(file).map_err(|error| error.error));
    written.map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    Ok(())
}
