//! Every value of a JSON document by its place, and another in its stead.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

/// A way down to a value.
pub(super) type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Key(String),
    At(usize),
}

/// All values at one place, where the items of a list have one place together.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// `message.search_response.*.status`. Of a document that is one value: nothing.
    pub(super) name: String,
    pub(super) paths: Vec<Path>,
    /// There are more, and there was no room for them.
    pub(super) more: bool,
}

/// The longest name of a place, in bytes.
const MAX_NAME: usize = 1_024;

/// The places of all values that have no others in them, in their order, at most so many and with at most
/// so many paths; and how many values there are at others.
pub(super) fn places(document: &Value, most: usize) -> (Vec<Place>, usize) {
    let mut found = Found {
        places: Vec::new(),
        known: HashMap::new(),
        left: most,
        most,
        beyond: 0,
    };
    walk(document, &mut Vec::new(), &mut found);
    (found.places, found.beyond)
}

struct Found {
    places: Vec<Place>,
    known: HashMap<String, usize>,
    left: usize,
    most: usize,
    beyond: usize,
}

fn walk(value: &Value, path: &mut Path, found: &mut Found) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                path.push(Step::Key(key.clone()));
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                path.push(Step::At(at));
                walk(item, path, found);
                path.pop();
            }
        }
        _ => found.add(path),
    }
}

impl Found {
    fn add(&mut self, path: &Path) {
        let length = path.iter().map(|step| match step {
            Step::Key(key) => key.len() + 1,
            Step::At(_) => 2,
        });
        if length.sum::<usize>() > MAX_NAME {
            self.beyond += 1;
            return;
        }
        let name = name(path);
        let next = self.places.len();
        let at = match self.known.get(&name) {
            Some(at) => *at,
            None if next >= self.most => {
                self.beyond += 1;
                return;
            }
            None => {
                self.places.push(Place {
                    name: name.clone(),
                    paths: Vec::new(),
                    more: false,
                });
                self.known.insert(name, next);
                next
            }
        };
        let Some(place) = self.places.get_mut(at) else {
            return;
        };
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                place.paths.push(path.clone());
            }
            None => place.more = true,
        }
    }
}

fn name(path: &Path) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => key.as_str(),
        Step::At(_) => "*",
    });
    steps.collect::<Vec<_>>().join(".")
}

/// The document with something else there. None: with nothing there.
pub(super) fn with(document: &Value, path: &[Step], new: Option<Value>) -> Value {
    let mut changed = document.clone();
    let Some((last, way)) = path.split_last() else {
        return new.unwrap_or_default();
    };
    let mut here = &mut changed;
    for step in way {
        let next = match step {
            Step::Key(key) => here.get_mut(key),
            Step::At(at) => here.get_mut(at),
        };
        // The path is the document's own.
        let Some(next) = next else { return changed };
        here = next;
    }
    match (here, last, new) {
        (Value::Object(fields), Step::Key(key), Some(new)) => {
            fields.insert(key.clone(), new);
        }
        (Value::Object(fields), Step::Key(key), None) => {
            fields.remove(key);
        }
        (Value::Array(items), Step::At(at), Some(new)) => {
            if let Some(item) = items.get_mut(*at) {
                *item = new;
            }
        }
        (Value::Array(items), Step::At(at), None) if *at < items.len() => {
            items.remove(*at);
        }
        _ => {}
    }
    changed
}

/// What is there.
pub(super) fn at<'a>(document: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(document, |here, step| match step {
        Step::Key(key) => here.get(key),
        Step::At(at) => here.get(at),
    })
}

/// Another value of the same kind. What holds nothing comes to hold something.
pub(super) fn another(value: &Value) -> Value {
    const SOMETHING: &str = "x";
    match value {
        Value::Null => SOMETHING.into(),
        Value::Bool(truth) => (!truth).into(),
        Value::Number(number) => one_more(number),
        Value::String(text) => another_text(text).into(),
        Value::Array(_) => vec![Value::from(SOMETHING)].into(),
        Value::Object(_) => {
            Value::Object(Map::from_iter([(SOMETHING.to_owned(), SOMETHING.into())]))
        }
    }
}

fn one_more(number: &Number) -> Value {
    if let Some(more) = number.as_i64().and_then(|it| it.checked_add(1)) {
        return more.into();
    }
    let value = number.as_f64().unwrap_or_default();
    let more = value + 1.0;
    // So large that one more is the same.
    (if more == value { 0.0 } else { more }).into()
}

/// The same shape: each letter and digit is the next one.
fn another_text(text: &str) -> String {
    let next = |c: char| match c {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        c if c.is_ascii_alphanumeric() => char::from(u8::try_from(c).unwrap_or(b'x') + 1),
        c => c,
    };
    let changed: String = text.chars().map(next).collect();
    // In scripts that have no next letter it is longer.
    if changed == text {
        changed + "x"
    } else {
        changed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_has_a_place_and_lists_fold() {
        let document = json!({
            "a": [{ "b": 1, "c": [] }, { "b": 2 }], "d": {}, "e": null, "f": [["x"], ["y", "z"]],
        });
        let told = |most: usize| -> Vec<(String, usize, bool)> {
            let (places, _) = places(&document, most);
            let places = places.into_iter();
            places
                .map(|it| (it.name, it.paths.len(), it.more))
                .collect()
        };
        let of = |name: &str, paths: usize, more: bool| (name.to_owned(), paths, more);
        assert_eq!(
            told(100),
            [
                of("a.*.b", 2, false),
                of("a.*.c", 1, false),
                of("d", 1, false),
                of("e", 1, false),
                of("f.*.*", 3, false),
            ]
        );
        let short = told(3);
        assert_eq!(
            short,
            [
                of("a.*.b", 2, false),
                of("a.*.c", 1, false),
                of("d", 0, true)
            ]
        );
        let (_, beyond) = places(&document, 3);
        assert_eq!(beyond, 4, "none is forgotten");
        assert_eq!(places(&json!("x"), 9).0[0].name, "");
        let long = json!({ "a".repeat(MAX_NAME): { "b": 1, "c": 2 }, "d": 3 });
        let (places, beyond) = places(&long, 9);
        assert_eq!((places.len(), beyond), (1, 2));
    }

    #[test]
    fn each_value_is_changed_and_taken_out_alone() {
        let document = json!({ "a": [1, { "b": "x" }], "c": true });
        let mut seen = Vec::new();
        for place in places(&document, 100).0 {
            for path in &place.paths {
                let value = at(&document, path).unwrap();
                let changed = with(&document, path, Some(another(value)));
                let without = with(&document, path, None);
                assert!(changed != document && without != document && changed != without);
                seen.push((changed, without));
            }
        }
        assert_eq!(
            seen,
            [
                (
                    json!({ "a": [2, { "b": "x" }], "c": true }),
                    json!({ "a": [{ "b": "x" }], "c": true })
                ),
                (
                    json!({ "a": [1, { "b": "y" }], "c": true }),
                    json!({ "a": [1, {}], "c": true })
                ),
                (
                    json!({ "a": [1, { "b": "x" }], "c": false }),
                    json!({ "a": [1, { "b": "x" }] })
                ),
            ]
        );
        assert_eq!(with(&json!(1), &[], None), Value::Null);
    }

    #[test]
    fn another_value_is_another_of_the_same_kind() {
        for (value, other) in [
            (json!("1991-04-23"), json!("2002-15-34")),
            (json!("Zoë z9"), json!("Apë a0")),
            (json!(""), json!("x")),
            (json!("आशा"), json!("आशाx")),
            (json!(1), json!(2)),
            (json!(1.5), json!(2.5)),
            (json!(i64::MAX), json!(0.0)),
            (json!(1e300), json!(0.0)),
            (json!(false), json!(true)),
            (json!(null), json!("x")),
            (json!([]), json!(["x"])),
            (json!({}), json!({ "x": "x" })),
        ] {
            assert_eq!(another(&value), other);
        }
    }
}
