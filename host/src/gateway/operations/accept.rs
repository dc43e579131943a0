//! A write is taken: from then on it is not lost.

use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;
use uuid::Uuid;

use super::sealed::Asked;
use crate::gateway::lookups::audited::begin_row;
use crate::gateway::lookups::disclosed::Disclosed;
use crate::gateway::lookups::terms::check_stated;
use crate::gateway::lookups::watched::Watched;
use crate::gateway::{Asking, Gateway, GatewayError};
use crate::model::{Beneficiary, CreateSubject, Household, Person, WriteRequest};
use crate::store::{self, AuditEnd, KeyedHash, NewOperation, StoreError};

/// A write that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewWrite {
    /// What.
    pub request: WriteRequest,
    /// The caller's own name for the person: writes about one keep their order.
    pub subject: String,
    /// Names the write for ever: asked for again under it, it is the same.
    pub idempotency_key: String,
    /// One of many, for which nobody waits.
    pub bulk: bool,
    /// After it nothing is tried any more.
    pub deadline: Option<Timestamp>,
}

/// What was taken.
#[derive(Clone, Copy, Debug)]
pub struct Accepted {
    /// The operation's name.
    pub id: Uuid,
    /// Whether it was there before.
    pub known: bool,
}

impl Gateway {
    /// Takes a write. It is durable when this returns, with its rows in the audit.
    ///
    /// # Errors
    /// [`GatewayError`]: it was not taken, unless the database lost its own answer.
    pub async fn accept(&self, asking: Asking, new: NewWrite) -> Result<Accepted, GatewayError> {
        let mut watched = Watched::begin(self, &asking, new.request.ability());
        let gateway = self.clone();
        let line = async move {
            let accepted = gateway.accepted(asking, new, &mut watched).await;
            watched.end(&accepted);
            accepted
        };
        // A caller who hangs up does not leave it half done.
        let task = self.inner.tasks.spawn(line.in_current_span());
        task.await.unwrap_or(Err(GatewayError::Internal))
    }

    async fn accepted(
        &self,
        asking: Asking,
        new: NewWrite,
        watched: &mut Watched,
    ) -> Result<Accepted, GatewayError> {
        let Asking {
            caller,
            registry,
            mut call,
            way: _,
        } = asking;
        let ability = new.request.ability();
        let at = Timestamp::now();
        let request_hash = self.hash_of(&new, &call)?;
        // What was taken is told again, whatever may not be taken now: else its caller would take it for
        // lost, and write anew.
        if caller.may_ask(&registry) {
            let operations = self.inner.store.operations();
            let key = &new.idempotency_key;
            let known = operations.known(&caller.name, &registry, key, &request_hash);
            match known.await.map_err(GatewayError::Audit)? {
                Some((id, true)) => return Ok(Accepted { id, known: true }),
                Some((_, false)) => return Err(GatewayError::IdempotencyConflict),
                None => {}
            }
        }
        let entry = async {
            if !caller.may_ask(&registry) {
                return Err(GatewayError::UnknownRegistry);
            }
            let entry = self.inner.roster.take(&registry)?;
            if !caller.may(&registry, ability) {
                return Err(GatewayError::NotGranted);
            }
            if !entry.module.can(ability) {
                return Err(GatewayError::NoAbility(ability));
            }
            check_stated(&entry.policy, &call)?;
            // Last: what is refused for another reason is not counted.
            self.inner.allowance.take(&caller, &registry).await?;
            Ok(entry)
        };
        let entry = match entry.await {
            Ok(entry) => entry,
            Err(error) => {
                watched.refused(&registry, &error);
                return Err(error);
            }
        };
        watched.admitted(&entry);
        let days = i64::from(self.inner.delivery.config.give_up_days.get());
        let longest = at.checked_add(SignedDuration::from_hours(24 * days));
        let longest = longest.unwrap_or(Timestamp::MAX);
        let give_up_at = new.deadline.unwrap_or(longest);
        if give_up_at <= at || give_up_at > longest {
            return Err(GatewayError::Invalid {
                field: "deadline".into(),
                problem: "a time to come, at most operations.give_up_days ahead",
            });
        }
        let id = Uuid::now_v7();
        call.registry.clone_from(&registry);
        let asked = Asked::new(new.request, new.subject.clone(), &call);
        let hashes = self.hashes_of(&asked).map_err(|_| GatewayError::Invalid {
            field: "body".into(),
            problem: "fewer people: more than 4,096 identifiers are not written into the audit",
        })?;
        let request = self.seal_asked(id, &asked);
        let operation = NewOperation {
            id,
            at,
            caller: caller.name.clone(),
            registry: registry.clone(),
            ability: ability.as_str().into(),
            idempotency_key: new.idempotency_key.clone(),
            request_hash,
            subject: self
                .inner
                .fingerprint
                .of_subject(&caller.name, &new.subject),
            bulk: new.bulk,
            give_up_at,
            module_digest: entry.module.digest().into(),
            request: request.map_err(|_| GatewayError::Internal)?,
        };
        let begin = begin_row(id, &caller, &entry, &call, ability, hashes);
        let end = AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: "accepted".into(),
            code: None,
            disclosed: Vec::new(),
            registry_calls: 0,
            duration_us: 0,
        };
        let operations = self.inner.store.operations();
        match operations.accept(operation, begin, end).await {
            Ok(store::Accepted::New) => {
                self.inner.delivery.wake.notify_one();
                Ok(Accepted { id, known: false })
            }
            Ok(store::Accepted::Known) => {
                let known = operations
                    .by_key(&caller.name, &registry, &new.idempotency_key)
                    .await;
                let known = known.map_err(GatewayError::Audit)?;
                let known = known.ok_or(GatewayError::Internal)?;
                Ok(Accepted {
                    id: known.id,
                    known: true,
                })
            }
            Ok(store::Accepted::Other) => Err(GatewayError::IdempotencyConflict),
            Err(StoreError::Invalid { .. }) => Err(GatewayError::Internal),
            Err(error) => Err(GatewayError::Audit(error)),
        }
    }

    /// Of all that decides what is done: under the same key it must be the same.
    fn hash_of(
        &self,
        new: &NewWrite,
        call: &crate::model::Call,
    ) -> Result<KeyedHash, GatewayError> {
        let all = (
            &new.request,
            &new.subject,
            new.bulk,
            new.deadline,
            &call.consent,
            &call.languages,
        );
        let all = serde_json::to_vec(&all).map_err(|_| GatewayError::Internal)?;
        Ok(self.inner.fingerprint.of_write(&all))
    }

    /// Whom the write is about, for the audit.
    pub(super) fn hashes_of(&self, asked: &Asked) -> Result<Vec<KeyedHash>, GatewayError> {
        let mut about = Disclosed::default();
        match &asked.request {
            WriteRequest::Create(create) => match &create.subject {
                CreateSubject::Person(person) => of_person(&mut about, person),
                CreateSubject::Household(household) => of_household(&mut about, household),
                CreateSubject::Event(event) => {
                    let people = event.participants.iter();
                    people.for_each(|one| of_person(&mut about, &one.person));
                    event
                        .household
                        .iter()
                        .for_each(|it| of_household(&mut about, it));
                }
                CreateSubject::Other(_) => {}
            },
            WriteRequest::Update(update) => {
                about.add(&update.identifiers);
                of_person(&mut about, &update.person);
            }
            WriteRequest::Link(link) => {
                about.add(&link.identifiers);
                about.add(std::slice::from_ref(&link.linked));
            }
            WriteRequest::Enrolment(enrolment) => match &enrolment.beneficiary {
                Beneficiary::Person(person) => of_person(&mut about, person),
                Beneficiary::Household(household) => of_household(&mut about, household),
            },
        }
        about.hashes(&self.inner.fingerprint)
    }
}

fn of_person(about: &mut Disclosed, person: &Person) {
    about.add(&person.identifiers);
    about.add(&person.replaced_by);
    person
        .related
        .iter()
        .for_each(|it| about.add(&it.identifiers));
}

fn of_household(about: &mut Disclosed, household: &Household) {
    about.add(&household.identifiers);
    household
        .people
        .iter()
        .for_each(|person| of_person(about, person));
}
