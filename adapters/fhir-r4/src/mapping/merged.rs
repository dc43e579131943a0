//! Records that others took the place of (PIXm and PDQm: `active` false, `link` of the type
//! `replaced-by`).

use serde_json::Value;

use super::link::{is_replaced, links};
use crate::bundle::id;

/// The one of several records for one number that stands: all others were replaced by it, whether at
/// once or over others of them. None where that is not so: then there are several people.
pub fn standing(patients: &[Value]) -> Option<&Value> {
    let mut standing = patients.iter().filter(|it| !is_replaced(it));
    let one = match (patients, standing.next()) {
        // Replaced, and alone with its number.
        ([only], _) => return Some(only),
        (_, Some(one)) => one,
        _ => return None,
    };
    if standing.next().is_some() {
        return None;
    }
    let lead = |it: &&Value| leads(it, one, patients);
    let replaced = patients.iter().filter(|it| is_replaced(it));
    replaced.clone().all(|it| lead(&it)).then_some(one)
}

/// Whether the links of a record end at another. Each step goes to a record of the list, so that there
/// are no more steps than records.
fn leads(from: &Value, to: &Value, among: &[Value]) -> bool {
    let mut at = from;
    for _ in 0..among.len() {
        let next = links(at, "replaced-by");
        let [(kind, next)] = next.as_slice() else {
            return false;
        };
        let found = among
            .iter()
            .find(|it| *kind == "Patient" && id(it) == Some(next));
        match found {
            Some(found) if id(found) == id(to) => return true,
            Some(found) => at = found,
            None => return false,
        }
    }
    false
}
