use tracing::Level;
use wasmtime::Result;

use super::State;
use crate::sandbox::bindings::lent::log;

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        self.lent()?;
        let level = match level {
            log::Level::Debug => Level::DEBUG,
            log::Level::Info => Level::INFO,
            log::Level::Warn => Level::WARN,
            log::Level::Error => Level::ERROR,
        };
        self.output.log(level, &message);
        Ok(())
    }
}
