//! Claims about a person, compared by IDA: demographic authentication. IDA tells whether all of it
//! agrees, and of what does not, which.

use adapter_sdk::call::{self, PresentedProof, ProofKind};
use adapter_sdk::http::{self, Response};
use adapter_sdk::model::{Verification, VerifyQuery};
use adapter_sdk::{Answer, Failure, Verify, dates};

use crate::envelope;
use crate::keys::{Keys, Lent};
use crate::mapping::{self, Demographics, Individual};
use crate::settings::{Consent, Ida, Settings};
use crate::wire::ida::{self, AuthAnswer, AuthRequest};
use crate::{IDA, Mosip, jose};

/// Licence key, partner id and API key are the end of the endpoint's base URL, as secrets: there is
/// nothing below it.
const PATH: &str = "/";

impl Verify for Mosip {
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure> {
        verify(&Lent, query).map(Into::into)
    }
}

/// Verifies with these keys.
///
/// # Errors
/// As [`Verify::verify`].
pub fn verify(keys: &impl Keys, query: VerifyQuery) -> Result<Verification, Failure> {
    let settings = Settings::load()?;
    let ida = settings.ida()?;
    let individual = mapping::individual(&query.identifiers, ida)?;
    let password = password(call::proof())?;
    let asked = mapping::demographics(&query.claimed, &individual, ida, &settings);
    if asked.sent.is_empty() && password.is_none() {
        return if asked.is_empty() {
            Err(Failure::rejected("claimed.empty").field("claimed"))
        } else {
            Ok(mapping::uncompared(&asked))
        };
    }
    consent(ida)?;
    let transaction_id = match password.as_ref().and_then(|(_, id)| id.clone()) {
        Some(id) => id,
        None => envelope::transaction_id()?,
    };
    let password = password.as_ref().map(|(password, _)| password.as_str());
    let body = request(keys, &individual, &asked, password, &transaction_id, ida)?;
    let signature = jose::detached(keys, &ida.signing_key, &body, "settings.ida.signing_key")?;
    let response = http::endpoint(IDA)
        .post(PATH)
        .header("signature", signature)
        .body("application/json", body)
        .send()?;
    mapping::verification(&answer(&response)?, &transaction_id, &asked)
}

/// A one-time password, and the transaction under which it was asked for. IDA wants the same.
fn password(proof: Option<PresentedProof>) -> Result<Option<(String, Option<String>)>, Failure> {
    let Some(proof) = proof else {
        return Ok(None);
    };
    if proof.kind != ProofKind::OneTimePassword {
        return Err(Failure::unsupported("proof.kind").field("proof"));
    }
    let mut parameters = proof.parameters.into_iter();
    let id = parameters.find_map(|(name, value)| (name == "transaction-id").then_some(value));
    let fits = |id: &String| id.len() == 10 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if id.as_ref().is_some_and(|id| !fits(id)) {
        return Err(Failure::rejected("proof.transaction-id").field("proof"));
    }
    Ok(Some((proof.value, id)))
}

/// IDA is told that the person agreed: said only where it is so.
fn consent(ida: &Ida) -> Result<(), Failure> {
    let stated = call::consent().is_some_and(|consent| !consent.reference.trim().is_empty());
    if stated || ida.consent == Consent::Agreed {
        Ok(())
    } else {
        Err(Failure::denied("consent.missing").field("consent"))
    }
}

fn request(
    keys: &impl Keys,
    individual: &Individual,
    asked: &Demographics,
    password: Option<&str>,
    transaction_id: &str,
    ida: &Ida,
) -> Result<Vec<u8>, Failure> {
    let now = with_milliseconds(&dates::now());
    let inner = ida::inner(&asked.sent, password, &now);
    let envelope = envelope::seal(keys, &ida.certificate, &inner)?;
    let request = AuthRequest {
        individual_id: &individual.id,
        individual_id_type: &individual.id_type,
        transaction_id,
        request_time: &now,
        domain_uri: ida.domain_uri.as_deref(),
        env: ida.env.as_deref(),
        demo: !asked.sent.is_empty(),
        otp: password.is_some(),
    };
    Ok(request.body(envelope))
}

/// IDA reads `yyyy-MM-dd'T'HH:mm:ss.SSSXXX` and nothing else.
fn with_milliseconds(now: &str) -> String {
    now.replace('Z', ".000Z")
}

/// The path is the same for every question: where it is not, nobody is looked for.
fn answer(response: &Response) -> Result<AuthAnswer, Failure> {
    match response.status {
        404 | 405 | 410 => Err(Failure::misconfigured(format!("http.{}", response.status))),
        _ => AuthAnswer::read(&response.clone().ok()?.json()?),
    }
}
