//! Their JSON: strict in what is sent, and in what is read no more than is needed.

pub mod esignet;
pub mod ida;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A record that is written as a JSON object. By itself serde reads a list as a record, too, member by
/// member: `[true]` would then be an agreement.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        // Without the words of serde, which quote the values.
        let record =
            T::deserialize(Value::Object(members)).map_err(|_| D::Error::custom("shape"))?;
        Ok(Self(record))
    }
}
