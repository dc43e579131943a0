//! Code tables: a registry's code beside the model's value, in both directions.
//!
//! ```
//! use adapter_sdk::codes::Table;
//! use adapter_sdk::model::Sex;
//! static SEX: Table<Sex> = Table(&[("1", Sex::Male), ("2", Sex::Female), ("M", Sex::Male)]);
//!
//! let mut unmapped = Vec::new();
//! assert_eq!(SEX.read("sex", "2", &mut unmapped), Some(Sex::Female));
//! assert_eq!(SEX.read("sex", "7", &mut unmapped), None);
//! assert_eq!((unmapped[0].field.as_str(), unmapped[0].value.as_str()), ("sex", "7"));
//! assert_eq!(SEX.code(&Sex::Male), Some("1"));
//! ```

use crate::model::Unmapped;

/// Codes and values. The first code of a value is the one that is written.
#[derive(Clone, Copy, Debug)]
pub struct Table<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Clone + PartialEq> Table<T> {
    /// The value of a code, whatever its case.
    pub fn value(&self, code: &str) -> Option<T> {
        let code = code.trim();
        let found = self
            .0
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(code));
        found.map(|(_, value)| value.clone())
    }

    /// The code of a value.
    pub fn code(&self, value: &T) -> Option<&'static str> {
        self.0
            .iter()
            .find(|(_, candidate)| candidate == value)
            .map(|(code, _)| *code)
    }

    /// Reads a field of a registry's record: blank is absent, and a code that the table does not
    /// have is reported as unmapped under the model's `field`.
    pub fn read(&self, field: &str, code: &str, unmapped: &mut Vec<Unmapped>) -> Option<T> {
        if code.trim().is_empty() {
            return None;
        }
        let value = self.value(code);
        if value.is_none() {
            unmapped.push(Unmapped::new(field, code));
        }
        value
    }
}
