//! IDA, as its code reads a request (mosip/id-authentication, `IdAuthFilter`, `KeyManager`).

use adapter_mosip::keys::{Sealed, Session};
use adapter_sdk::http::Request;
use adapter_sdk::model::{Identifier, Person, VerifyQuery};
use adapter_sdk::testing::{self, Reply, Stage};
use rsa::Oaep;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{IDA_CERTIFICATE, SessionKey, consent, der, private, unurl};

/// The stage of a registry with IDA, and a call that states the person's consent.
pub(crate) fn stage(more: Value) -> Stage {
    let mut settings = json!({ "ida": {} });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    testing::stage()
        .settings(settings)
        .consent(consent())
        .endpoint("ida")
}

/// The same, with an answer to every request.
pub(crate) fn answering<R: Into<Reply>>(answer: impl Fn(&Request) -> R + 'static) -> Stage {
    stage(json!({})).on_post("/", answer)
}

/// All of it agrees.
pub(crate) fn agreed(request: &Request) -> Value {
    answer(request, true, json!([]))
}

/// An answer to a request, with its number.
pub(crate) fn answer(request: &Request, status: bool, errors: Value) -> Value {
    json!({
        "transactionID": request.json()["transactionID"],
        "version": "1.0",
        "id": "mosip.identity.auth",
        "errors": errors,
        "responseTime": "2026-01-02T03:04:05.678Z",
        "response": {
            "authStatus": status,
            "authToken": if status { json!("token-1") } else { Value::Null },
        },
    })
}

pub(crate) fn error(code: &str, message: &str) -> Value {
    json!([{ "errorCode": code, "errorMessage": message, "actionMessage": null }])
}

pub(crate) fn of_uin(claimed: Person) -> VerifyQuery {
    VerifyQuery {
        identifiers: vec![Identifier::new("national-id", "5319704826")],
        claimed,
    }
}

/// The inner request and its hash, opened as IDA does.
pub(crate) struct Opened {
    pub(crate) request: String,
    pub(crate) hash: String,
}

impl Opened {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.request).unwrap()
    }
}

pub(crate) fn open(request: &Request) -> Opened {
    let body = request.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert_eq!(
        text("thumbprint"),
        hexadecimal(&Sha256::digest(der(IDA_CERTIFICATE)))
    );
    let key = private("ida").decrypt(Oaep::<Sha256>::new(), &unurl(&text("requestSessionKey")));
    let session = SessionKey::new(key.unwrap());
    let part = |name: &str| {
        let bytes = unurl(&text(name));
        let (rest, iv) = bytes.split_at(bytes.len() - 16);
        let (ciphertext, tag) = rest.split_at(rest.len() - 16);
        let sealed = Sealed {
            ciphertext: ciphertext.to_vec(),
            tag: tag.to_vec(),
            iv: iv.to_vec(),
        };
        String::from_utf8(session.open(&sealed, &[]).unwrap()).unwrap()
    };
    Opened {
        request: part("request"),
        hash: part("requestHMAC"),
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
