//! A search by what is known of people, in either of OpenCRVS's forms.

use adapter_sdk::Failure;
use adapter_sdk::model::{Criterion, HumanName, Person, RelationRole, Test};
use adapter_sdk::names;
use serde_json::{Value, json};

use super::clauses::clause;
use super::parameters::{identifier, parameters};
use super::{Plan, registration};
use crate::mapping::codes;
use crate::mapping::shape::put;
use crate::settings::{Kind, Role, Settings, field_ids, identifier_fields};

/// The fields that a search can test.
pub const SEARCHABLE: &[&str] = &[
    "name.family",
    "name.given",
    "name.text",
    "birth-date",
    "death-date",
    "sex",
    "identifier.national-id",
    "related.mother.name.family",
    "related.mother.name.given",
    "related.father.name.family",
    "related.father.name.given",
];

/// The ends of a range that has none: OpenCRVS wants both.
const EARLIEST: &str = "0001-01-01";
const LATEST: &str = "9999-12-31";

/// What is searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    /// How.
    pub plan: Plan,
    /// Whether what comes back may be more than was asked for: see [`holds`].
    pub is_wider: bool,
}

/// One test of one thing about somebody.
struct About<'a> {
    criterion: &'a Criterion,
    role: Role,
    part: &'a str,
}

/// A search for births, for deaths, or for both: for those that all criteria can be asked of.
///
/// # Errors
/// `rejected` where there is no criterion or a value is blank; `unsupported` with the field that cannot
/// be asked for, or whose test cannot.
pub fn by_criteria(criteria: &[Criterion], settings: &Settings) -> Result<Sought, Failure> {
    if criteria.is_empty() {
        return Err(Failure::rejected("criteria.empty").field("criteria"));
    }
    let mut searches = Vec::new();
    let mut refused = None;
    for kind in [Kind::Birth, Kind::Death] {
        match search(kind, criteria, settings) {
            Ok(search) => searches.push(search),
            // A value that is wrong is wrong of both.
            Err(failure @ Failure::Rejected(_)) => return Err(failure),
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    if let (true, Some(failure)) = (searches.is_empty(), refused) {
        return Err(failure);
    }
    let is_wider = criteria.iter().any(is_tested_here);
    let plan = match settings.has_events_api() {
        true => Plan::Clauses(searches),
        false => Plan::Parameters(searches),
    };
    Ok(Sought { plan, is_wider })
}

/// Whether somebody is who was searched for, as far as OpenCRVS does not test it: it looks for any word
/// of a name in the whole of it, and for words like it.
pub fn holds(person: &Person, criteria: &[Criterion]) -> bool {
    let mut tested = criteria.iter().filter(|it| is_tested_here(it));
    tested.all(|criterion| {
        let Test::Equals(value) = &criterion.test else {
            return true;
        };
        let of_relative = criterion.field.strip_prefix("related.");
        let Some((role, part)) = of_relative.and_then(|it| it.split_once('.')) else {
            return has(&person.names, &criterion.field, value);
        };
        let role = match role {
            "mother" => RelationRole::Mother,
            _ => RelationRole::Father,
        };
        let mut related = person.related.iter().filter(|it| it.role == role);
        related.any(|it| has(&it.names, part, value))
    })
}

fn is_tested_here(criterion: &Criterion) -> bool {
    let of_name =
        criterion.field.ends_with("name.family") || criterion.field.ends_with("name.given");
    of_name && matches!(criterion.test, Test::Equals(_))
}

/// Whether one of the names has this part, but for case, marks and blanks.
fn has(names_: &[HumanName], part: &str, value: &str) -> bool {
    let same = |known: &str| names::fold(known) == names::fold(value) && plain(known, value);
    names_.iter().any(|name| match part {
        "name.family" => name.family.as_deref().is_some_and(same),
        _ => {
            let whole = name.given.join(" ");
            name.given.iter().any(|given| same(given)) || same(&whole)
        }
    })
}

/// What the fold empties is compared as it stands.
fn plain(known: &str, value: &str) -> bool {
    !names::fold(known).is_empty() || known.trim() == value.trim()
}

fn search(kind: Kind, criteria: &[Criterion], settings: &Settings) -> Result<Value, Failure> {
    let about = criteria.iter().map(|it| about(it, kind));
    let about: Vec<About<'_>> = about.collect::<Result<_, _>>()?;
    match settings.has_events_api() {
        true => {
            let mut search = clause(kind, settings);
            let mut data = json!({});
            for about in &about {
                declared(kind, about, settings, &mut search, &mut data)?;
            }
            if data.as_object().is_some_and(|it| !it.is_empty()) {
                put(&mut search, "data", data);
            }
            Ok(search)
        }
        false => {
            let mut search = parameters(kind, settings);
            for about in &about {
                parameter(kind, about, settings, &mut search)?;
            }
            Ok(search)
        }
    }
}

/// Whom a field is about.
fn about(criterion: &Criterion, kind: Kind) -> Result<About<'_>, Failure> {
    let of_relative = criterion.field.strip_prefix("related.");
    let (role, part) = match of_relative.and_then(|it| it.split_once('.')) {
        Some(("mother", part)) => (Role::Mother, part),
        Some(("father", part)) => (Role::Father, part),
        Some(_) => return Err(no_field(criterion)),
        None => (kind.subject(), criterion.field.as_str()),
    };
    let known = matches!(part, "name.family" | "name.given");
    if role != kind.subject() && !known {
        return Err(no_field(criterion));
    }
    Ok(About {
        criterion,
        role,
        part,
    })
}

/// A test of the events API. Tests of the parts of one name are one test of the whole.
fn declared(
    kind: Kind,
    about: &About<'_>,
    settings: &Settings,
    search: &mut Value,
    data: &mut Value,
) -> Result<(), Failure> {
    let criterion = about.criterion;
    let key = |part: &str| format!("{}.{}.{part}", kind.word(), about.role.word());
    let is_name = about.part.starts_with("name.");
    let mut ids = field_ids(settings, &key(about.part));
    if is_name && ids.is_empty() {
        ids = field_ids(settings, &key("name"));
    }
    if let Some(scheme) = about.part.strip_prefix("identifier.") {
        if registration(scheme, settings) == Some(kind) {
            let test = test(criterion)?;
            put(search, "legalStatuses.REGISTERED.registrationNumber", test);
            return Ok(());
        }
        let fields = identifier_fields(settings, kind, about.role).into_iter();
        let mut fields = fields.filter(|(known, _)| *known == scheme);
        ids = fields.next().map(|(_, ids)| ids).unwrap_or_default();
    }
    let id = ids.first().ok_or_else(|| no_field(criterion))?;
    let mut test = match about.part {
        "sex" => json!({ "type": "exact", "term": sex(criterion, settings)? }),
        _ => test(criterion)?,
    };
    // Of a whole name OpenCRVS only tells whether it is like: any of its words is enough.
    let is_test = match (about.part, &criterion.test) {
        ("name.text", test) => matches!(test, Test::Fuzzy(_)),
        (_, test) => !is_name || matches!(test, Test::Equals(_) | Test::Fuzzy(_)),
    };
    if !is_test {
        return Err(no_test(criterion));
    }
    if let Some(before) = data.get(*id) {
        // Given names and the family name are one field: both are words of it.
        let term = |of: &Value| of.get("term").and_then(Value::as_str).map(str::to_owned);
        let both = (term(before), term(&test));
        let (Some(one), Some(two), true) = (both.0, both.1, is_name) else {
            return Err(no_test(criterion));
        };
        let term = format!("{one} {two}");
        let is_fuzzy = |of: &Value| of.get("type").is_some_and(|it| it == "fuzzy");
        let fuzzy = is_fuzzy(before) || is_fuzzy(&test);
        test = json!({ "type": if fuzzy { "fuzzy" } else { "exact" }, "term": term });
    }
    put(data, *id, test);
    Ok(())
}

/// A parameter of `searchEvents`. Names are always looked for as words like them.
fn parameter(
    kind: Kind,
    about: &About<'_>,
    settings: &Settings,
    search: &mut Value,
) -> Result<(), Failure> {
    let criterion = about.criterion;
    let one = || match &criterion.test {
        Test::Equals(value) | Test::Fuzzy(value) => filled(value, criterion),
        _ => Err(no_test(criterion)),
    };
    let exact = || match &criterion.test {
        Test::Equals(value) => filled(value, criterion),
        _ => Err(no_test(criterion)),
    };
    let role = about.role.word();
    let of_birth = kind == Kind::Birth;
    let (name, value) = match about.part {
        "name.given" => (format!("{role}FirstNames"), one()?),
        "name.family" if about.role == Role::Child => ("childLastName".to_owned(), one()?),
        "name.family" => (format!("{role}FamilyName"), one()?),
        "name.text" if matches!(criterion.test, Test::Fuzzy(_)) => ("name".to_owned(), one()?),
        "sex" => (format!("{role}Gender"), sex(criterion, settings)?),
        "birth-date" => return range(&format!("{role}DoB"), criterion, search),
        "death-date" if !of_birth => return range("dateOfEvent", criterion, search),
        part => match part.strip_prefix("identifier.") {
            Some(scheme) if registration(scheme, settings) == Some(kind) => {
                ("registrationNumber".to_owned(), exact()?)
            }
            Some(scheme) if settings.identifier_type(scheme) == Some("NATIONAL_ID") => {
                (identifier(kind).to_owned(), exact()?)
            }
            _ => return Err(no_field(criterion)),
        },
    };
    put(search, name, Value::String(value));
    Ok(())
}

fn range(name: &str, criterion: &Criterion, search: &mut Value) -> Result<(), Failure> {
    match &criterion.test {
        Test::Equals(value) => put(search, name, Value::String(filled(value, criterion)?)),
        Test::Range(_) => {
            let test = test(criterion)?;
            put(search, format!("{name}Start"), test.get("gte").cloned());
            put(search, format!("{name}End"), test.get("lte").cloned());
        }
        _ => return Err(no_test(criterion)),
    }
    Ok(())
}

/// A test as the events API writes it.
fn test(criterion: &Criterion) -> Result<Value, Failure> {
    Ok(match &criterion.test {
        Test::Equals(value) => json!({ "type": "exact", "term": filled(value, criterion)? }),
        Test::Fuzzy(value) => json!({ "type": "fuzzy", "term": filled(value, criterion)? }),
        Test::AnyOf(values) if !values.is_empty() => {
            let each = values.iter().map(|value| filled(value, criterion));
            json!({ "type": "anyOf", "terms": each.collect::<Result<Vec<_>, _>>()? })
        }
        Test::Range(ends) => {
            let end = |end: &Option<String>, open: &str| match end {
                Some(end) => filled(end, criterion),
                None => Ok(open.to_owned()),
            };
            if ends.from.is_none() && ends.to.is_none() {
                return Err(Failure::rejected("criteria.value").field(&criterion.field));
            }
            json!({
                "type": "range",
                "gte": end(&ends.from, EARLIEST)?,
                "lte": end(&ends.to, LATEST)?,
            })
        }
        Test::AnyOf(_) | Test::StartsWith(_) | Test::Other(_) => return Err(no_test(criterion)),
    })
}

/// The registry's code of a sex that is asked for in our words.
fn sex(criterion: &Criterion, settings: &Settings) -> Result<String, Failure> {
    let Test::Equals(value) = &criterion.test else {
        return Err(no_test(criterion));
    };
    let ours = codes::SEX.value(&filled(value, criterion)?);
    let list = codes::sex(&settings.codes);
    let code = ours.and_then(|ours| list.code(&ours).map(str::to_owned));
    code.ok_or_else(|| Failure::rejected("criteria.value").field(&criterion.field))
}

fn filled(value: &str, criterion: &Criterion) -> Result<String, Failure> {
    names::filled(value).ok_or_else(|| Failure::rejected("criteria.value").field(&criterion.field))
}

fn no_field(criterion: &Criterion) -> Failure {
    Failure::unsupported("criteria.field").field(&criterion.field)
}

fn no_test(criterion: &Criterion) -> Failure {
    Failure::unsupported("criteria.test").field(&criterion.field)
}
