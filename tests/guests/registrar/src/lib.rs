//! An adapter for the records of the stand-in registry (`stand_in::records`): it creates, updates,
//! links and enrols, asks what became of a write, and reads life events. What an adapter of a real
//! registry does, in the least number of lines that are still right.

mod events;
mod mapping;
mod sending;
mod writes;

use adapter_sdk::model::{Description, EndpointNeed, FindQuery, Identifier, Person};
use adapter_sdk::{About, Answer, Failure, Find, http, settings};
use serde::Deserialize;

/// The adapter.
pub struct Registrar;

/// The form of states and cursors.
const FORM: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The scheme of the registry's own numbers.
    #[serde(default = "record_id")]
    scheme: String,
    /// The registry calls back with what it does later: it is not asked.
    #[serde(default)]
    calls_back: bool,
}

fn record_id() -> String {
    "record-id".to_owned()
}

impl About for Registrar {
    fn describe() -> Description {
        Description {
            name: "registrar".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Writes to the stand-in registry's records, and hears of life events".into(),
            endpoints: vec![EndpointNeed::required("registry", "The API of records")],
            readable_states: vec![FORM],
            ..Default::default()
        }
    }
}

impl Find for Registrar {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let (settings, id) = record_of(&query.identifiers)?;
        let path = format!("/records/{}", http::segment(&id));
        let record: mapping::Record = http::endpoint("registry").get(path).send()?.ok()?.json()?;
        if record.id != id {
            return Err(Failure::unreadable("answer.mismatch"));
        }
        Ok(mapping::person(record, &settings.scheme).into())
    }
}

/// The settings, and the registry's own number among these identifiers.
fn record_of(identifiers: &[Identifier]) -> Result<(Settings, String), Failure> {
    let settings: Settings = settings::load()?;
    let own = identifiers
        .iter()
        .find(|identifier| identifier.scheme == settings.scheme);
    match own {
        Some(own) => {
            let id = own.value.clone();
            Ok((settings, id))
        }
        None => Err(Failure::rejected("identifier.scheme").field("identifiers")),
    }
}

adapter_sdk::export!(Registrar: find, create, update, link, enrolment, trace, events);

#[cfg(test)]
mod tests;
