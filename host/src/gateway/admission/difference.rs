//! Where two JSON values differ, by field. No value is repeated: whoever records real people against
//! all advice must not find them in a log.

use serde_json::Value;

use crate::gateway::Finding;

/// Everywhere that the two differ.
pub(super) fn differences(place: &str, recorded: &Value, answered: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(place, recorded, answered, true, &mut findings);
    findings
}

/// Everywhere that what was recorded is not in what was sent. What is sent beside it may be.
pub(super) fn lacks(place: &str, recorded: &Value, sent: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(place, recorded, sent, false, &mut findings);
    findings
}

pub(super) fn finding(place: impl Into<String>, problem: impl Into<String>) -> Finding {
    Finding {
        place: place.into(),
        problem: Some(problem.into()),
    }
}

fn walk(place: &str, recorded: &Value, now: &Value, whole: bool, into: &mut Vec<Finding>) {
    let nothing = |value: Option<&Value>| value.is_none_or(Value::is_null);
    match (recorded, now) {
        (Value::Object(recorded), Value::Object(now)) => {
            for (key, value) in recorded {
                let place = format!("{place}.{key}");
                match now.get(key) {
                    Some(now) => walk(&place, value, now, whole, into),
                    None if value.is_null() => {}
                    None => into.push(finding(place, "is recorded, and now missing")),
                }
            }
            let more = now
                .keys()
                .filter(|key| whole && !recorded.contains_key(*key));
            for key in more.filter(|key| !nothing(now.get(*key))) {
                let problem = "is there now, and not recorded";
                into.push(finding(format!("{place}.{key}"), problem));
            }
        }
        (Value::Array(recorded), Value::Array(now)) => {
            if recorded.len() != now.len() {
                let (before, now) = (recorded.len(), now.len());
                let problem = format!("{before} are recorded, now there are {now}");
                into.push(finding(place, problem));
            }
            for (index, (recorded, now)) in recorded.iter().zip(now).enumerate() {
                walk(&format!("{place}.{index}"), recorded, now, whole, into);
            }
        }
        (recorded, now) if same(recorded, now) => {}
        (recorded, now) if kind(recorded) == kind(now) => {
            into.push(finding(
                place,
                format!("another {} than recorded", kind(now)),
            ));
        }
        (recorded, now) => {
            let problem = format!("{} is recorded, now it is {}", kind(recorded), kind(now));
            into.push(finding(place, problem));
        }
    }
}

/// `1` and `1.0` are one number.
fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|it| Some(it) == other.as_f64())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "truth",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(findings: Vec<Finding>) -> Vec<String> {
        let told = findings.into_iter();
        told.map(|it| format!("{}: {}", it.place, it.problem.unwrap()))
            .collect()
    }

    #[test]
    fn every_difference_is_named_by_its_field_and_no_value_is_told() {
        let recorded = json!({ "names": [{ "family": "Rai", "given": ["Asha"] }], "sex": "female",
            "age": 1, "gone": "x", "none": null, "kind": "a" });
        let now = json!({ "names": [{ "family": "Ray", "given": ["Asha", "B"] }], "sex": "female",
            "age": 1.0, "new": true, "kind": 7, "empty": null });
        assert_eq!(
            told(differences("answer", &recorded, &now)),
            [
                "answer.gone: is recorded, and now missing",
                "answer.kind: text is recorded, now it is number",
                "answer.names.0.family: another text than recorded",
                "answer.names.0.given: 1 are recorded, now there are 2",
                "answer.new: is there now, and not recorded",
            ]
        );
        assert!(differences("", &recorded, &recorded).is_empty());
    }

    #[test]
    fn a_request_may_hold_more_than_is_recorded() {
        let recorded = json!({ "query": [{ "value": "1" }] });
        let sent = json!({ "query": [{ "value": "1", "type": "UIN" }], "id": "random" });
        assert!(lacks("body", &recorded, &sent).is_empty());
        let other = json!({ "query": [{ "value": 1 }, {}] });
        assert_eq!(lacks("body", &recorded, &other).len(), 2);
        assert_eq!(lacks("body", &recorded, &Value::Null).len(), 1);
    }
}
