//! What a module imports and exports, read without running it.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::model::Ability;

/// Of the contract: what this gateway lends.
const LENT: [&str; 5] = ["types", "http", "settings", "call", "log"];
/// Of the contract, but not lent or called yet.
const LATER_LENT: [&str; 3] = ["signing", "vital", "writing"];
const LATER_ABILITIES: [&str; 6] = ["create", "update", "link", "enrolment", "trace", "events"];
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
        "needs adapter interface {0}, this gateway speaks 1.0: build the adapter against 1.0, or upgrade the gateway"
    )]
    Version(String),
    /// In the contract, and not implemented yet.
    #[error("uses {0}, which this gateway does not implement yet: leave it out of the adapter")]
    NotYet(String),
    /// Nothing to call.
    #[error("exports no ability: export at least one of find, household, search, verify")]
    NoAbility,
    /// Nothing to say what it is.
    #[error("does not export openimis:registry/about@1.0.0: every adapter describes itself")]
    NoAbout,
}

/// Refuses what is not on the list, by name, and tells the abilities.
pub(super) fn inspect(
    engine: &Engine,
    component: &Component,
) -> Result<Vec<Ability>, ImportRefusal> {
    let interface = component.component_type();
    // Before the imports: a write imports the types that writes share, and the remedy is to leave
    // out the ability.
    for (name, _) in interface.exports(engine) {
        if parse(name)
            .is_some_and(|it| it.package == PACKAGE && LATER_ABILITIES.contains(&it.interface))
        {
            return Err(ImportRefusal::NotYet(name.into()));
        }
    }
    for (name, _) in interface.imports(engine) {
        check_import(name)?;
    }
    let (mut about, mut abilities) = (false, Vec::new());
    for (name, _) in interface.exports(engine) {
        let Some(export) = parse(name).filter(|export| export.package == PACKAGE) else {
            continue;
        };
        check_version(name, &export)?;
        about |= export.interface == "about";
        abilities.extend(Ability::parse(export.interface));
    }
    if !about {
        return Err(ImportRefusal::NoAbout);
    }
    if abilities.is_empty() {
        return Err(ImportRefusal::NoAbility);
    }
    abilities.sort_unstable();
    Ok(abilities)
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
