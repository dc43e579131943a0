//! The Group of a household: by its number, by a member, and its people.

use adapter_sdk::model::{Household, Identifier};
use adapter_sdk::{Failure, http};
use serde_json::Value;

use crate::bundle::{Bundle, id, reference};
use crate::json::Object;
use crate::lookup::{self, patient_of};
use crate::server::{self, Parameters, Server};
use crate::{Rules, mapping};

/// A household with more members is a village, or a fault.
pub const MOST_MEMBERS: usize = 100;

/// How Groups are asked for.
pub struct Groups<'a> {
    /// Who is asked.
    pub server: &'a Server,
    /// How resources are read.
    pub rules: &'a Rules,
    /// Whether RelatedPersons are asked for.
    pub with_related: bool,
    /// The extension of a Patient that refers to its Group.
    pub reference_extension: Option<&'a str>,
}

/// A Group, and those of its Patients that came with it.
#[derive(Debug)]
pub struct Found {
    group: Value,
    patients: Vec<Value>,
}

impl Groups<'_> {
    /// The Group with a number of its own.
    ///
    /// # Errors
    /// `not-found`, `ambiguous`, and what the server says.
    pub fn by_number(&self, asked: &Identifier) -> Result<Found, Failure> {
        let token = self.rules.schemes.token(&asked.scheme, asked.value.trim());
        let token = token.ok_or_else(lookup::unknown_scheme)?;
        let found = self.search(("identifier", token))?;
        mapping::carries(&found.group, asked, self.rules)?;
        Ok(found)
    }

    /// The Group that a Patient refers to, or that has it as a member.
    ///
    /// # Errors
    /// As [`Groups::by_number`].
    pub fn by_member(&self, patient: &Value) -> Result<Found, Failure> {
        if let Some(url) = self.reference_extension {
            let told = Object::new(patient).and_then(|it| it.extensions().first(url));
            let told = told.and_then(|it| it.object("valueReference"));
            let told = told.and_then(|it| reference(it.text("reference")?));
            let Some(("Group", id)) = told else {
                return Err(Failure::not_found());
            };
            let group = server::body(self.server, &self.server.read("Group", id).send()?)?;
            mapping::check(&group, "Group")?;
            return Ok(Found {
                group,
                patients: Vec::new(),
            });
        }
        let id = id(patient).ok_or_else(|| Failure::unreadable("answer.resource"))?;
        let found = self.search(("member", format!("Patient/{id}")))?;
        let members = mapping::members(&found.group, self.rules);
        match members.iter().any(|it| it == id) {
            true => Ok(found),
            false => Err(Failure::unreadable("answer.mismatch")),
        }
    }

    fn search(&self, by: (&str, String)) -> Result<Found, Failure> {
        let query = vec![
            (by.0.to_owned(), by.1),
            ("_include".to_owned(), "Group:member".to_owned()),
        ];
        let response = self.server.search("Group", &query).send()?;
        // The path is the same for every question: a server without Groups.
        if response.status == 404 {
            return Err(Failure::misconfigured("http.404").field("endpoints.registry"));
        }
        let body = server::body(self.server, &response)?;
        let bundle = Bundle::read(&body, "Group")?;
        // One that is not active is a household no more.
        let is_standing =
            |it: &&Value| Object::new(it).and_then(|it| it.truth("active")) != Some(false);
        let groups = bundle.matches("Group").into_iter();
        let standing: Vec<&Value> = groups.filter(is_standing).collect();
        let [group] = standing.as_slice() else {
            return Err(match standing.len() {
                0 => Failure::not_found(),
                _ => lookup::several(),
            });
        };
        mapping::check(group, "Group")?;
        let patients = bundle.all("Patient");
        for patient in &patients {
            mapping::check(patient, "Patient")?;
        }
        Ok(Found {
            group: (*group).clone(),
            patients: patients.into_iter().cloned().collect(),
        })
    }

    /// Reads whom the answer did not bring along, and who is what to whom, all at the same time.
    ///
    /// # Errors
    /// `unreadable` where it is a Group of something else, and what the server says: half a household
    /// is none.
    pub fn household(&self, found: Found) -> Result<Household, Failure> {
        let Found {
            group,
            mut patients,
        } = found;
        let kind = Object::new(&group).and_then(|it| it.text("type"));
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("person")) {
            return Err(Failure::unreadable("group.type"));
        }
        let members = mapping::members(&group, self.rules);
        if members.len() > MOST_MEMBERS {
            return Err(too_many());
        }
        let known = |wanted: &str| patients.iter().any(|it| id(it) == Some(wanted));
        let missing = members.iter().filter(|it| !known(it));
        let mut requests: Vec<http::Builder> =
            missing.map(|id| self.server.read("Patient", id)).collect();
        let asks_related = self.with_related && !members.is_empty();
        if asks_related {
            let of: Vec<String> = members.iter().map(|id| format!("Patient/{id}")).collect();
            requests.push(related_to(self.server, &of));
        }
        let mut answers = http::send_all(requests);
        let told = asks_related.then(|| answers.pop()).flatten();
        for answer in answers {
            // A member who is gone stays a member; one who cannot be read now would be missing.
            patients.extend(patient_of(self.server, &answer?)?);
        }
        let related = match told {
            Some(answer) => related_of(self.server, &answer?)?,
            None => Vec::new(),
        };
        let patients: Vec<&Value> = patients.iter().collect();
        let related: Vec<&Value> = related.iter().collect();
        Ok(mapping::household(&group, &patients, &related, self.rules))
    }
}

/// More people than a household has.
pub fn too_many() -> Failure {
    Failure::unsupported("household.size").field("members")
}

/// The search for the RelatedPersons of these Patients.
pub fn related_to(server: &Server, patients: &[String]) -> http::Builder {
    let query: Parameters = vec![
        ("patient".to_owned(), patients.join(",")),
        ("_count".to_owned(), "500".to_owned()),
    ];
    server.search("RelatedPerson", &query)
}

/// The RelatedPersons of the answer to that search.
///
/// # Errors
/// `misconfigured` where the server has none, `unsupported` where they fill several pages: half of who
/// is what to whom would look like all of it.
pub fn related_of(server: &Server, response: &http::Response) -> Result<Vec<Value>, Failure> {
    if response.status == 404 {
        return Err(Failure::misconfigured("http.404").field("settings.with_related"));
    }
    let body = server::body(server, response)?;
    let bundle = Bundle::read(&body, "RelatedPerson")?;
    if bundle.next.is_some() {
        return Err(Failure::unsupported("related.several-pages").field("relations"));
    }
    lookup::related(&bundle)
}
