//! The abilities of a module, one call in a fresh instance each.

use bytes::Bytes;
use wasmtime::Store;
use wasmtime::component::Instance;

use super::convert;
use super::fault::Fault;
use super::instance::{PendingAnswer, Ran, Work, run};
use super::lent::State;
use super::mask;
use super::module::Module;
use crate::model::{
    CreateRequest, EnrolmentRequest, FindQuery, Household, HouseholdQuery, Identifier, LinkRequest,
    Opaque, Page, Person, SearchQuery, UpdateRequest, Verification, VerifyQuery, Written,
};

/// The export is not there: admission probed it, so this is the gateway's own mistake.
pub(super) fn no_export() -> wasmtime::Error {
    super::fault::Stop(Fault::NoInstance).into()
}

/// What of a question may name a person.
trait Asked {
    fn to_be_masked(&self) -> serde_json::Value;

    /// Those of them that name somebody: identifiers and names.
    fn who(&self) -> serde_json::Value {
        self.to_be_masked()
    }
}

impl Asked for FindQuery {
    fn to_be_masked(&self) -> serde_json::Value {
        values(&self.identifiers)
    }
}

impl Asked for HouseholdQuery {
    fn to_be_masked(&self) -> serde_json::Value {
        values(&self.identifiers)
    }
}

impl Asked for SearchQuery {
    fn to_be_masked(&self) -> serde_json::Value {
        self.criteria
            .iter()
            .map(|criterion| serde_json::to_value(&criterion.test).unwrap_or_default())
            .collect()
    }
}

impl Asked for VerifyQuery {
    fn to_be_masked(&self) -> serde_json::Value {
        let claimed = serde_json::to_value(&self.claimed).unwrap_or_default();
        [values(&self.identifiers), claimed].into_iter().collect()
    }

    /// Not every claim: `male` or `phone` in a code names nobody.
    fn who(&self) -> serde_json::Value {
        let claimed = &self.claimed;
        let names = claimed.names.iter().flat_map(|name| {
            let parts = [&name.text, &name.family].into_iter().flatten();
            parts.chain(&name.given).map(String::as_str)
        });
        let names: serde_json::Value = names.collect();
        [
            values(&self.identifiers),
            values(&claimed.identifiers),
            names,
        ]
        .into_iter()
        .collect()
    }
}

impl Asked for CreateRequest {
    fn to_be_masked(&self) -> serde_json::Value {
        all_of(self)
    }
}

impl Asked for UpdateRequest {
    fn to_be_masked(&self) -> serde_json::Value {
        all_of(self)
    }
}

impl Asked for LinkRequest {
    fn to_be_masked(&self) -> serde_json::Value {
        all_of(self)
    }
}

impl Asked for EnrolmentRequest {
    fn to_be_masked(&self) -> serde_json::Value {
        all_of(self)
    }
}

/// Of what is written any part may be about somebody.
fn all_of(request: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(request).unwrap_or_default()
}

/// Not the schemes: a developer may read which one a line is about.
fn values(identifiers: &[Identifier]) -> serde_json::Value {
    let values = identifiers
        .iter()
        .map(|identifier| identifier.value.as_str());
    values.collect()
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident $resume:ident $export:ident
        ($query:ty => $to:ident, $call:ident) -> $answer:ty => $from:ident;)*) => {
        impl Module {$(
            $(#[$doc])*
            pub async fn $verb(&self, work: Work, query: &$query) -> Ran<$answer> {
                let exports = self.exports().$export.clone();
                let asked = vec![mask::words_of(&query.to_be_masked())];
                let who = mask::words_of(&query.who());
                let query = convert::$to(query);
                run(self, work, asked, who, move |store: &mut Store<State>, instance: Instance| {
                    Box::pin(async move {
                        let guest = exports.ok_or_else(no_export)?.load(&mut *store, &instance)?;
                        let answer = guest.$call(&mut *store, &query).await?;
                        Ok(convert::$from(answer))
                    })
                })
                .await
            }

            /// Goes on with the ability after it answered `pending`. Without an answer it was the
            /// time that came.
            pub async fn $resume(
                &self,
                work: Work,
                state: &Opaque,
                answer: Option<PendingAnswer>,
            ) -> Ran<$answer> {
                let exports = self.exports().$export.clone();
                let mut asked = vec![Bytes::copy_from_slice(&state.data)];
                if let Some(answer) = &answer {
                    asked.push(Bytes::from(answer.reference.clone()));
                    asked.push(Bytes::copy_from_slice(&answer.data));
                }
                let state = convert::opaque_out(state);
                let answer = answer.map(convert::pending_answer);
                // A registry's code stands in what it brought: here no word of that names anybody.
                run(self, work, asked, Bytes::new(), move |store: &mut Store<State>, instance: Instance| {
                    Box::pin(async move {
                        let guest = exports.ok_or_else(no_export)?.load(&mut *store, &instance)?;
                        let answer = guest.call_resume(&mut *store, &state, answer.as_ref()).await?;
                        Ok(convert::$from(answer))
                    })
                })
                .await
            }
        )*}
    };
}

verbs! {
    /// Looks up one person.
    find resume_find find (FindQuery => find_query, call_find) -> Person => find;
    /// Looks up the household or family of somebody.
    household resume_household household
        (HouseholdQuery => household_query, call_find_household) -> Household => household;
    /// Looks up people by what is known of them.
    search resume_search search (SearchQuery => search_query, call_search) -> Page => search;
    /// Says whether claims agree with the registry.
    verify resume_verify verify (VerifyQuery => verify_query, call_verify) -> Verification => verify;
    /// Tells the registry of somebody or something that it does not know.
    create resume_create create (CreateRequest => create_request, call_create) -> Written => written;
    /// Changes fields of a record.
    update resume_update update (UpdateRequest => update_request, call_update) -> Written => written;
    /// Ties an identifier to the registry's person, or unties it.
    link resume_link link (LinkRequest => link_request, call_link) -> Written => written;
    /// Tells of an enrolment.
    enrol resume_enrol enrolment
        (EnrolmentRequest => enrolment_request, call_enrol) -> Written => written;
}
