//! FHIR `Patient` as OpenCRVS fills it.

use adapter_sdk::model::{Address, Person, Unmapped};
use serde_json::Value;

use super::address;
use super::bundle::{Resources, code};
use super::person::{Plain, contacts, identifiers, name};
use super::shape::{Object, object, objects, plain, plain_objects, text, texts};
use crate::settings::Settings;

const OPENCRVS: &str = "http://opencrvs.org/specs/extension/";
const NATIONALITY: &str = "http://hl7.org/fhir/StructureDefinition/patient-nationality";

/// A person; none where the record says that nothing is known of them (`active: false`).
pub(super) fn person(
    of: &Object,
    resources: &Resources<'_>,
    settings: &Settings,
) -> Option<Person> {
    if of.get("active") == Some(&Value::Bool(false)) {
        return None;
    }
    let mut unmapped = Vec::new();
    let mut person = Person::default();
    let mut typed = Vec::new();
    for identifier in objects(of.get("identifier"), "identifiers", &mut unmapped) {
        let word = identifier.get("type");
        let word = code(word).or_else(|| plain(word));
        if let Some(value) = text(identifier.get("value"), "identifiers", &mut unmapped) {
            typed.push((word, value));
        }
    }
    identifiers(typed, settings, &mut person, &mut unmapped);
    for of in objects(of.get("name"), "names", &mut unmapped) {
        let mut part = |part: &str| texts(of.get(part), "names", &mut unmapped);
        // `suffix` is the name since marriage (opencrvs-core 1.8, `HumanName.marriedLastName`).
        let [families, given, suffixes] = ["family", "given", "suffix"].map(&mut part);
        let mut single = |mut values: Vec<String>| {
            let first = (!values.is_empty()).then(|| values.remove(0));
            unmapped.extend(values.into_iter().map(|it| Unmapped::new("names", it)));
            first
        };
        let (family, married) = (single(families), single(suffixes));
        let language = plain(of.get("use"));
        person.names.extend(name(language, family, given, married));
    }
    let marital_status = object(of, "maritalStatus");
    let age = extension(of, &format!("{OPENCRVS}age-of-individual-in-years"));
    let age = age.and_then(|it| it.get("valueInteger")).cloned();
    let plain = Plain {
        sex: text(of.get("gender"), "sex", &mut unmapped),
        birth_date: text(of.get("birthDate"), "birth-date", &mut unmapped),
        // The age is told in place of a date that is not known: the one beside it was made from it
        // (opencrvs-core 1.8, commons/fhir/transformers).
        estimated: age.is_some(),
        age,
        death_date: text(of.get("deceasedDateTime"), "death-date", &mut unmapped),
        deceased: of.get("deceasedBoolean") == Some(&Value::Bool(true)),
        marital_status: text(
            marital_status.and_then(|it| it.get("text")),
            "marital-status",
            &mut unmapped,
        ),
        reserved: reserved(of),
    };
    plain.fill(settings, &mut person, &mut unmapped);
    for of in objects(of.get("address"), "addresses", &mut unmapped) {
        let (address, of_address) = address::fhir(of, &|id| resources.location_name(id));
        unmapped.extend(of_address);
        if address != Address::default() {
            person.addresses.push(address);
        }
    }
    person.contacts = contacts(of.get("telecom"), &mut unmapped);
    person.unmapped = unmapped;
    Some(person)
}

fn extension<'a>(of: &'a Object, url: &str) -> Option<&'a Object> {
    let all = plain_objects(of.get("extension")).into_iter();
    let mut all = all.filter(|it| it.get("url").and_then(Value::as_str) == Some(url));
    all.next()
}

fn reserved(of: &Object) -> Vec<(&'static str, String)> {
    let nationality = extension(of, NATIONALITY).and_then(|it| extension(it, "code"));
    let nationality = nationality.and_then(|it| code(it.get("valueCodeableConcept")));
    let mut reserved: Vec<_> = nationality
        .map(|it| ("nationality", it))
        .into_iter()
        .collect();
    for (key, name) in [
        ("education-level", "educational-attainment"),
        ("occupation", "patient-occupation"),
    ] {
        let found = extension(of, &format!("{OPENCRVS}{name}"));
        let value = found.and_then(|it| plain(it.get("valueString")));
        reserved.extend(value.map(|it| (key, it)));
    }
    reserved
}
