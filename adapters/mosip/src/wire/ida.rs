//! ID Authentication: `AuthRequestDTO` and `AuthResponseDTO` (mosip/id-authentication,
//! `authentication-core`, package `indauth.dto`).

use adapter_sdk::Failure;
use serde_json::{Map, Value, json};

use super::{object, shape, text};
use crate::envelope::Envelope;

/// `id` of an authentication.
pub const AUTH: &str = "mosip.identity.auth";
/// `version` and `specVersion`.
pub const VERSION: &str = "1.0";

/// What is posted. `thumbprint`, `request`, `requestSessionKey` and `requestHMAC` are the envelope's.
#[derive(Clone, Copy)]
pub struct AuthRequest<'a> {
    /// The UIN or VID.
    pub individual_id: &'a str,
    /// Which of them.
    pub individual_id_type: &'a str,
    /// Ten letters or digits.
    pub transaction_id: &'a str,
    /// With milliseconds and zone.
    pub request_time: &'a str,
    /// Where IDA checks it.
    pub domain_uri: Option<&'a str>,
    /// Where IDA checks it.
    pub env: Option<&'a str>,
    /// There are demographic data in it.
    pub demo: bool,
    /// There is a one-time password in it.
    pub otp: bool,
}

impl AuthRequest<'_> {
    /// Its JSON. `requestedAuth` is for versions before 1.2; biometrics never enter a component.
    pub fn body(&self, envelope: Envelope) -> Vec<u8> {
        let requested = json!({ "demo": self.demo, "otp": self.otp, "bio": false, "pin": false });
        let mut body = record([
            ("id", AUTH.into()),
            ("version", VERSION.into()),
            ("specVersion", VERSION.into()),
            ("individualId", self.individual_id.into()),
            ("individualIdType", self.individual_id_type.into()),
            ("transactionID", self.transaction_id.into()),
            ("requestTime", self.request_time.into()),
            ("consentObtained", true.into()),
            ("requestedAuth", requested),
            ("thumbprint", envelope.thumbprint.into()),
            ("request", envelope.request.into()),
            ("requestSessionKey", envelope.session_key.into()),
            ("requestHMAC", envelope.hmac.into()),
        ]);
        for (name, value) in [("domainUri", self.domain_uri), ("env", self.env)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value.into());
            }
        }
        Value::Object(body).to_string().into_bytes()
    }
}

/// `RequestDTO`, which only IDA reads: what is claimed, a one-time password, and when.
pub fn inner(demographics: &Map<String, Value>, otp: Option<&str>, timestamp: &str) -> String {
    let mut inner = record([("timestamp", timestamp.into())]);
    if !demographics.is_empty() {
        inner.insert("demographics".to_owned(), demographics.clone().into());
    }
    if let Some(otp) = otp {
        inner.insert("otp".to_owned(), otp.into());
    }
    Value::Object(inner).to_string()
}

fn record<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    let mut record = Map::new();
    for (name, value) in members {
        record.insert(name.to_owned(), value);
    }
    record
}

/// What is answered. HTTP 200 whatever it says. No `Debug`: the words may hold a value of the person.
#[derive(Default)]
pub struct AuthAnswer {
    /// Ours.
    pub transaction_id: Option<String>,
    /// [`AUTH`]
    pub id: Option<String>,
    /// Why not. None where it agreed.
    pub errors: Vec<AuthError>,
    /// Whether all of it agreed.
    pub auth_status: Option<bool>,
    /// IDA's token for this person and this partner.
    pub auth_token: Option<String>,
}

/// One reason.
#[derive(Default)]
pub struct AuthError {
    /// `IDA-<module>-<number>`
    pub code: Option<String>,
    /// In words, with the name of an attribute or parameter in it.
    pub message: Option<String>,
}

impl AuthAnswer {
    /// Reads an answer.
    ///
    /// # Errors
    /// `unreadable` with code `json.shape`.
    pub fn read(value: &Value) -> Result<Self, Failure> {
        let record = object(value)?;
        let mut answer = Self {
            transaction_id: text(record, "transactionID")?,
            id: text(record, "id")?,
            ..Self::default()
        };
        match record.get("errors") {
            None | Some(Value::Null) => {}
            Some(Value::Array(errors)) => {
                for error in errors {
                    let error = object(error)?;
                    answer.errors.push(AuthError {
                        code: text(error, "errorCode")?,
                        message: text(error, "errorMessage")?,
                    });
                }
            }
            Some(_) => return Err(shape()),
        }
        if let Some(response) = record.get("response").filter(|it| !it.is_null()) {
            let response = object(response)?;
            answer.auth_token = text(response, "authToken")?;
            answer.auth_status = match response.get("authStatus") {
                None | Some(Value::Null) => None,
                Some(Value::Bool(status)) => Some(*status),
                Some(_) => return Err(shape()),
            };
        }
        Ok(answer)
    }
}
