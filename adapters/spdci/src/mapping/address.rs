//! Addresses: SPDCI Address `{address_line1, address_line2, locality, sub_region_code, region_code,
//! postal_code, country_code, geo_location}` and Place `{name, address, geo}`.

use adapter_sdk::model::{Address, AddressUse, AdministrativeArea, GeoPoint, Unmapped};
use serde_json::Value;

use super::extras;
use super::shape::{report, scalar};
use crate::wire::record::{Record, text};

const LINE: &[&str] = &["address_line", "street_address"];
const LINE_1: &[&str] = &["address_line1", "address_line_1"];
const LINE_2: &[&str] = &["address_line2", "address_line_2"];
const LOCALITY: &[&str] = &["locality", "city"];
const SUB_REGION: &[&str] = &["sub_region_code"];
const REGION: &[&str] = &["region_code"];
const POSTAL_CODE: &[&str] = &["postal_code"];
const COUNTRY: &[&str] = &["country_code", "country"];
const NAME: &[&str] = &["name"];
const ADDRESS: &[&str] = &["address"];
const GEO: &[&str] = &["geo", "geo_location"];

/// The addresses of a record: one object, a list, or plain text.
pub(super) fn addresses(record: &Record<'_>, unmapped: &mut Vec<Unmapped>) -> Vec<Address> {
    read(record, ADDRESS, address, unmapped)
}

/// The places under a name.
pub(super) fn places(
    record: &Record<'_>,
    names: &[&str],
    used: Option<AddressUse>,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<Address> {
    read(record, names, |value| place(value, used.clone()), unmapped)
}

/// What is no address in any form is reported.
fn read(
    record: &Record<'_>,
    names: &[&str],
    one: impl Fn(&Value) -> Option<Address>,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<Address> {
    let mut addresses = Vec::new();
    for value in record.list(names) {
        match one(value) {
            Some(address) => addresses.push(address),
            None => unmapped.push(report("addresses", value)),
        }
    }
    addresses
}

/// An address. Region and sub-region are levels 1 and 2 by their names (`dci_PersonRecord.address`:
/// "State, province", "District"); the locality stands below them.
fn address(value: &Value) -> Option<Address> {
    let Some(parts) = Record::new(value) else {
        return scalar(value).map(|text| Address {
            text: Some(text),
            ..Address::default()
        });
    };
    let mut areas = Vec::new();
    let country = parts.text(COUNTRY);
    let is_code = |country: &String| {
        (2..=3).contains(&country.len()) && country.bytes().all(|b| b.is_ascii_alphabetic())
    };
    if let Some(name) = country.clone().filter(|country| !is_code(country)) {
        areas.push(AdministrativeArea {
            level: Some(0),
            name: Some(name),
            ..AdministrativeArea::default()
        });
    }
    for (level, kind, field) in [(1, "region", REGION), (2, "sub-region", SUB_REGION)] {
        if let Some(code) = parts.text(field) {
            areas.push(AdministrativeArea {
                level: Some(level),
                kind: Some(kind.to_owned()),
                code: Some(code),
                ..AdministrativeArea::default()
            });
        }
    }
    let lines = [LINE, LINE_1, LINE_2]
        .into_iter()
        .flat_map(|field| parts.list(field))
        .filter_map(scalar);
    let position = parts.object(GEO).and_then(|geo| position(&geo));
    let mut rest = parts.rest(&[
        LINE,
        LINE_1,
        LINE_2,
        LOCALITY,
        SUB_REGION,
        REGION,
        POSTAL_CODE,
        COUNTRY,
        GEO,
    ]);
    let texts = [
        LINE,
        LINE_1,
        LINE_2,
        LOCALITY,
        SUB_REGION,
        REGION,
        POSTAL_CODE,
        COUNTRY,
    ];
    rest.extend(misshapen(&parts, &texts));
    if let Some(geo) = parts.get(GEO) {
        // A plus code holds more than the point in its middle.
        rest.extend(position.is_none().then_some(("geo_location", geo)));
    }
    let address = Address {
        lines: lines.collect(),
        city: parts.text(LOCALITY),
        postal_code: parts.text(POSTAL_CODE),
        country: country
            .filter(is_code)
            .map(|country| country.to_ascii_uppercase()),
        areas,
        position,
        extra: extras(rest),
        ..Address::default()
    };
    (address != Address::default()).then_some(address)
}

/// A place of birth, or where a group lives.
fn place(value: &Value, used: Option<AddressUse>) -> Option<Address> {
    let Some(parts) = Record::new(value) else {
        return scalar(value).map(|text| Address {
            use_: used,
            text: Some(text),
            ..Address::default()
        });
    };
    let inner = parts.get(ADDRESS).and_then(address);
    let mut rest = parts.rest(&[NAME, ADDRESS, GEO, LINE]);
    rest.extend(misshapen(&parts, &[NAME, LINE]));
    if let (None, Some(address)) = (&inner, parts.get(ADDRESS)) {
        rest.push(("address", address));
    }
    let inner = inner.unwrap_or_default();
    let position = parts.object(GEO).and_then(|geo| position(&geo));
    if let (None, Some(geo)) = (position, parts.get(GEO)) {
        rest.push(("geo", geo));
    }
    let address = Address {
        use_: None,
        text: parts.text(NAME).or(inner.text),
        lines: parts.text(LINE).into_iter().chain(inner.lines).collect(),
        position: position.or(inner.position),
        extra: extras(rest).into_iter().chain(inner.extra).collect(),
        ..inner
    };
    (address != Address::default()).then_some(Address {
        use_: used,
        ..address
    })
}

/// Parts that should be text and are not: they are kept, as what has no place in the model is.
fn misshapen<'a>(parts: &Record<'a>, known: &[&[&'static str]]) -> Vec<(&'static str, &'a Value)> {
    let odd = known.iter().filter_map(|names| {
        let value = parts.get(names).filter(|value| text(value).is_none())?;
        Some((*names.first()?, value))
    });
    odd.collect()
}

/// `{latitude, longitude}`, also inside a plus code, if it is on the globe.
fn position(geo: &Record<'_>) -> Option<GeoPoint> {
    let location = geo.object(&["plus_code"]).or_else(|| Some(geo.clone()));
    let location = location.and_then(|code| code.object(&["geometry"]));
    let location = location.and_then(|geometry| geometry.object(&["location"]));
    let location = location.unwrap_or_else(|| geo.clone());
    let latitude = location
        .number(&["latitude"])
        .filter(|degrees| degrees.abs() <= 90.0)?;
    let longitude = location
        .number(&["longitude"])
        .filter(|degrees| degrees.abs() <= 180.0)?;
    Some(GeoPoint {
        latitude,
        longitude,
    })
}
