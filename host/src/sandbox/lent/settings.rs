use wasmtime::Result;

use super::State;
use crate::sandbox::bindings::lent::settings;

impl settings::Host for State {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.lent()?.settings.get(&key).map(ToString::to_string))
    }

    fn all(&mut self) -> Result<String> {
        Ok(serde_json::to_string(&*self.lent()?.settings)?)
    }
}
