//! What a module imports and exports, read without running it.

use wasmparser::{Chunk, Encoding, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::model::Ability;

/// Of the contract: what this gateway lends.
/// `vital` and `writing` are types alone.
const LENT: [&str; 7] = [
    "types", "vital", "writing", "http", "settings", "call", "log",
];
/// Of the contract, but not lent or called yet.
const LATER_LENT: [&str; 1] = ["signing"];
/// Linked, and refusing where they would reach anything.
const NULL_WASI: [&str; 6] = [
    "wasi:io",
    "wasi:cli",
    "wasi:clocks",
    "wasi:random",
    "wasi:filesystem",
    "wasi:sockets",
];
const PACKAGE: &str = "openimis:registry";
/// Imports and exports: each that is refused is told in a sentence.
const MAX_NAMES: usize = 1_000;

/// Why a module's imports or exports are refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ImportRefusal {
    /// Not on the list of what is lent.
    #[error(
        "imports {0}, which is not lent: an adapter may import openimis:registry and the null wasi:io, cli, clocks, random, filesystem and sockets; reach a registry by openimis:registry/http"
    )]
    NotLent(String),
    /// Of a later version of the contract.
    #[error(
        "needs adapter interface {}, this gateway speaks {SPEAKS}: build the adapter against {SPEAKS}, or use another gateway", needs(.0)
    )]
    Version(String),
    /// In the contract, and not implemented yet.
    #[error("uses {0}, which this gateway does not implement yet: leave it out of the adapter")]
    NotYet(String),
    /// Nothing to call.
    #[error(
        "exports no ability: export at least one of find, household, search, verify, create, update, link, enrolment, events"
    )]
    NoAbility,
    /// Nothing to say what it is.
    #[error("does not export openimis:registry/about@1.0.0: every adapter describes itself")]
    NoAbout,
}

/// The minor version of the interface that this gateway speaks.
pub(super) const SPEAKS: &str = "1.0";

/// What a component imports and exports, by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    /// Of a compiled component.
    pub(super) fn of(engine: &Engine, component: &Component) -> Self {
        let interface = component.component_type();
        let name = |(name, _): (&str, _)| name.to_owned();
        Self {
            imports: interface.imports(engine).map(name).collect(),
            exports: interface.exports(engine).map(name).collect(),
        }
    }

    /// Of a component's bytes, whose inner parts are not looked at.
    pub(super) fn read(bytes: &[u8]) -> wasmtime::Result<Self> {
        let mut names = Self::default();
        let mut parser = Parser::new(0);
        let mut rest = bytes;
        loop {
            let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
                wasmtime::bail!("the file ends early");
            };
            rest = rest.get(consumed..).unwrap_or_default();
            match payload {
                Payload::Version { encoding, .. } if encoding != Encoding::Component => {
                    wasmtime::bail!("it is a core module");
                }
                Payload::ModuleSection {
                    unchecked_range: inner,
                    ..
                }
                | Payload::ComponentSection {
                    unchecked_range: inner,
                    ..
                } => {
                    let after = rest.get(inner.len()..);
                    rest = after.ok_or_else(|| wasmtime::Error::msg("the file ends early"))?;
                }
                Payload::ComponentImportSection(section) => {
                    if usize::try_from(section.count()).is_ok_and(|it| it > MAX_NAMES) {
                        return Err(too_many());
                    }
                    for import in section {
                        names.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) => {
                    if usize::try_from(section.count()).is_ok_and(|it| it > MAX_NAMES) {
                        return Err(too_many());
                    }
                    for export in section {
                        names.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::End(_) => return Ok(names),
                _ => {}
            }
            if names.imports.len() + names.exports.len() > MAX_NAMES {
                return Err(too_many());
            }
        }
    }

    /// Refuses what is not on the list, each by name, or tells the abilities.
    pub(super) fn judge(&self) -> Result<Vec<Ability>, Vec<ImportRefusal>> {
        let mut refused: Vec<ImportRefusal> = Vec::new();
        let checked = self.imports.iter().map(|name| check_import(name));
        refused.extend(checked.filter_map(Result::err));
        let (mut about, mut abilities) = (false, Vec::new());
        for name in &self.exports {
            let Some(export) = parse(name).filter(|export| export.package == PACKAGE) else {
                continue;
            };
            refused.extend(check_version(name, &export).err());
            about |= export.interface == "about";
            abilities.extend(Ability::parse(export.interface));
        }
        if !about {
            refused.push(ImportRefusal::NoAbout);
        }
        // Alone it has nothing to ask about.
        let nothing = abilities.iter().all(|ability| *ability == Ability::Trace);
        if nothing && !refused.iter().any(ImportRefusal::is_of_later) {
            refused.push(ImportRefusal::NoAbility);
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        abilities.sort_unstable();
        Ok(abilities)
    }

    /// The latest version of the interface that it names, where that is later than this gateway's.
    pub(super) fn newer(&self) -> Option<String> {
        let names = self.imports.iter().chain(&self.exports);
        let versions = names.filter_map(|name| {
            let name = parse(name).filter(|name| name.package == PACKAGE)?;
            minor(name.version?)
        });
        let latest = versions.max()?;
        (latest > minor(SPEAKS)?).then(|| format!("{}.{}", latest.0, latest.1))
    }
}

fn too_many() -> wasmtime::Error {
    wasmtime::Error::msg("more than 1000 imports and exports: an adapter needs a few dozen")
}

/// Several refusals as one sentence.
pub(super) fn list(refusals: &[ImportRefusal]) -> String {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Of `1.3.0`: 1 and 3.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `1.3` of `openimis:registry/find@1.3.0`.
fn needs(name: &str) -> String {
    let version = parse(name).and_then(|name| name.version);
    match version.and_then(minor) {
        Some((major, minor)) => format!("{major}.{minor}"),
        None => version.unwrap_or("of no version").to_owned(),
    }
}

impl ImportRefusal {
    /// What it is about: `imports.wasi:http/types@0.2.0`.
    pub fn place(&self) -> String {
        match self {
            Self::NotLent(name) => format!("imports.{name}"),
            Self::Version(name) | Self::NotYet(name) => format!("interface.{name}"),
            Self::NoAbility | Self::NoAbout => "exports".into(),
        }
    }

    fn is_of_later(&self) -> bool {
        matches!(self, Self::NotYet(_) | Self::Version(_))
    }
}

fn check_import(name: &str) -> Result<(), ImportRefusal> {
    let Some(import) = parse(name) else {
        return Err(ImportRefusal::NotLent(name.into()));
    };
    if import.package == PACKAGE {
        if LATER_LENT.contains(&import.interface) {
            return Err(ImportRefusal::NotYet(name.into()));
        }
        check_version(name, &import)?;
        if LENT.contains(&import.interface) {
            return Ok(());
        }
    } else if NULL_WASI.contains(&import.package) {
        return match import.version {
            Some(version) if version.starts_with("0.2.") => Ok(()),
            _ => Err(ImportRefusal::NotLent(name.into())),
        };
    }
    Err(ImportRefusal::NotLent(name.into()))
}

/// Within a major version a module may be newer or older than the gateway: what it uses of a newer
/// minor shows when it is linked.
fn check_version(name: &str, import: &Name<'_>) -> Result<(), ImportRefusal> {
    match import.version {
        Some(version) if version.starts_with("1.") => Ok(()),
        _ => Err(ImportRefusal::Version(name.into())),
    }
}

struct Name<'a> {
    package: &'a str,
    interface: &'a str,
    version: Option<&'a str>,
}

/// `package:name/interface@version`.
fn parse(name: &str) -> Option<Name<'_>> {
    let (path, version) = match name.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (name, None),
    };
    let (package, interface) = path.split_once('/')?;
    Some(Name {
        package,
        interface,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_what_is_on_the_list() {
        for name in [
            "openimis:registry/http@1.0.0",
            "openimis:registry/types@1.4.2",
            "wasi:io/streams@0.2.6",
            "wasi:sockets/tcp@0.2.3",
            "wasi:filesystem/types@0.2.6",
        ] {
            assert_eq!(check_import(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_are_counted_before_they_are_read() {
        // A section of exports that says it has 2000, and has none.
        let file = b"\0asm\x0d\0\x01\0\x0b\x02\xd0\x0f";
        let error = Names::read(file).unwrap_err().to_string();
        assert!(error.contains("more than 1000"), "{error}");
    }

    #[test]
    fn refuses_the_rest_by_name() {
        for name in [
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:keyvalue/store@0.2.0",
            "wasi:io/streams@0.3.0",
            "wasi:io/streams",
            "env",
            "openimis:registry/secrets@1.0.0",
        ] {
            assert_eq!(
                check_import(name),
                Err(ImportRefusal::NotLent(name.into())),
                "{name}"
            );
        }
        let signing = "openimis:registry/signing@1.0.0";
        assert_eq!(
            check_import(signing),
            Err(ImportRefusal::NotYet(signing.into()))
        );
        let major = "openimis:registry/http@2.0.0";
        assert_eq!(
            check_import(major),
            Err(ImportRefusal::Version(major.into()))
        );
    }
}
