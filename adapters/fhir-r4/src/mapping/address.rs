//! `Address` (R4, section 2.24.0.16).

use adapter_sdk::model::{Address, AddressUse, AdministrativeArea, GeoPoint};

use super::{codes, kept};
use crate::Rules;
use crate::json::{Notes, Object};

/// R4, `geolocation`.
const GEOLOCATION: &str = "http://hl7.org/fhir/StructureDefinition/geolocation";

/// All addresses of a person.
pub(super) fn addresses(holder: &Object<'_>, rules: &Rules, notes: &mut Notes) -> Vec<Address> {
    let objects = notes.objects(holder, "address", "addresses");
    let read = objects.iter().map(|object| address(object, rules, notes));
    read.collect()
}

/// One address.
pub(super) fn address(object: &Object<'_>, rules: &Rules, notes: &mut Notes) -> Address {
    let mut extra = kept::fields(
        object,
        &[
            "id",
            "use",
            "type",
            "text",
            "line",
            "city",
            "district",
            "state",
            "postalCode",
            "country",
            "extension",
        ],
        rules,
    );
    let position = position(object);
    let read: &[&str] = match position {
        Some(_) => &[GEOLOCATION],
        None => &[],
    };
    extra.extend(kept::rest(&object.extensions(), read, rules));
    let (country, country_area) = country(object, notes);
    let levels = &rules.address_levels;
    let state = area(object, "state", levels.state, notes);
    let district = area(object, "district", levels.district, notes);
    Address {
        use_: address_use(object, notes),
        text: notes.text(object, "text", "addresses.text"),
        lines: notes.texts(object, "line", "addresses.lines"),
        city: notes.text(object, "city", "addresses.city"),
        postal_code: notes.text(object, "postalCode", "addresses.postal-code"),
        country,
        areas: country_area
            .into_iter()
            .chain(state)
            .chain(district)
            .collect(),
        position,
        extra,
    }
}

fn address_use(object: &Object<'_>, notes: &mut Notes) -> Option<AddressUse> {
    let word = notes.text(object, "use", "addresses.use")?;
    match word.as_str() {
        // Of FHIR, and without a case in the contract.
        "billing" => Some(AddressUse::Other(word)),
        _ => codes::ADDRESS_USE.read("addresses.use", &word, &mut notes.0),
    }
}

/// A code of two or three letters, or the name of the country as its area.
fn country(object: &Object<'_>, notes: &mut Notes) -> (Option<String>, Option<AdministrativeArea>) {
    let Some(text) = notes.text(object, "country", "addresses.country") else {
        return (None, None);
    };
    let is_code = matches!(text.len(), 2 | 3) && text.bytes().all(|it| it.is_ascii_alphabetic());
    if is_code {
        return (Some(text.to_ascii_uppercase()), None);
    }
    let area = AdministrativeArea {
        level: Some(0),
        kind: Some("country".to_owned()),
        name: Some(text),
        ..AdministrativeArea::default()
    };
    (None, Some(area))
}

/// `state` and `district` are names in FHIR, and abbreviations are allowed: no code is made of them.
fn area(
    object: &Object<'_>,
    name: &str,
    level: Option<u8>,
    notes: &mut Notes,
) -> Option<AdministrativeArea> {
    Some(AdministrativeArea {
        name: Some(notes.text(object, name, "addresses.areas")?),
        level,
        kind: Some(name.to_owned()),
        ..AdministrativeArea::default()
    })
}

fn position(object: &Object<'_>) -> Option<GeoPoint> {
    let inside = object.extensions().first(GEOLOCATION)?.extensions();
    let degrees = |name: &str, most: f64| {
        let value = inside.first(name)?.get("valueDecimal")?.as_f64()?;
        (-most..=most).contains(&value).then_some(value)
    };
    Some(GeoPoint {
        latitude: degrees("latitude", 90.0)?,
        longitude: degrees("longitude", 180.0)?,
    })
}
