//! Addresses: the claim `address` (OpenID Connect Core, section 5.1.1), one for each language. MOSIP
//! writes the language behind the parts, too (`locality#fr`).

use adapter_sdk::model::{Address, AdministrativeArea, Unmapped};
use adapter_sdk::names::filled;
use serde_json::Value;

use super::person::Claim;
use super::shape;
use crate::language;
use crate::settings::Settings;

/// Maps an address that becomes the one with this index. None: there is nothing in it.
pub(super) fn address(
    claim: &Claim<'_>,
    index: usize,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> Option<Address> {
    let field = format!("addresses.{index}");
    let mut address = Address::default();
    match claim.value {
        Value::Object(parts) => {
            for (written, value) in parts.iter().filter(|(_, value)| shape::is_filled(value)) {
                let name = written
                    .split_once('#')
                    .map_or(written.as_str(), |(name, behind)| {
                        language::tag(behind, settings).map_or(written, |_| name)
                    });
                part(&mut address, name, value, &field, unmapped);
            }
        }
        other => address.text = shape::text(other, &field, unmapped),
    }
    if address == Address::default() {
        return None;
    }
    if let Some(language) = &claim.language {
        let language = Value::from(language.as_str());
        address.extra.push(shape::extra("language", &language));
    }
    Some(address)
}

fn part(
    address: &mut Address,
    name: &str,
    value: &Value,
    field: &str,
    unmapped: &mut Vec<Unmapped>,
) {
    let mut one = || shape::text(value, field, unmapped);
    // The same part in a second language would replace the first: it is kept as it is.
    let keep = |address: &mut Address| address.extra.push(shape::extra(name, value));
    match name {
        "formatted" if address.text.is_none() => address.text = one(),
        "street_address" if address.lines.is_empty() => {
            let text = one().unwrap_or_default();
            address.lines = text.split(['\r', '\n']).filter_map(filled).collect();
        }
        "locality" if address.city.is_none() => address.city = one(),
        "region" if address.areas.is_empty() => {
            // Which level it is, OpenID Connect leaves open: "state, province, prefecture, or region".
            address.areas = one()
                .map(|name| AdministrativeArea {
                    name: Some(name),
                    ..AdministrativeArea::default()
                })
                .into_iter()
                .collect();
        }
        "postal_code" if address.postal_code.is_none() => address.postal_code = one(),
        "country" if address.country.is_none() => {
            let written = one();
            address.country = written.and_then(|text| country(text, field, unmapped));
        }
        _ => keep(address),
    }
}

/// ISO 3166-1 in capitals. The claim is a country's name: a name is reported.
fn country(text: String, field: &str, unmapped: &mut Vec<Unmapped>) -> Option<String> {
    let code = matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if !code {
        unmapped.push(Unmapped::new(format!("{field}.country"), text));
        return None;
    }
    Some(text)
}
