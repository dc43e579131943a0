use super::*;
use crate::names::Culture;

#[test]
fn the_same_seed_gives_the_same_people() {
    let (one, again, other) = (
        Population::new(3, 500),
        Population::new(3, 500),
        Population::new(4, 500),
    );
    assert!(one.iter().eq(again.iter()));
    assert!(!one.iter().eq(other.iter()));
}

#[test]
fn a_person_does_not_depend_on_how_many_others_there_are() {
    let (small, large) = (Population::new(3, 40), Population::new(3, 1_000_000));
    assert_eq!(small.person(7), large.person(7));
    assert_eq!(
        large
            .by_uin(&small.person(7).uin)
            .map(|person| person.index),
        Some(7)
    );
}

#[test]
fn identifiers_lead_back_to_their_person_among_a_million() {
    let people = Population::new(5, 1_000_000);
    for index in (0..1_000_000).step_by(9_973) {
        let person = people.person(index);
        assert_eq!(people.find(Scheme::Uin, &person.uin), Some(index));
        assert_eq!(people.find(Scheme::Brn, &person.brn), Some(index));
        if let Some(nid) = &person.nid {
            assert_eq!(people.find(Scheme::Nid, nid), Some(index));
        }
        let home = people.household(person.household);
        assert_eq!(people.find(Scheme::Household, &home.id), Some(home.index));
    }
}

#[test]
fn nobody_is_found_beyond_the_end() {
    let (small, large) = (Population::new(5, 20), Population::new(5, 21));
    assert_eq!(small.find(Scheme::Uin, &large.person(20).uin), None);
    let child = small
        .iter()
        .find(|person| person.nid.is_none())
        .expect("a child");
    let card = small.identifiers.give(Scheme::Nid, child.index);
    assert_eq!(small.find(Scheme::Nid, &card), None);
}

#[test]
fn every_surname_holds_a_planted_word() {
    let words = Population::planted_words();
    for person in Population::new(8, 5_000).iter() {
        assert!(
            words.iter().any(|word| person.name.surname.contains(word)),
            "{person:?}"
        );
    }
}

#[test]
fn households_have_one_to_eight_people_and_one_head() {
    let people = Population::new(2, 1_013);
    let mut counted = 0;
    for index in 0..people.households() {
        let home = people.household(index);
        let members: Vec<Person> = home.members.clone().map(|at| people.person(at)).collect();
        assert!((1..=8).contains(&members.len()));
        assert!(members.iter().all(|member| member.household == index));
        assert_eq!(
            members
                .iter()
                .filter(|member| member.role == Role::Head)
                .count(),
            1
        );
        assert_eq!(members[0].role, Role::Head);
        counted += members.len() as u64;
    }
    assert_eq!(counted, people.len());
}

#[test]
fn parents_are_older_than_their_children() {
    let people = Population::new(6, 3_000);
    for person in people.iter() {
        for parent in &person.parents {
            let parent = people.person(*parent);
            assert!(parent.age() >= person.age() + 18, "{parent:?} {person:?}");
        }
        if let Some(death) = person.death {
            assert!(death.date > person.birth.date, "{person:?}");
        }
    }
}

#[test]
fn the_smallest_population_has_two_records_of_one_person() {
    let people = Population::new(1, 20);
    let (first, second) = (people.person(0), people.person(19));
    assert_eq!(people.repeated_at(0), Some(19));
    assert_eq!((&first.name, first.birth), (&second.name, second.birth));
    assert_ne!(first.uin, second.uin);
}

#[test]
fn a_thousand_people_show_what_real_registers_hold() {
    let people: Vec<Person> = Population::new(1, 1_000).iter().collect();
    let some = |holds: fn(&Person) -> bool| people.iter().any(holds);
    assert!(some(|person| person.death.is_some()));
    assert!(some(|person| person.birth.known == Known::Year));
    assert!(some(|person| person.birth.known == Known::Month));
    assert!(some(|person| person.name.given.is_none()));
    assert!(some(|person| person.culture == Culture::Long));
    assert!(some(|person| person.culture == Culture::Arabic));
    assert!(some(|person| person.role == Role::Grandparent));
    assert!(some(|person| person.sex == Sex::Unknown));
}

#[test]
fn a_seed_names_the_same_people_for_ever() {
    let person = Population::new(1, 1_000).person(500);
    let seen = (
        person.uin.as_str(),
        person.name.surname.as_str(),
        person.birth.to_string(),
    );
    assert_eq!(seen, ("7146921718", "Hlombikazeto", "1961-03".to_owned()));
}
