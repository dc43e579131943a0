//! Writes, and a life event that the registry tells, over HTTP as openIMIS makes and reads them.

use http::Method;
use serde_json::{Value, json};

use super::super::Failure;
use super::calls::{Call, client};
use crate::egress::Endpoints;

/// The caller's own name for the person.
const SUBJECT: &str = "openimis-person-4711";
/// Readings until the death is there: echoes of the writes may come between.
const PATIENCE: u32 = 10;
const OPERATIONS: &str = "/v1/registries/records/operations";

/// Makes and prints them. `registry` is where the stand-in listens.
pub(super) async fn make(base: &str, key: &str, registry: &str) -> Result<(), Failure> {
    let gateway = client(base, key)?;
    // What a registrar's clerk does at the counter, and no caller of the gateway.
    let counter = client(registry, "nobody")?;
    let hook = Call {
        title: "5. The registry is told where to call back",
        method: Method::PUT,
        path: "/hook",
        body: json!({ "url": format!("{base}/hooks/records/told"), "secret": "demo" }),
        headers: &[],
    };
    hook.made(&counter).await?;

    let person = json!({
        "names": [{ "family": "Rai", "given": ["Maya"] }], "sex": "female",
        "birthDate": { "value": "2004-05-06" }, "addresses": [{ "city": "Ilam" }],
    });
    let title = "6. Somebody whom the registry does not know";
    let create = json!({ "subject": SUBJECT, "create": { "person": person } });
    let created = write(&gateway, title, "demo-create", create, "applied").await?;
    let receipt = created.get("receipt").cloned().unwrap_or_default();
    let identifiers = receipt.get("identifiers").cloned().unwrap_or_default();
    let version = receipt.get("version").cloned().unwrap_or_default();
    let record = identifiers.pointer("/0/value").and_then(Value::as_str);
    let record = record.ok_or("the receipt names no record")?.to_owned();

    let update = |given: &str| {
        json!({ "subject": SUBJECT, "update": {
            "identifiers": identifiers, "mask": ["names"], "version": version,
            "person": { "names": [{ "family": "Rai", "given": [given] }] },
        }})
    };
    let title = "7. A correction, of the version that was read";
    let first = update("Maya Devi");
    write(&gateway, title, "demo-update", first, "applied").await?;
    let title = "8. Another, of the same version: somebody else was faster";
    let second = update("Mayadevi");
    write(&gateway, title, "demo-conflict", second, "conflict").await?;

    let title = "9. The registry learns by which number openIMIS knows her";
    let link = json!({ "subject": SUBJECT, "link": {
        "identifiers": identifiers, "change": "add",
        "linked": { "scheme": "openimis", "value": "070707081" },
    }});
    write(&gateway, title, "demo-link", link, "applied").await?;

    let echoes = read(&gateway, "10. openIMIS reads what it caused itself", "").await?;
    let death = Call {
        title: "11. A registrar enters a death, and the registry calls back",
        method: Method::POST,
        path: "/events",
        body: json!({ "kind": "death", "record": record, "occurred": "2026-11-01" }),
        headers: &[],
    };
    death.made(&counter).await?;
    let mut after = echoes;
    for _ in 0..PATIENCE {
        after = read(&gateway, "12. openIMIS reads what happened", &after).await?;
        if after.is_empty() {
            return Ok(());
        }
    }
    Err("the death is not among the events".into())
}

async fn write(
    gateway: &Endpoints,
    title: &str,
    key: &str,
    body: Value,
    state: &str,
) -> Result<Value, Failure> {
    let call = Call {
        title,
        method: Method::POST,
        path: OPERATIONS,
        body,
        headers: &[("idempotency-key", key), ("prefer", "wait=20")],
    };
    let operation = call.made(gateway).await?;
    match operation.get("state").and_then(Value::as_str) {
        Some(stands) if stands == state => Ok(operation),
        stands => Err(format!("the write is {}", stands.unwrap_or("nowhere")).into()),
    }
}

/// Gives where to go on; nothing once a death is among the events.
async fn read(gateway: &Endpoints, title: &str, after: &str) -> Result<String, Failure> {
    let mut path = "/v1/events?wait=10".to_owned();
    if !after.is_empty() {
        path.push_str("&after=");
        path.push_str(after);
    }
    let call = Call {
        title,
        method: Method::GET,
        path: &path,
        body: Value::Null,
        headers: &[],
    };
    let page = call.made(gateway).await?;
    let events = page.get("events").and_then(Value::as_array);
    let is_death = |event: &Value| event.pointer("/event/kind") == Some(&json!("death"));
    if events.is_some_and(|events| events.iter().any(is_death)) {
        return Ok(String::new());
    }
    let next = page.get("next").and_then(Value::as_str);
    Ok(next.unwrap_or_default().to_owned())
}
