use super::people::{self, all, extras};
use super::{Converted, code, codes, failure, garbage, opaque, pending};
use crate::model::{AttributeResult, Candidate, Household, Page, Person, Relation, Verification};
use crate::sandbox::bindings::{abilities, types};
use crate::sandbox::fault::{Fault, Limit};
use crate::sandbox::instance::Answer;

/// In one answer, of all its people: a page of a hundred people has five hundred.
const MAX_IDENTIFIERS: usize = 2_000;

pub(in crate::sandbox) fn find(
    answer: Result<abilities::find::FindAnswer, types::Failure>,
) -> Converted<Person> {
    use abilities::find::FindAnswer::{Done, Pending};
    Ok(match answer {
        Ok(Done(person)) => {
            few(identifiers(&person))?;
            Ok(Answer::Done(people::person(person, "person")?))
        }
        Ok(Pending(more)) => Ok(pending(more)),
        Err(no) => Err(failure(no)),
    })
}

pub(in crate::sandbox) fn household(
    answer: Result<abilities::household::HouseholdAnswer, types::Failure>,
) -> Converted<Household> {
    use abilities::household::HouseholdAnswer::{Done, Pending};
    Ok(match answer {
        Ok(Done(household)) => Ok(Answer::Done(group(household)?)),
        Ok(Pending(more)) => Ok(pending(more)),
        Err(no) => Err(failure(no)),
    })
}

pub(in crate::sandbox) fn search(
    answer: Result<abilities::search::SearchAnswer, types::Failure>,
) -> Converted<Page> {
    use abilities::search::SearchAnswer::{Done, Pending};
    Ok(match answer {
        Ok(Done(found)) => Ok(Answer::Done(page(found)?)),
        Ok(Pending(more)) => Ok(pending(more)),
        Err(no) => Err(failure(no)),
    })
}

pub(in crate::sandbox) fn verify(
    answer: Result<abilities::verify::VerifyAnswer, types::Failure>,
) -> Converted<Verification> {
    use abilities::verify::VerifyAnswer::{Done, Pending};
    Ok(match answer {
        Ok(Done(result)) => Ok(Answer::Done(Verification {
            overall: codes::agreement(result.overall),
            attributes: result
                .attributes
                .into_iter()
                .enumerate()
                .map(|(at, attribute)| {
                    // Free text here would go to callers as it is.
                    let field = code(attribute.field)
                        .ok_or_else(|| garbage(format!("attributes.{at}.field")))?;
                    Ok(AttributeResult {
                        field,
                        agreement: codes::agreement(attribute.agreement),
                    })
                })
                .collect::<Result<_, Fault>>()?,
            token: result.token,
            extra: extras(result.extra, "extra")?,
        })),
        Ok(Pending(more)) => Ok(pending(more)),
        Err(no) => Err(failure(no)),
    })
}

/// Refuses an answer with more identifiers than anybody has use for: each is kept, compared and
/// audited.
fn few(identifiers: usize) -> Result<(), Fault> {
    if identifiers > MAX_IDENTIFIERS {
        return Err(Fault::OverLimit(Limit::Answer));
    }
    Ok(())
}

pub(super) fn identifiers(person: &types::Person) -> usize {
    let related = person.related.iter().map(|it| it.identifiers.len());
    person.identifiers.len() + person.replaced_by.len() + related.sum::<usize>()
}

fn page(page: abilities::search::Page) -> Result<Page, Fault> {
    few(page
        .candidates
        .iter()
        .map(|candidate| identifiers(&candidate.person))
        .sum())?;
    Ok(Page {
        candidates: all(page.candidates, "candidates", |candidate, place| {
            let score = candidate.score;
            if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
                return Err(garbage(format!("{place}.score")));
            }
            Ok(Candidate {
                person: people::person(candidate.person, &format!("{place}.person"))?,
                score,
                grade: candidate.grade.map(codes::grade),
            })
        })?,
        total: page.total,
        next: page.next.map(opaque),
        extra: extras(page.extra, "extra")?,
        unmapped: people::unmapped(page.unmapped),
    })
}

pub(super) fn group(group: types::Household) -> Result<Household, Fault> {
    let of_people = group.people.iter().map(identifiers).sum::<usize>();
    few(group.identifiers.len() + of_people)?;
    let count = group.people.len();
    let inside = |index: u32| usize::try_from(index).is_ok_and(|index| index < count);
    for (at, relation) in group.relations.iter().enumerate() {
        if !inside(relation.subject) || !inside(relation.object) {
            return Err(garbage(format!("relations.{at}")));
        }
    }
    let mut members = group.members.clone();
    members.sort_unstable();
    members.dedup();
    if members.len() != group.members.len() || !members.into_iter().all(inside) {
        return Err(garbage("members"));
    }
    if group.head.is_some_and(|head| !inside(head)) {
        return Err(garbage("head"));
    }
    Ok(Household {
        identifiers: all(group.identifiers, "identifiers", people::identifier)?,
        kind: codes::household_kind(group.kind),
        people: all(group.people, "people", people::person)?,
        members: group.members,
        relations: group
            .relations
            .into_iter()
            .map(|relation| Relation {
                subject: relation.subject,
                object: relation.object,
                role: codes::relation_role(relation.role),
            })
            .collect(),
        head: group.head,
        addresses: all(group.addresses, "addresses", people::address)?,
        version: group.version,
        extra: extras(group.extra, "extra")?,
        unmapped: people::unmapped(group.unmapped),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(field: &str) -> Converted<Verification> {
        use abilities::verify::{Agreement, AttributeResult, Verification, VerifyAnswer};
        verify(Ok(VerifyAnswer::Done(Verification {
            overall: Agreement::Match,
            attributes: vec![AttributeResult {
                field: field.into(),
                agreement: Agreement::Match,
            }],
            token: None,
            extra: Vec::new(),
        })))
    }

    #[test]
    fn a_field_that_was_compared_is_a_name_not_a_sentence() {
        assert!(verified("names.0.family").is_ok());
        assert_eq!(verified("Sita Sharma"), Err(garbage("attributes.0.field")));
    }

    #[test]
    fn too_many_identifiers_are_over_the_limit() {
        assert_eq!(few(MAX_IDENTIFIERS), Ok(()));
        assert_eq!(
            few(MAX_IDENTIFIERS + 1),
            Err(Fault::OverLimit(Limit::Answer))
        );
    }
}
