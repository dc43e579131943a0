//! GraphQL (1.3 to 1.8): documents of our own with variables, never with values in their text.

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use serde_json::{Value, json};

use crate::mapping::shape::{Object, bounded, object, plain, put};
use crate::settings::Version;

/// What one search found.
#[derive(Debug, PartialEq)]
pub struct Hits {
    /// The ids of the records.
    pub ids: Vec<String>,
    /// How many there are in all.
    pub total: u64,
}

const ONE: &str = "query ($a: AdvancedSearchParametersInput!, $count: Int, $skip: Int) {
  a: searchEvents(advancedSearchParameters: $a, count: $count, skip: $skip) { totalItems results { id } }
}";

const TWO: &str = "query ($a: AdvancedSearchParametersInput!, $b: AdvancedSearchParametersInput!, $count: Int, $skip: Int) {
  a: searchEvents(advancedSearchParameters: $a, count: $count, skip: $skip) { totalItems results { id } }
  b: searchEvents(advancedSearchParameters: $b, count: $count, skip: $skip) { totalItems results { id } }
}";

/// The field that is there from 1.5 on; a document that names it is refused before.
const MIDDLE_NAME: &str = " middleName";

const RECORD: &str = "query ($id: ID!) {
  fetchRegistration(id: $id) {
    __typename
    id
    registration { trackingId registrationNumber status { type timestamp } }
    ... on BirthRegistration {
      child { ...person }
      mother { ...person }
      father { ...person }
      informant { ...informant }
      birthType
      eventLocation { ...place }
    }
    ... on DeathRegistration {
      deceased { ...person }
      spouse { ...person }
      mother { ...person }
      father { ...person }
      informant { ...informant }
      eventLocation { ...place }
    }
  }
}
fragment person on Person {
  identifier { id type otherType }
  name { ...name }
  telecom { system value }
  gender birthDate maritalStatus occupation educationalAttainment nationality
  detailsExist ageOfIndividualInYears exactDateOfBirthUnknown
  address { ...address }
  deceased { deceased deathDate }
}
fragment informant on RelatedPerson {
  relationship otherRelationship
  identifier { id type otherType }
  name { ...name }
  telecom { system value }
  gender birthDate maritalStatus occupation educationalAttainment nationality
  ageOfIndividualInYears exactDateOfBirthUnknown
  address { ...address }
}
fragment name on HumanName { use firstNames middleName familyName marriedLastName }
fragment address on Address { type line city district state postalCode country }
fragment place on Location { id name type address { ...address } }";

/// A search of one kind of thing or of two at the same time: `searchEvents`' parameters each.
pub fn search(parameters: Vec<Value>, count: u32, skip: u32) -> Value {
    let mut variables = json!({ "count": count, "skip": skip });
    let document = if parameters.len() > 1 { TWO } else { ONE };
    for (name, parameters) in ["a", "b"].into_iter().zip(parameters) {
        put(&mut variables, name, parameters);
    }
    json!({ "query": document, "variables": variables })
}

/// The question for one record.
pub fn record(id: &str, version: Version) -> Value {
    let document = match version >= Version::V1_5 {
        true => RECORD.to_owned(),
        false => RECORD.replace(MIDDLE_NAME, ""),
    };
    json!({ "query": document, "variables": { "id": id } })
}

/// What a search answered, of which so many were asked for.
///
/// # Errors
/// As [`data`]; `unreadable` with code `answer.results`, also where there are more than asked for.
pub fn hits(response: Response, count: u32) -> Result<Vec<Hits>, Failure> {
    let data = data(response)?;
    let unreadable = || Failure::unreadable("answer.results");
    let each = ["a", "b"].into_iter().filter_map(|name| data.get(name));
    let each = each.map(|of| {
        let of = of.as_object().ok_or_else(unreadable)?;
        let results = of.get("results").and_then(Value::as_array);
        let results = results.ok_or_else(unreadable)?;
        if u32::try_from(results.len()).map_or(true, |it| it > count) {
            return Err(unreadable());
        }
        let ids = results.iter().map(|it| plain(it.get("id")));
        Ok(Hits {
            ids: ids.collect::<Option<_>>().ok_or_else(unreadable)?,
            total: of.get("totalItems").and_then(Value::as_u64).unwrap_or(0),
        })
    });
    each.collect()
}

/// One record.
///
/// # Errors
/// As [`data`]; `not-found` where it is null.
pub fn registration(response: Response) -> Result<Object, Failure> {
    let data = data(response)?;
    match data.get("fetchRegistration") {
        Some(Value::Object(registration)) => Ok(registration.clone()),
        Some(Value::Null) => Err(Failure::not_found()),
        _ => Err(Failure::unreadable("answer.registration")),
    }
}

/// `data` of an answer. What went wrong is told in `errors`, with a status of its own or with 200.
///
/// # Errors
/// By the first error's code; without one, by status.
fn data(response: Response) -> Result<Object, Failure> {
    let status = response.status;
    let retry_after = response.retry_after_ms();
    let Ok(body) = response.json::<Value>() else {
        return Err(without_body(response));
    };
    bounded(&body)?;
    let errors = body.get("errors").and_then(Value::as_array);
    if let Some(error) = errors.and_then(|it| it.first()) {
        let code = error.as_object().and_then(|it| object(it, "extensions"));
        let code = plain(code.and_then(|it| it.get("code"))).unwrap_or_default();
        return Err(failure(&code, status).retry_after_ms(retry_after));
    }
    match body.get("data") {
        Some(Value::Object(data)) if (200..300).contains(&status) => Ok(data.clone()),
        _ if (200..300).contains(&status) => Err(Failure::unreadable("answer.data")),
        _ => Err(without_body(response)),
    }
}

/// The path is the same whatever is asked: 404 says nothing of a person.
fn without_body(response: Response) -> Failure {
    match response.status {
        404 | 405 | 410 => Failure::misconfigured(format!("http.{}", response.status))
            .field("settings.graphql_path"),
        _ => match response.ok() {
            Ok(_) => Failure::unreadable("json.syntax"),
            Err(failure) => failure,
        },
    }
}

/// Apollo's codes, and OpenCRVS's own of a client that asks too often. The message is not passed on:
/// it may quote what was asked.
fn failure(code: &str, status: u16) -> Failure {
    match code {
        "UNAUTHENTICATED" | "FORBIDDEN" => Failure::denied(code),
        "RATE_LIMIT_EXCEEDED" => Failure::unavailable(code),
        // The documents are ours: another version of OpenCRVS has another schema.
        "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => {
            Failure::misconfigured(code).field("settings.version")
        }
        "BAD_USER_INPUT" => Failure::rejected(code),
        "INTERNAL_SERVER_ERROR" => Failure::unavailable(code),
        _ if matches!(status, 401 | 403) => Failure::denied(format!("http.{status}")),
        _ if status == 429 || status >= 500 => Failure::unavailable(format!("http.{status}")),
        _ => Failure::other("graphql.error"),
    }
}
