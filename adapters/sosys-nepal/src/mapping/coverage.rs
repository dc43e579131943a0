//! Coverage (R4, section 13.1) as a member's standing: what the payer says, and no judgement of ours.

use adapter_sdk::model::{Extra, Person};
use fhir_r4::Rules;
use fhir_r4::bundle::reference;
use fhir_r4::json::Object;
use serde_json::{Map, Value, json};

/// The key of `extra`: the contract's `enrolments` are of programmes (SPDCI IBR), and a policy is none.
const NAME: &str = "coverage";

/// A person with the coverages whose beneficiary the Patient is. Others are left out.
pub fn with_coverage(
    mut person: Person,
    patient: &Value,
    coverages: &[&Value],
    rules: &Rules,
) -> Person {
    let id = fhir_r4::bundle::id(patient);
    let own = coverages.iter().filter(|it| is_of(it, id));
    let told: Vec<Value> = own
        .filter_map(|it| Object::new(it))
        .map(|it| standing(&it))
        .collect();
    if !told.is_empty() {
        person
            .extra
            .push(Extra::new(rules.key(NAME), &Value::Array(told)));
    }
    person
}

fn is_of(coverage: &Value, id: Option<&str>) -> bool {
    let to = Object::new(coverage).and_then(|it| it.object("beneficiary"));
    let to = to.and_then(|it| reference(it.text("reference")?));
    matches!((to, id), (Some(("Patient", to)), Some(id)) if to == id)
}

/// `status` (active, cancelled, draft, entered-in-error), `from`, `until`, `plan`, `number`, `payer`, as
/// they stand there. Whether a claim would be paid is for the payer to say.
fn standing(coverage: &Object<'_>) -> Value {
    let mut told = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    let text = |name: &str| coverage.text(name).map(|it| json!(it));
    put("status", text("status"));
    let period = coverage.object("period");
    put("from", period.and_then(|it| it.get("start").cloned()));
    put("until", period.and_then(|it| it.get("end").cloned()));
    put("number", text("subscriberId"));
    put("dependent", text("dependent"));
    let relationship = coverage.object("relationship");
    let codes = relationship
        .map(|it| it.objects("coding"))
        .unwrap_or_default();
    put(
        "relationship",
        codes
            .first()
            .and_then(|it| it.text("code"))
            .map(|it| json!(it)),
    );
    let classes = coverage.objects("class");
    let plans: Vec<&str> = classes.iter().filter_map(|it| it.text("value")).collect();
    put("plan", (!plans.is_empty()).then(|| json!(plans)));
    let payers: Vec<&str> = coverage
        .objects("payor")
        .iter()
        .filter_map(|it| it.text("display").or(it.text("reference")))
        .collect();
    put("payer", (!payers.is_empty()).then(|| json!(payers)));
    Value::Object(told)
}
