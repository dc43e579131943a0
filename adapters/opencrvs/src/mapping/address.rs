//! Addresses and places in OpenCRVS's three forms. States, districts and facilities are ids of its own
//! locations; their order below the country is not told.

use adapter_sdk::model::{Address, AddressUse, AdministrativeArea, Unmapped};
use serde_json::Value;

use super::shape::{Object, extra, is_blank, object, plain, text, texts};

/// The list that ids of locations are from.
pub const LOCATIONS: &str = "opencrvs-location";

/// The parts of an address of the events API that have a place in the model: in
/// `streetLevelDetails`, or beside it in 1.9's first form.
const LINES: &[&str] = &[
    "number",
    "street",
    "residentialArea",
    "village",
    "addressLine1",
    "addressLine2",
    "addressLine3",
];
const CITY: &[&str] = &["town", "cityOrTown"];
const POSTAL_CODE: &[&str] = &["zipCode", "postcodeOrZip"];
/// Ids of locations in 1.9's first form.
const AREAS: &[&str] = &["province", "district"];

/// An address of a declaration: an object, a location's id, or words.
pub fn declared(value: &Value, field: &str, unmapped: &mut Vec<Unmapped>) -> Option<Address> {
    let Value::Object(of) = value else {
        let words = text(Some(value), field, unmapped)?;
        return Some(match is_id(&words) {
            true => Address {
                areas: vec![area(None, words)],
                ..Address::default()
            },
            false => Address {
                text: Some(words),
                ..Address::default()
            },
        });
    };
    let street = object(of, "streetLevelDetails");
    let part = |name: &str, unmapped: &mut Vec<Unmapped>| {
        let value = street.and_then(|it| it.get(name)).or_else(|| of.get(name));
        text(value, field, unmapped)
    };
    let mut address = Address {
        country: part("country", unmapped).and_then(|it| country(it, field, unmapped)),
        ..Address::default()
    };
    for name in LINES {
        address.lines.extend(part(name, unmapped));
    }
    for name in CITY {
        address.city = address.city.or(part(name, unmapped));
    }
    for name in POSTAL_CODE {
        address.postal_code = address.postal_code.or(part(name, unmapped));
    }
    for name in AREAS {
        let id = part(name, unmapped);
        address
            .areas
            .extend(id.map(|id| area(Some((*name).to_owned()), id)));
    }
    let leaf = part("administrativeArea", unmapped);
    address.areas.extend(leaf.map(|id| area(None, id)));
    let known = |name: &str| {
        let lists = [LINES, CITY, POSTAL_CODE, AREAS];
        let others = ["country", "administrativeArea", "streetLevelDetails"];
        lists.iter().any(|it| it.contains(&name)) || others.contains(&name)
    };
    let rest = of.iter().chain(street.into_iter().flatten());
    let rest = rest.filter(|(name, value)| !known(name) && !is_blank(value));
    address.extra = rest.map(|(name, value)| extra(name, value)).collect();
    Some(address).filter(|it| *it != Address::default())
}

/// `Address` of FHIR and GraphQL up to 1.8, whose `line` holds words, ids of locations below the
/// district, and `URBAN` or `RURAL`.
pub fn fhir(of: &Object, names: &dyn Fn(&str) -> Option<String>) -> (Address, Vec<Unmapped>) {
    let mut unmapped = Vec::new();
    let read = |name: &str, unmapped: &mut Vec<Unmapped>| text(of.get(name), "addresses", unmapped);
    let mut address = Address {
        text: read("text", &mut unmapped),
        city: read("city", &mut unmapped),
        postal_code: read("postalCode", &mut unmapped),
        ..Address::default()
    };
    let country_code = read("country", &mut unmapped);
    address.country = country_code.and_then(|it| country(it, "addresses", &mut unmapped));
    for name in ["state", "district"] {
        let Some(value) = read(name, &mut unmapped) else {
            continue;
        };
        address.areas.push(match is_id(&value) {
            true => AdministrativeArea {
                name: names(&value),
                ..area(Some(name.to_owned()), value)
            },
            // Abroad the same fields hold words.
            false => AdministrativeArea {
                kind: Some(name.to_owned()),
                name: Some(value),
                ..AdministrativeArea::default()
            },
        });
    }
    for line in texts(of.get("line"), "addresses", &mut unmapped) {
        if is_id(&line) {
            let name = names(&line);
            let area = area(None, line);
            address.areas.push(AdministrativeArea { name, ..area });
        } else if ["URBAN", "RURAL"].contains(&line.as_str()) {
            let line = Value::String(line);
            address.extra.push(extra("urban-or-rural", &line));
        } else {
            address.lines.push(line);
        }
    }
    if address != Address::default() {
        address.use_ = plain(of.get("type")).map(|kind| match kind.as_str() {
            "PRIMARY_ADDRESS" => AddressUse::Home,
            _ => AddressUse::Other(kind),
        });
    }
    (address, unmapped)
}

/// A place that has a name, an id and a kind: FHIR `Location` and GraphQL's.
pub fn location(
    id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    address: Option<Address>,
) -> Option<Address> {
    let mut place = address.unwrap_or_default();
    if id.is_some() || name.is_some() {
        place.areas.push(AdministrativeArea {
            kind,
            name,
            code_system: id.is_some().then(|| LOCATIONS.to_owned()),
            code: id,
            ..AdministrativeArea::default()
        });
    }
    place.use_ = None;
    Some(place).filter(|it| *it != Address::default())
}

/// Whether this is an id of OpenCRVS: a UUID.
pub fn is_id(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn area(kind: Option<String>, id: String) -> AdministrativeArea {
    AdministrativeArea {
        kind,
        code: Some(id),
        code_system: Some(LOCATIONS.to_owned()),
        ..AdministrativeArea::default()
    }
}

/// Two or three letters; OpenCRVS's reference country has `FAR`, which ISO 3166 has not.
fn country(code: String, field: &str, unmapped: &mut Vec<Unmapped>) -> Option<String> {
    let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase());
    if !is_code {
        unmapped.push(Unmapped::new(format!("{field}.country"), code));
        return None;
    }
    Some(code)
}
