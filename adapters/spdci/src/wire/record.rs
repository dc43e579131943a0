//! A record as registries write it, seen so that it does not matter how. Names may carry a
//! namespace (`spdci:identifier`), things be wrapped (`{"person": {…}}`), one thing stand for a
//! list, numbers for text, and blanks (`""`, `" "`, `{}`, `[]`, null) for nothing.

use serde_json::{Map, Number, Value};

/// What a record may be wrapped in. Specification: Member `demographic_info`. The official samples
/// add `household_member` and `person`.
const WRAPPERS: [&str; 4] = ["household_member", "member", "demographic_info", "person"];

/// A JSON object and what is wrapped in it. What is blank in it is left out, and names are without
/// their namespaces: both are looked at once, since a record is asked for dozens of names.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// The innermost first: it knows the person best.
    layers: Vec<Vec<Field<'a>>>,
}

#[derive(Clone, Copy, Debug)]
struct Field<'a> {
    name: &'a str,
    /// The name had no namespace.
    plain: bool,
    value: &'a Value,
}

impl<'a> Record<'a> {
    /// None where it is no object.
    pub fn new(value: &'a Value) -> Option<Self> {
        let mut layers = Vec::new();
        let mut next = Some(value.as_object()?);
        while let Some(object) = next {
            let layer = fields(object);
            let inner = |name: &&str| member(&layer, name).and_then(Value::as_object);
            next = WRAPPERS.iter().find_map(inner);
            layers.insert(0, layer);
        }
        Some(Self { layers })
    }

    /// The first of these names that is filled.
    pub fn get(&self, names: &[&str]) -> Option<&'a Value> {
        self.layers
            .iter()
            .find_map(|layer| names.iter().find_map(|name| member(layer, name)))
    }

    /// A filled text; numbers and truth values as they are written.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        text(self.get(names)?)
    }

    /// A number, also where it is written as text.
    pub fn number(&self, names: &[&str]) -> Option<f64> {
        let number = match self.get(names)? {
            Value::Number(number) => number.as_f64(),
            value => text(value)?.parse().ok(),
        };
        number.filter(|number| number.is_finite())
    }

    /// An object.
    pub fn object(&self, names: &[&str]) -> Option<Record<'a>> {
        Record::new(self.get(names)?)
    }

    /// The filled elements of a list, or the one thing that stands for it.
    pub fn list(&self, names: &[&str]) -> Vec<&'a Value> {
        self.get(names).map(elements).unwrap_or_default()
    }

    /// The filled elements of a list that are objects.
    pub fn objects(&self, names: &[&str]) -> Vec<Record<'a>> {
        self.list(names)
            .into_iter()
            .filter_map(Record::new)
            .collect()
    }

    /// What is filled and not among these names, nor JSON-LD (`@type`), nor a wrapper.
    pub fn rest(&self, known: &[&[&str]]) -> Vec<(&'a str, &'a Value)> {
        let mut rest: Vec<(&str, &Value)> = Vec::new();
        for Field { name, value, .. } in self.layers.iter().flatten() {
            let is_known = known.iter().any(|names| names.contains(name));
            let is_wrapper = WRAPPERS.contains(name) && value.is_object();
            let seen = rest.iter().any(|(before, _)| before == name);
            if !(name.starts_with('@') || is_known || is_wrapper || seen) {
                rest.push((name, value));
            }
        }
        rest
    }
}

/// A filled text, of text, numbers and truth values. None of a number whose digits were lost by being
/// read: as a person's number it would be another's.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => written(number),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(values) => values.iter().find_map(text),
        Value::Null | Value::Object(_) => None,
    }
}

/// So many digits a number with a fraction, or too large for 64 bits, keeps for certain (IEEE 754 binary64).
const DIGITS: usize = 15;

fn written(number: &Number) -> Option<String> {
    let text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_whole = !number.is_f64() || (digits <= DIGITS && !text.contains('e'));
    is_whole.then_some(text)
}

/// The filled elements of a list, or the one thing that stands for it.
pub fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().filter(|value| !is_blank(value)).collect(),
        value if is_blank(value) => Vec::new(),
        value => vec![value],
    }
}

/// Null, blank text, and what holds nothing else. JSON-LD types alone say nothing.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(object) => object
            .iter()
            .all(|(name, value)| name.starts_with('@') || is_blank(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn fields(object: &Map<String, Value>) -> Vec<Field<'_>> {
    let filled = object.iter().filter(|(_, value)| !is_blank(value));
    let fields = filled.map(|(key, value)| {
        let name = local(key);
        Field {
            name,
            plain: name.len() == key.len(),
            value,
        }
    });
    fields.collect()
}

/// A name without a namespace comes before one with.
fn member<'a>(layer: &[Field<'a>], name: &str) -> Option<&'a Value> {
    let mut named = layer.iter().filter(|field| field.name == name);
    let first = named.next()?;
    let plain = if first.plain {
        None
    } else {
        named.find(|field| field.plain)
    };
    Some(plain.unwrap_or(first).value)
}

/// `spdci:identifier` and `:identifier` as `identifier`.
fn local(name: &str) -> &str {
    if name.starts_with('@') {
        return name;
    }
    match name.rfind(':').and_then(|at| name.get(at + 1..)) {
        Some(local) => local,
        None => name,
    }
}
