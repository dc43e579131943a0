//! Messages of the PMIR feed (ITI-93) that the registry posts to us, and changes that it is asked for.

use adapter_sdk::model::{Callback, ChangesPage, Event, Reception};
use adapter_sdk::{Events, Failure, Opaque, dates, ids, log};
use fhir_r4::bundle::Bundle;
use fhir_r4::dates::parse_instant;
use fhir_r4::lookup;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exchange::Registry;
use crate::mapping::event;
use crate::settings::Settings;
use crate::wire::feed::{self, Message};
use crate::wire::sender::{answered, is_proven, refused};
use crate::{CURSOR, FhirClientRegistry};

/// How many pages of one instant are read.
const MOST_PAGES: usize = 10;

/// The cursor: up to when changes were told, as the registry writes it.
#[derive(Debug, Deserialize, Serialize)]
struct Since(String);

impl Events for FhirClientRegistry {
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        let settings = Settings::load()?;
        if callback.method != "POST" {
            return Ok(Reception::status(405));
        }
        if !is_proven(&callback, settings.callback_token_sha256.as_deref()) {
            if settings.callback_token_sha256.is_none() {
                log::warn!("a message is refused: callback_token_sha256 is not set");
            }
            return Ok(refused(401, "login", "the token is missing or wrong"));
        }
        let mut types = callback.headers.iter();
        let kind = types.find(|(name, _)| name == "content-type");
        if kind.is_some_and(|(_, kind)| kind.contains("xml")) {
            return Ok(refused(
                415,
                "not-supported",
                "application/fhir+json is read alone",
            ));
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&callback.body) else {
            return Ok(refused(400, "structure", "the body is no JSON"));
        };
        feed::localize(&mut body, settings.link_base.as_ref());
        let told = Message::read(&body).and_then(|message| {
            let events = event::events(&message, &settings, &settings.rules())?;
            Ok((message, events))
        });
        let (message, events) = match told {
            Ok(told) => told,
            Err(failure) => {
                // The code alone: it says which part of the message is missing.
                let why = failure.code().unwrap_or("message").to_owned();
                return Ok(refused(400, "invalid", &why));
            }
        };
        let mut reception = answered(200, &feed::response(&message, &ids::uuid(), &dates::now()));
        reception.events = events;
        Ok(reception)
    }

    /// A registry without a feed is asked for the Patients that changed (`_lastUpdated`, R4, section
    /// 3.1.1.4.0.5). Who changed at the very instant of the cursor is told again: repeats are harmless.
    fn changes(cursor: Option<Opaque>, limit: u32) -> Result<ChangesPage, Failure> {
        let registry = Registry::load()?;
        if !registry.settings.poll {
            return Err(Failure::unsupported("changes").message("settings.poll is not set"));
        }
        let Some(cursor) = cursor else {
            return page(Vec::new(), Since(dates::now()), false);
        };
        let Since(since) = cursor.unpack(CURSOR)?;
        let query = vec![
            ("_lastUpdated".to_owned(), format!("ge{since}")),
            ("_sort".to_owned(), "_lastUpdated".to_owned()),
            ("_count".to_owned(), limit.max(1).to_string()),
        ];
        let mut body = registry.search("Patient", &query)?;
        let mut events = Vec::new();
        // More than a page may have changed at one instant; a second of them is a bulk load.
        for _ in 0..MOST_PAGES {
            let bundle = Bundle::read(&body, "Patient")?;
            let patients = bundle.matches("Patient");
            // The cursor would pass over older ones on the pages to come.
            if !is_sorted(&patients) {
                return Err(Failure::unsupported("changes.sort").field("cursor"));
            }
            events.extend(event::changed(
                &patients,
                &registry.settings,
                &registry.rules,
            )?);
            let last = last(&patients).unwrap_or_else(|| since.clone());
            let next = registry.server.next_page(&bundle, "Patient")?;
            match next {
                Some(next) if last == since => {
                    let response = registry.server.next("Patient", &next)?.send()?;
                    body = lookup::answer(&registry.server, &response)?;
                }
                next => return page(events, Since(last), next.is_some()),
            }
        }
        Err(Failure::unsupported("changes.at-once").field("cursor"))
    }
}

fn page(events: Vec<Event>, since: Since, more: bool) -> Result<ChangesPage, Failure> {
    Ok(ChangesPage {
        events,
        cursor: Opaque::pack(CURSOR, &since)?,
        more,
    })
}

/// Whether a page has the oldest first, as it was asked for.
fn is_sorted(patients: &[&Value]) -> bool {
    let updated = patients
        .iter()
        .filter_map(|it| it.get("meta")?.get("lastUpdated")?.as_str());
    updated.filter_map(parse_instant).is_sorted()
}

/// The newest instant, as it is written: it goes back into a search.
fn last(patients: &[&Value]) -> Option<String> {
    let updated = patients
        .iter()
        .filter_map(|it| it.get("meta")?.get("lastUpdated")?.as_str());
    let instants = updated.filter_map(|it| Some((parse_instant(it)?, it)));
    instants.max().map(|(_, it)| it.to_owned())
}
