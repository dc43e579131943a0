//! JSON objects of FHIR (R4, section 2.6.2), seen so that nothing is lost: what is blank counts as
//! absent, and what has another shape than it should is noted.

use adapter_sdk::model::Unmapped;
use serde_json::{Map, Value};

/// A JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// None where it is no object.
    pub fn new(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// A field that is not blank.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !is_blank(value))
    }

    /// A text; another shape is as good as absent. For what is no value of a person: types, links.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str().map(str::trim)
    }

    /// A truth value; another shape is as good as absent.
    pub fn truth(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// An object; another shape is as good as absent.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        Object::new(self.get(name)?)
    }

    /// The elements of a list that are not blank, or the one thing that stands for it.
    pub fn list(&self, name: &str) -> Vec<&'a Value> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().filter(|it| !is_blank(it)).collect(),
            Some(value) => vec![value],
        }
    }

    /// The elements of a list, blank ones too: where each must be something.
    pub fn each(&self, name: &str) -> Vec<&'a Value> {
        match self.0.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
        }
    }

    /// The elements of a list that are objects.
    pub fn objects(&self, name: &str) -> Vec<Object<'a>> {
        let values = self.list(name).into_iter();
        values.filter_map(Object::new).collect()
    }

    /// What is filled and not among these names.
    pub fn rest(&self, known: &[&str]) -> Vec<(&'a str, &'a Value)> {
        let filled = self.0.iter().filter(|(_, value)| !is_blank(value));
        let unknown = filled.filter(|(name, _)| !known.contains(&name.as_str()));
        unknown
            .map(|(name, value)| (name.as_str(), value))
            .collect()
    }

    /// A primitive with its extensions: `birthDate` and `_birthDate` (R4, section 2.6.2.1).
    pub fn primitive(&self, name: &str) -> Primitive<'a> {
        Primitive {
            value: self.get(name),
            extensions: self
                .object(&format!("_{name}"))
                .map(|it| it.extensions())
                .unwrap_or_default(),
        }
    }

    /// The extensions of this element.
    pub fn extensions(&self) -> Extensions<'a> {
        Extensions(self.objects("extension"))
    }
}

/// A primitive value, which may be missing, and the extensions that belong to it.
#[derive(Clone, Debug, Default)]
pub struct Primitive<'a> {
    /// As it came.
    pub value: Option<&'a Value>,
    /// Of the value, not of the element that holds it.
    pub extensions: Extensions<'a>,
}

/// The extensions of one element (R4, section 2.5).
#[derive(Clone, Debug, Default)]
pub struct Extensions<'a>(Vec<Object<'a>>);

impl<'a> Extensions<'a> {
    /// All of one URL.
    pub fn all(&self, url: &str) -> Vec<Object<'a>> {
        let same = |it: &&Object<'a>| it.text("url") == Some(url);
        self.0.iter().filter(same).copied().collect()
    }

    /// The first of one URL.
    pub fn first(&self, url: &str) -> Option<Object<'a>> {
        self.0
            .iter()
            .find(|it| it.text("url") == Some(url))
            .copied()
    }

    /// Those of other URLs, as they came.
    pub fn rest(&self, known: &[&str]) -> Vec<Value> {
        let unknown = self.0.iter().filter(|it| {
            let url = it.text("url");
            !url.is_some_and(|url| known.contains(&url))
        });
        unknown.map(|it| Value::Object(it.0.clone())).collect()
    }
}

/// Values without a place, noted as they are met.
#[derive(Debug, Default)]
pub struct Notes(pub Vec<Unmapped>);

impl Notes {
    /// A value that has no counterpart in the model.
    pub fn add(&mut self, field: &str, value: &Value) {
        let text = scalar(value).unwrap_or_else(|| value.to_string());
        self.0.push(Unmapped::new(field, text));
    }

    /// A text, or a number or truth value as it is written. Another shape is noted under `field`.
    pub fn text(&mut self, object: &Object<'_>, name: &str, field: &str) -> Option<String> {
        let value = object.get(name)?;
        let text = scalar(value);
        if text.is_none() {
            self.add(field, value);
        }
        text
    }

    /// Every text of a list. Elements of another shape are noted under `field`.
    pub fn texts(&mut self, object: &Object<'_>, name: &str, field: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for value in object.list(name) {
            match scalar(value) {
                Some(text) => texts.push(text),
                None => self.add(field, value),
            }
        }
        texts
    }

    /// A truth value. Another shape is noted under `field`.
    pub fn truth(&mut self, object: &Object<'_>, name: &str, field: &str) -> Option<bool> {
        let value = object.get(name)?;
        let truth = value.as_bool();
        if truth.is_none() {
            self.add(field, value);
        }
        truth
    }

    /// The elements of a list that are objects. Others are noted under `field`.
    pub fn objects<'a>(&mut self, object: &Object<'a>, name: &str, field: &str) -> Vec<Object<'a>> {
        let mut objects = Vec::new();
        for value in object.list(name) {
            match Object::new(value) {
                Some(object) => objects.push(object),
                None => self.add(field, value),
            }
        }
        objects
    }
}

/// A text without blanks around it; whole numbers and truth values as they are written. No other number
/// is a text: a long one has lost its last digits by being read as one.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => (!number.is_f64()).then(|| number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Null, blank text, and what holds nothing else.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(object) => object.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value of an extension, whatever its type: `valueCode`, `valueString`, …
pub fn extension_value<'a>(extension: &Object<'a>) -> Option<&'a Value> {
    let values = extension.rest(&["url", "id", "extension"]);
    match values.as_slice() {
        [(name, value)] if name.starts_with("value") => Some(value),
        _ => None,
    }
}
