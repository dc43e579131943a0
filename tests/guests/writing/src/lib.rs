//! An adapter that writes to the records of the stand-in: it changes somebody's sex, the one thing that
//! tests of the gateway's delivery need, and asks what became of it.
//!
//! The setting `blind` makes it unable to ask. `traps` as the first identifier's scheme makes it break
//! after it was answered.

use adapter_sdk::model::{
    Description, EndpointNeed, Fate, Opaque, Pending, Receipt, Sex, TraceQuery, Unavailability,
    UpdateRequest, WriteAnswer,
};
use adapter_sdk::{About, Failure, PendingAnswer, Trace, Update, call, http, settings};
use serde_json::{Value, json};

/// Of the state that goes from step to step.
const FORM: u32 = 1;

/// The adapter.
pub struct Writing;

impl About for Writing {
    fn describe() -> Description {
        Description {
            name: "writing".into(),
            version: "1.0.0".into(),
            summary: "Writes to the records of the stand-in".into(),
            endpoints: vec![EndpointNeed::required("registry", "Holds the records")],
            readable_states: vec![FORM],
            ..Default::default()
        }
    }
}

impl Update for Writing {
    fn update(request: UpdateRequest) -> Result<WriteAnswer, Failure> {
        let record = request.identifiers.first();
        let record = record.ok_or_else(|| Failure::rejected("no.record"))?;
        let key = call::operation_key().unwrap_or_default();
        let code = match request.person.sex {
            Some(Sex::Female) => json!("F"),
            Some(Sex::Male) => json!("M"),
            Some(Sex::Unknown) => json!("X"),
            _ => Value::Null,
        };
        let path = format!("/records/{}", http::segment(&record.value));
        let mut asked = http::endpoint("registry")
            .patch(path)
            .header("idempotency-key", &key)
            .json(&json!({ "sex": code }))?;
        if let Some(version) = &request.version {
            asked = asked.header("if-match", format!("\"{version}\""));
        }
        let answer = match asked.try_send() {
            Ok(answer) => answer,
            Err(error) => return adapter_sdk::writes::unclear(error),
        };
        assert!(record.scheme != "traps", "as it was asked to");
        match answer.status {
            202 => Ok(WriteAnswer::Pending(waiting(&key)?)),
            502 | 504 => Ok(WriteAnswer::Unclear(Unavailability {
                code: Some(format!("http.{}", answer.status)),
                message: None,
                retry_after_ms: None,
                extra: Vec::new(),
            })),
            _ => Ok(receipt(&answer.ok()?.json()?).into()),
        }
    }

    fn resume(state: Opaque, _: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        let key: String = state.unpack(FORM)?;
        match fate(&key)? {
            Fate::Applied(receipt) => Ok(receipt.into()),
            Fate::Underway(pending) => Ok(WriteAnswer::Pending(pending)),
            Fate::Refused(failure) => Err(failure),
            _ => Err(Failure::unavailable("operation.later")),
        }
    }
}

impl Trace for Writing {
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        if settings::get("blind").is_some() {
            return Err(Failure::unsupported("trace"));
        }
        fate(&query.operation_key)
    }
}

fn fate(key: &str) -> Result<Fate, Failure> {
    let path = format!("/operations/{}", http::segment(key));
    let answer = http::endpoint("registry").get(path).send()?;
    if answer.status == 404 {
        return Ok(Fate::Absent);
    }
    let told: Value = answer.ok()?.json()?;
    Ok(match told.get("state").and_then(Value::as_str) {
        Some("done") => Fate::Applied(receipt(told.get("body").unwrap_or(&Value::Null))),
        Some("underway") => Fate::Underway(waiting(key)?),
        Some("refused") => Fate::Refused(Failure::rejected("refused")),
        _ => Fate::Unknown,
    })
}

fn waiting(key: &str) -> Result<Pending, Failure> {
    Ok(Pending::again_after(100, Opaque::pack(FORM, &key)?))
}

fn receipt(body: &Value) -> Receipt {
    Receipt {
        reference: body["reference"].as_str().map(str::to_owned),
        version: body["version"].as_u64().map(|version| version.to_string()),
        ..Receipt::applied()
    }
}

adapter_sdk::export!(Writing: update, trace);
