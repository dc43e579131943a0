//! Damage from a seed: to the bytes of a text, and to the shape of a JSON value.

use serde_json::{Map, Value, json};

/// xorshift64*: the same numbers on every machine.
pub(crate) struct Damage(u64);

impl Damage {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end.max(1)
    }

    /// A damaged copy, as the bytes of its JSON: one in four by bytes, the others by shape.
    pub(crate) fn copy(&mut self, whole: &Value) -> Vec<u8> {
        let mut value = whole.clone();
        if self.below(4) > 0 {
            for _ in 0..=self.below(3) {
                self.shape(&mut value);
            }
            return value.to_string().into_bytes();
        }
        let mut bytes = value.to_string().into_bytes();
        for _ in 0..=self.below(3) {
            self.bytes(&mut bytes);
        }
        bytes
    }

    /// A damaged copy of plain ASCII.
    pub(crate) fn text(&mut self, whole: &str) -> String {
        let mut bytes = whole.as_bytes().to_vec();
        self.bytes(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn bytes(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.below(4) {
            0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            1 => bytes.truncate(at),
            2 => {
                bytes.remove(at);
            }
            _ => {
                let end = (at + 1 + self.below(20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }

    fn shape(&mut self, value: &mut Value) {
        // Deeper, in half of the cases.
        let deeper = match value {
            Value::Object(object) if !object.is_empty() => {
                let index = self.below(object.len() * 2);
                object.values_mut().nth(index)
            }
            Value::Array(list) => {
                let index = self.below(list.len() * 2);
                list.get_mut(index)
            }
            _ => None,
        };
        if let Some(inner) = deeper {
            return self.shape(inner);
        }
        match value {
            Value::Object(object) if self.below(4) > 0 => self.object(object),
            Value::String(text) if self.below(3) == 0 => {
                let cut = self.below(text.chars().count());
                *text = match self.below(3) {
                    0 => text.chars().take(cut).collect(),
                    1 => text.repeat(1 + cut),
                    _ => format!(" {text}\u{a0}\n"),
                };
            }
            other => *other = self.any(other.clone()),
        }
    }

    /// A member gone, renamed, doubled under a language, or one too many.
    fn object(&mut self, object: &mut Map<String, Value>) {
        let index = self.below(object.len());
        let Some(key) = object.keys().nth(index).cloned() else {
            object.insert("x".to_owned(), json!(1));
            return;
        };
        let tags = [
            "#fr",
            "#fra",
            "#",
            "#zz-Zzzz",
            "#not a tag",
            "_x",
            "#ara#ara",
        ];
        let other = format!("{key}{}", tags[self.below(tags.len())]);
        match self.below(4) {
            0 => {
                object.remove(&key);
            }
            1 => {
                let value = object.remove(&key).unwrap();
                object.insert(other, value);
            }
            2 => {
                let value = self.any(object[&key].clone());
                object.insert(other, value);
            }
            _ => {
                let names = [
                    "gender",
                    "birthdate",
                    "name",
                    "address",
                    "picture",
                    "errors",
                    "sub",
                ];
                let value = object[&key].clone();
                object.insert(names[self.below(names.len())].to_owned(), value);
            }
        }
    }

    /// Something else in a value's place.
    fn any(&mut self, value: Value) -> Value {
        let all = [
            Value::Null,
            json!(""),
            json!(" "),
            json!(true),
            json!(false),
            json!(0),
            json!(-1.5e300),
            json!(1987),
            json!(18_446_744_073_709_551_615_u64),
            json!([]),
            json!({}),
            json!([value.clone()]),
            json!([value.clone(), value.clone()]),
            json!({ "value": value.clone() }),
            json!("1987/02/30"),
            json!("0000-01-01"),
            json!("Male"),
            json!("data:image/png;base64,AAAA"),
            json!("data:,"),
            json!("\u{0}\u{202e}\u{10ffff}"),
            json!("IDA-DEA-001"),
            json!("IDA-ABC-999"),
        ];
        all[self.below(all.len())].clone()
    }
}
