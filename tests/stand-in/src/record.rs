//! Records as the schemas of SPDCI v1.0.0 and their samples write them.
//!
//! The two registers differ as their samples do: the civil one has plain dates and letters for the
//! marital status, the social one has date-times and words. A date of which only a part is known is
//! that part, in both.

use serde_json::{Value, json};

use super::criteria::{Criteria, RecordType, Register};
use super::identifier::Scheme;
use super::people::{Household, Known, Marital, PartialDate, Person, Place, Population, Role};
use super::search::Found;

/// The records of one page.
pub(crate) fn page(people: &Population, criteria: &Criteria, found: &Found) -> Vec<Value> {
    let records = found
        .page
        .iter()
        .map(|index| match (criteria.register, criteria.record_type) {
            (Register::Civil, _) => civil(people, &person(people, *index, found)),
            (_, RecordType::Person) => social(people, &person(people, *index, found)),
            (_, RecordType::Member) => member(people, &person(people, *index, found), true),
            (_, RecordType::Group) => group(people, &people.household(*index)),
        });
    records.collect()
}

fn person(people: &Population, index: u64, found: &Found) -> Person {
    let mut person = people.person(index);
    if let Some(uin) = &found.under_uin {
        person.uin = uin.clone();
    }
    person
}

/// `CRVS_Person`, with the parents' numbers.
pub(crate) fn civil(people: &Population, person: &Person) -> Value {
    let home = people.household(person.household);
    let mut record = json!({
        "@context": { "@vocab": "https://schema.spdci.org/common/v1" },
        "@id": "CRVS_Person",
        "@type": "CRVS_Person",
        "identifier": identifiers(person),
        "name": name(person),
        "sex": person.sex.code(),
        "birth_date": person.birth.to_string(),
        "birth_place": { "@type": "Place", "name": home.place.locality },
        "address": [address(home.place)],
        "marital_status": match person.marital {
            Marital::Single => "S",
            Marital::Married => "M",
            Marital::Widowed => "W",
            Marital::Divorced => "D",
        },
    });
    if let Some(death) = person.death {
        record["death_date"] = json!(death.to_string());
        record["death_place"] = json!({ "@type": "Place", "name": home.place.locality });
    }
    for (field, parent) in ["parent1_identifier", "parent2_identifier"]
        .iter()
        .zip(&person.parents)
    {
        record[field] = identifier(Scheme::Uin, &people.person(*parent).uin);
    }
    contacts(&mut record, person);
    record
}

/// `SRPerson`.
pub(crate) fn social(people: &Population, person: &Person) -> Value {
    let home = people.household(person.household);
    let mut record = json!({
        "@context": { "@vocab": "https://schema.spdci.org/extensions/social/v1" },
        "@id": "SRPerson",
        "@type": "SRPerson",
        "identifier": identifiers(person),
        "name": name(person),
        "sex": person.sex.code(),
        "birth_date": date_time(person.birth),
        "address": [address(home.place)],
        "marital_status": person.marital.word(),
        "household_identifier": home.id,
        "poverty_score": home.poverty_score,
        "registration_date": REGISTERED,
    });
    if let Some(death) = person.death {
        record["death_date"] = json!(date_time(death));
    }
    contacts(&mut record, person);
    record
}

/// `Member`; `related` says what each of the others is to this one, by number.
pub(crate) fn member(people: &Population, person: &Person, related: bool) -> Value {
    let mut demographic = social(people, person);
    if let Some(inner) = demographic.as_object_mut() {
        // The record around it has said the vocabulary.
        inner.remove("@context");
    }
    let mut record = json!({
        "@type": "Member",
        "@context": { "@vocab": "https://schema.spdci.org/extensions/social/v1" },
        "@id": format!("https://registry.example/member/{}", person.uin),
        "member_identifier": [identifier(Scheme::Uin, &person.uin)],
        "demographic_info": demographic,
        "is_disabled": false,
        "marital_status": person.marital.word(),
        "registration_date": REGISTERED,
    });
    if related {
        record["related_person"] = Value::Array(relations(people, person));
    }
    record
}

/// `Group`, with its head and its members.
pub(crate) fn group(people: &Population, home: &Household) -> Value {
    let members: Vec<Value> = home
        .members
        .clone()
        .map(|index| member(people, &people.person(index), true))
        .collect();
    json!({
        "@context": { "@vocab": "https://schema.spdci.org/extensions/social/v1" },
        "@id": format!("https://registry.example/group/{}", home.id),
        "@type": "Group",
        "group_identifier": [identifier(Scheme::Household, &home.id)],
        "group_type": "household",
        "place": { "@type": "Place", "name": home.place.locality, "address": line(home.place) },
        "poverty_score": home.poverty_score,
        "poverty_score_type": "proxy-means-test",
        "group_head_info": member(people, &people.person(home.members.start), false),
        "group_size": members.len(),
        "member_list": members,
        "registration_date": REGISTERED,
        "last_updated": "2025-11-30T08:00:00Z",
    })
}

const REGISTERED: &str = "2022-01-10T08:00:00Z";

/// Related people: `relationship_type` is what the other one is to this person.
fn relations(people: &Population, person: &Person) -> Vec<Value> {
    let home = people.household(person.household);
    let others = home.members.filter(|index| *index != person.index);
    let related = others.filter_map(|index| {
        let other = people.person(index);
        let relationship = if person.parents.contains(&index) {
            "parent"
        } else if other.parents.contains(&person.index) {
            "child"
        } else {
            match (person.role, other.role) {
                (Role::Head, Role::Spouse) | (Role::Spouse, Role::Head) => "spouse",
                (Role::Grandparent, Role::Grandparent) => "spouse",
                (Role::Child, Role::Child) => "sibling",
                (Role::Child, Role::Grandparent) => "grandparent",
                (Role::Grandparent, Role::Child) => "grandchild",
                // A spouse and the head's parents: SPDCI has no word for in-laws.
                _ => return None,
            }
        };
        Some(json!({
            "@type": "RelatedPerson",
            "relationship_type": relationship,
            "related_member": {
                "@type": "Member",
                "member_identifier": [identifier(Scheme::Uin, &other.uin)],
            },
        }))
    });
    related.collect()
}

fn identifiers(person: &Person) -> Vec<Value> {
    let mut identifiers = vec![
        identifier(Scheme::Uin, &person.uin),
        identifier(Scheme::Brn, &person.brn),
    ];
    identifiers.extend(person.nid.iter().map(|nid| identifier(Scheme::Nid, nid)));
    identifiers
}

fn identifier(scheme: Scheme, value: &str) -> Value {
    json!({ "@type": "Identifier", "identifier_type": scheme.code(), "identifier_value": value })
}

fn name(person: &Person) -> Value {
    let mut name = json!({ "@type": "Name", "surname": person.name.surname });
    let given = [
        ("given_name", &person.name.given),
        ("second_name", &person.name.second),
    ];
    for (field, value) in given {
        if let Some(value) = value {
            name[field] = json!(value);
        }
    }
    name
}

fn contacts(record: &mut Value, person: &Person) {
    if let Some(phone) = &person.phone {
        record["phone_number"] = json!([phone]);
    }
}

fn address(place: Place) -> Value {
    json!({
        "@type": "Address",
        "address_line1": line(place),
        "locality": place.locality,
        "region_code": place.region,
        "country_code": "XX",
    })
}

fn line(place: Place) -> String {
    format!("{} {}", place.house, place.locality)
}

fn date_time(date: PartialDate) -> String {
    match date.known {
        Known::Day => format!("{date}T00:00:00Z"),
        Known::Month | Known::Year => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_s_civil_record_names_the_parents() {
        let people = Population::new(1, 500);
        let child = people
            .iter()
            .find(|person| person.parents.len() == 2)
            .expect("two parents");
        let record = civil(&people, &child);
        let mother_or_father = people.person(child.parents[1]);
        assert_eq!(
            record["parent2_identifier"]["identifier_value"],
            mother_or_father.uin
        );
        assert_eq!(record["parent1_identifier"]["identifier_type"], "UIN");
    }

    #[test]
    fn a_group_lists_its_members_and_their_relations() {
        let people = Population::new(1, 500);
        let home = people.household(0);
        let record = group(&people, &home);
        assert_eq!(record["group_size"], 8);
        assert_eq!(record["member_list"].as_array().map(Vec::len), Some(8));
        let head = &record["member_list"][0];
        assert_eq!(
            record["group_head_info"]["member_identifier"],
            head["member_identifier"]
        );
        let relations = head["related_person"].as_array().expect("relations");
        assert!(
            relations
                .iter()
                .any(|relation| relation["relationship_type"] == "child")
        );
    }

    #[test]
    fn what_is_not_on_record_is_left_out() {
        let people = Population::new(1, 1_000);
        let single = people
            .iter()
            .find(|person| person.name.given.is_none())
            .expect("one name");
        let record = social(&people, &single);
        assert!(record["name"].get("given_name").is_none());
        assert!(!record.to_string().contains("null"));
        let partial = people
            .iter()
            .find(|person| person.birth.known == Known::Year);
        let record = social(&people, &partial.expect("a year alone"));
        assert_eq!(record["birth_date"].as_str().map(str::len), Some(4));
    }
}
