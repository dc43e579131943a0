//! The tag by which a record tells which operation of ours wrote it: `<key>` of a create, and
//! `<key>@<version>` of a change of the version that was read. Whoever reads, changes and writes back
//! keeps the tag, and servers may keep it by themselves: alone it says that a write of ours is somewhere
//! below, and the version says whether it is the last.

use serde_json::{Value, json};

use super::Resource;

/// Marks a resource with the operation that writes it, in place of the one before. `read` is the version
/// of a record that stands, empty where it is not told.
pub fn tag(patient: &mut Resource, system: &str, key: &str, read: Option<&str>) {
    if system.is_empty() {
        return;
    }
    let meta = patient.entry("meta").or_insert_with(|| json!({}));
    let Some(meta) = meta.as_object_mut() else {
        return;
    };
    let code = match read {
        Some(version) => format!("{key}@{version}"),
        None => key.to_owned(),
    };
    let tags = meta.get("tag").and_then(Value::as_array);
    let mut tags: Vec<Value> = tags.cloned().unwrap_or_default();
    tags.retain(|it| it.get("system").and_then(Value::as_str) != Some(system));
    tags.push(json!({ "system": system, "code": code }));
    meta.insert("tag".to_owned(), Value::Array(tags));
}

/// Whether an operation wrote a resource, be it last or before others.
pub fn is_tagged(patient: &Value, system: &str, key: &str) -> bool {
    marks(patient, system).iter().any(|(it, _)| *it == key)
}

/// The operation that made the very version that a resource has, where that can be told: its tag names
/// the version before, or none, and this is the first. Versions that are no numbers tell nothing.
pub fn caused_by<'a>(patient: &'a Value, system: &str) -> Option<&'a str> {
    let version = fhir_r4::json::scalar(patient.get("meta")?.get("versionId")?)?;
    let version: u64 = version.parse().ok()?;
    let is_last = |read: Option<&str>| match read {
        None => version == 1,
        Some(read) => read.parse::<u64>().ok().and_then(|it| it.checked_add(1)) == Some(version),
    };
    let marks = marks(patient, system).into_iter();
    marks
        .filter(|(_, read)| is_last(*read))
        .map(|(key, _)| key)
        .next()
}

/// Key and version of each tag of ours.
fn marks<'a>(patient: &'a Value, system: &str) -> Vec<(&'a str, Option<&'a str>)> {
    let meta = patient.get("meta").filter(|_| !system.is_empty());
    let tags = meta.and_then(|it| it.get("tag")?.as_array());
    let same = |it: &&Value| it.get("system").and_then(Value::as_str) == Some(system);
    let codes = tags.into_iter().flatten().filter(same);
    let codes = codes.filter_map(|it| it.get("code")?.as_str());
    codes
        .map(|code| match code.rsplit_once('@') {
            Some((key, read)) => (key, Some(read)),
            None => (code, None),
        })
        .collect()
}
