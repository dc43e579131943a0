//! Holds a guest to its memory, tables and instances, all of one store together: wasmtime's own
//! `StoreLimits` bounds each memory alone.

use wasmtime::{ResourceLimiter, Result};

use super::fault::{Fault, Limit, Stop};
use crate::config::limits::CallLimits;

#[derive(Debug)]
pub(super) struct Meter {
    max_memory: usize,
    max_elements: usize,
    max_instances: usize,
    memory: usize,
    elements: usize,
}

impl Meter {
    pub(super) fn new(limits: &CallLimits) -> Self {
        Self {
            max_memory: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX),
            max_elements: usize::try_from(limits.table_elements).unwrap_or(usize::MAX),
            max_instances: usize::try_from(limits.instances).unwrap_or(usize::MAX),
            memory: 0,
            elements: 0,
        }
    }

    /// The most memory that the guest had, in bytes. Linear memory never shrinks.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

/// Refusing with an error traps. A refused `memory.grow` alone would answer -1, and C code that
/// does not look writes on from address 0.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.max_memory {
            return Err(Stop(Fault::OverLimit(Limit::Memory)).into());
        }
        self.memory = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        Err(Stop(Fault::OverLimit(Limit::Memory)).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let total = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if total > self.max_elements {
            return Err(Stop(Fault::OverLimit(Limit::Table)).into());
        }
        self.elements = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        Err(Stop(Fault::OverLimit(Limit::Table)).into())
    }

    fn instances(&self) -> usize {
        self.max_instances
    }

    fn tables(&self) -> usize {
        self.max_instances
    }

    fn memories(&self) -> usize {
        self.max_instances
    }
}
