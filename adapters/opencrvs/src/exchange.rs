//! Questions and their answers: records by plan, at once or read one by one.

use adapter_sdk::{Failure, http};
use serde_json::Value;

use crate::ENDPOINT;
use crate::mapping::record::Record;
use crate::mapping::{declaration, declared, graphql};
use crate::query::Plan;
use crate::settings::{Settings, Version};
use crate::wire;

/// Records that were found, and how many there are in all.
#[derive(Debug)]
pub struct Found {
    /// The records.
    pub records: Vec<Record>,
    /// How many OpenCRVS answered, before any was left out here.
    pub answered: usize,
    /// How many there are in all.
    pub total: Option<u64>,
    /// Whether there are more behind these.
    pub more: bool,
}

/// The part of what is found that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// How many.
    pub count: u32,
    /// Behind how many.
    pub skip: u32,
    /// Whether each is read as a whole, where that takes another request.
    pub whole: bool,
}

/// The records that a plan finds.
///
/// # Errors
/// As OpenCRVS answers.
pub fn ask(plan: &Plan, slice: Slice, settings: &Settings) -> Result<Found, Failure> {
    match plan {
        Plan::Read(id) => {
            let records = read(std::slice::from_ref(id), settings)?;
            Ok(Found {
                answered: records.len(),
                total: Some(1),
                more: false,
                records,
            })
        }
        Plan::Parameters(parameters) => {
            let body = wire::graphql::search(parameters.clone(), slice.count, slice.skip);
            let response = post(&settings.graphql_path, &body)?.send()?;
            let hits = wire::graphql::hits(response, slice.count)?;
            let seen = u64::from(slice.skip) + u64::from(slice.count);
            let (total, more) = (
                hits.iter().map(|it| it.total).sum(),
                hits.iter().any(|it| it.total > seen),
            );
            let mut ids: Vec<String> = Vec::new();
            for id in hits.into_iter().flat_map(|it| it.ids) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            Ok(Found {
                answered: ids.len(),
                records: read(&ids, settings)?,
                total: Some(total),
                more,
            })
        }
        Plan::Clauses(clauses) => {
            let body = wire::events::search(clauses.clone(), slice.count, slice.skip, Vec::new());
            let path = format!("{}/events/search", settings.events_path);
            let response = post(&path, &body)?.send()?;
            let found = wire::events::found(response, slice.count)?;
            let answered = found.results.len();
            let seen = u64::from(slice.skip) + u64::try_from(answered).unwrap_or(u64::MAX);
            let more = match found.total {
                Some(total) => answered > 0 && total > seen,
                None => u32::try_from(answered).is_ok_and(|it| it >= slice.count),
            };
            let indexed: Vec<_> = found.results.iter().map(declared::from_index).collect();
            let is_read = slice.whole && settings.read_records && settings.version == Version::V2;
            let records = match is_read {
                true => {
                    let ids = indexed.into_iter().map(|it| it.id);
                    let ids: Option<Vec<String>> = ids.collect();
                    read(
                        &ids.ok_or_else(|| Failure::unreadable("record.id"))?,
                        settings,
                    )?
                }
                false => {
                    let each = indexed.iter().map(|it| declaration::record(it, settings));
                    each.collect::<Result<_, _>>()?
                }
            };
            Ok(Found {
                records,
                answered,
                total: found.total,
                more,
            })
        }
    }
}

/// Each of these records as a whole, all at the same time.
fn read(ids: &[String], settings: &Settings) -> Result<Vec<Record>, Failure> {
    let events_api = settings.has_events_api();
    let requests = ids.iter().map(|id| match events_api {
        true => {
            let path = format!("{}/events/{}", settings.events_path, http::segment(id));
            Ok(http::endpoint(ENDPOINT).get(path))
        }
        false => post(
            &settings.graphql_path,
            &wire::graphql::record(id, settings.version),
        ),
    });
    let requests: Vec<_> = requests.collect::<Result<_, Failure>>()?;
    let mut records = Vec::new();
    for (answer, id) in http::send_all(requests).into_iter().zip(ids) {
        let record = match events_api {
            true => {
                let document = wire::events::document(answer?)?;
                let declared = declared::from_document(&document, None)?;
                Some(declaration::record(&declared, settings)?)
            }
            false => graphql::record(&wire::graphql::registration(answer?)?, settings)?,
        };
        // Another record than the one that was asked for is somebody else's.
        if record
            .as_ref()
            .is_some_and(|it| it.id.as_deref() != Some(id))
        {
            return Err(Failure::unreadable("answer.mismatch"));
        }
        records.extend(record);
    }
    Ok(records)
}

/// A JSON body to a path.
pub(crate) fn post(path: &str, body: &Value) -> Result<http::Builder, Failure> {
    http::endpoint(ENDPOINT).post(path).json(body)
}
