//! Damaged copies of what a registry answers, from a seed.

use fastrand::Rng;
use serde_json::{Value, json};

/// Damages JSON: the same copies from the same seed, on every machine.
///
/// ```
/// use adapter_sdk::testing::Damage;
/// use serde_json::json;
///
/// let answer = json!({ "name": { "surname": "Lima" }, "sex": "F" });
/// let copies: Vec<_> = (0..20).map({ let mut damage = Damage::seeded(7); move |_| damage.copy(&answer) }).collect();
/// assert!(copies.iter().any(|copy| copy["sex"] != "F"));
/// ```
#[derive(Debug)]
pub struct Damage(Rng);

impl Damage {
    /// From this seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A copy in which one to four things are different: values of another shape or none, parts that
    /// stand where they do not belong, fields under another name, texts cut or doubled.
    pub fn copy(&mut self, original: &Value) -> Value {
        let mut copy = original.clone();
        for _ in 0..self.0.usize(1..=4) {
            let mut at = self.0.usize(0..count(&copy));
            let stranger = self.pick(original);
            self.change(&mut copy, &mut at, &stranger);
        }
        copy
    }

    /// A copy of the bytes, of which one to three are others; half of them are cut off somewhere.
    pub fn bytes(&mut self, original: &[u8]) -> Vec<u8> {
        let mut copy = original.to_vec();
        for _ in 0..self.0.usize(1..=3) {
            let at = self.0.usize(0..copy.len().max(1));
            if let Some(byte) = copy.get_mut(at) {
                *byte = self.0.u8(..);
            }
        }
        if self.0.bool() {
            copy.truncate(self.0.usize(0..=original.len()));
        }
        copy
    }

    /// Some part of the original, to stand where it does not belong.
    fn pick(&mut self, value: &Value) -> Value {
        let mut nodes = Vec::new();
        collect(value, &mut nodes);
        self.0.choice(nodes).cloned().unwrap_or_default()
    }

    /// Walks to the node with this number and changes it.
    fn change(&mut self, value: &mut Value, at: &mut usize, stranger: &Value) -> bool {
        if *at == 0 {
            *value = self.changed(value, stranger);
            return true;
        }
        *at -= 1;
        match value {
            Value::Array(values) => values.iter_mut().any(|it| self.change(it, at, stranger)),
            Value::Object(object) => {
                let mut values = object.values_mut();
                values.any(|it| self.change(it, at, stranger))
            }
            _ => false,
        }
    }

    fn changed(&mut self, value: &Value, stranger: &Value) -> Value {
        match (self.0.u8(0..14), value) {
            (0, _) => Value::Null,
            (1, _) => json!(self.0.i64(..)),
            (2, _) => json!(""),
            (3, _) => json!(" \u{0}\u{202e}\u{1F600} "),
            (4, _) => json!([]),
            (5, _) => json!({}),
            (6, _) => json!(self.0.bool()),
            (7, _) => json!([value, value]),
            (8, _) => json!({ "value": value }),
            (9, _) => stranger.clone(),
            (10, Value::Array(values)) if !values.is_empty() => {
                let mut values = values.clone();
                values.remove(self.0.usize(0..values.len()));
                Value::Array(values)
            }
            (11, Value::Object(object)) => {
                let mut object = object.clone();
                let name = self.0.choice(object.keys()).cloned();
                let taken = name.and_then(|name| Some((object.remove(&name)?, name)));
                // Half of them under another name.
                if let Some((value, name)) = taken.filter(|_| self.0.bool()) {
                    object.insert(name.chars().rev().collect(), value);
                }
                Value::Object(object)
            }
            (12, Value::String(text)) => {
                let kept = self.0.usize(0..=text.chars().count());
                json!(text.chars().take(kept).collect::<String>())
            }
            (13, Value::String(text)) => json!(format!("{text}{text}")),
            _ => json!(self.0.f64() * 1e9),
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(object) => object.values().map(count).sum(),
        _ => 0,
    }
}

fn collect<'a>(value: &'a Value, nodes: &mut Vec<&'a Value>) {
    nodes.push(value);
    match value {
        Value::Array(values) => values.iter().for_each(|it| collect(it, nodes)),
        Value::Object(object) => object.values().for_each(|it| collect(it, nodes)),
        _ => {}
    }
}
