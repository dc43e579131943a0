//! Who is asked for, and whether the answer is about them.

use adapter_sdk::Failure;
use adapter_sdk::model::{Identifier, Person};

use crate::settings::{Esignet, Ida};

/// Whom IDA is asked about. No `Debug`: it is a person's number.
#[derive(Clone, PartialEq, Eq)]
pub struct Individual {
    /// Our scheme.
    pub scheme: String,
    /// `individualId`
    pub id: String,
    /// `individualIdType`
    pub id_type: String,
}

/// The first identifier that IDA has a type for.
///
/// # Errors
/// `rejected`: there is none.
pub fn individual(identifiers: &[Identifier], ida: &Ida) -> Result<Individual, Failure> {
    let known = |identifier: &Identifier| {
        let id_type = ida.identifier_types.get(&identifier.scheme)?;
        let filled = !identifier.value.trim().is_empty();
        filled.then(|| Individual {
            scheme: identifier.scheme.clone(),
            id: identifier.value.clone(),
            id_type: id_type.to_owned(),
        })
    };
    identifiers.iter().find_map(known).ok_or_else(no_scheme)
}

/// Whether userinfo can say that it is about these identifiers. None at all is well: the proof says
/// who it is. Asked before the code is used, as it can be used once.
///
/// # Errors
/// `rejected`: userinfo has none of these schemes.
pub fn known_schemes(identifiers: &[Identifier], esignet: &Esignet) -> Result<(), Failure> {
    let known = |identifier: &Identifier| is_known(&identifier.scheme, esignet);
    if identifiers.is_empty() || identifiers.iter().any(known) {
        Ok(())
    } else {
        Err(no_scheme())
    }
}

/// Whether userinfo is about whom the identifiers name.
///
/// # Errors
/// `unreadable`: it carries another number, or none of the schemes that were asked by.
pub fn check_asked(
    identifiers: &[Identifier],
    person: &Person,
    esignet: &Esignet,
) -> Result<(), Failure> {
    let asked = |identifier: &&Identifier| is_known(&identifier.scheme, esignet);
    let carried = |asked: &Identifier| {
        let same = |had: &Identifier| had.scheme == asked.scheme && had.value == asked.value;
        person.identifiers.iter().any(same)
    };
    if identifiers.iter().filter(asked).all(carried) {
        Ok(())
    } else {
        Err(Failure::unreadable("answer.mismatch").field("identifiers"))
    }
}

fn is_known(scheme: &str, esignet: &Esignet) -> bool {
    scheme == esignet.subject_scheme || Some(scheme) == esignet.individual_id_scheme.as_deref()
}

fn no_scheme() -> Failure {
    Failure::rejected("identifier.scheme").field("identifiers")
}
