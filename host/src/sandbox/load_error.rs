use super::fault::Fault;
use super::inspect::{ImportRefusal, SPEAKS, list};

/// Why a module is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Over `sandbox.max_module_bytes`.
    #[error("the module has {size} bytes, more than sandbox.max_module_bytes ({max}) allows")]
    TooLarge {
        /// Its own.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// Machine code from elsewhere is never run.
    #[error("the file is precompiled code: upload the .wasm component that it was compiled from")]
    Precompiled,
    /// Not a component, or a truncated one.
    #[error("the file is not a WebAssembly component: build it with --target wasm32-wasip2")]
    NotAComponent(#[source] wasmtime::Error),
    /// Every instance of it would take more than its share of the pool.
    #[error("the module needs more than one instance may have: {}", demand(.0))]
    TooDemanding(#[source] wasmtime::Error),
    /// Compiling it takes longer than it may.
    #[error(
        "compiling the module takes longer than sandbox.compile_timeout_ms allows: make its \
         functions smaller"
    )]
    CompilesTooLong,
    /// Compiling it takes more memory than it may.
    #[error(
        "compiling the module takes more memory than sandbox.compile_memory_bytes allows: make \
         it smaller"
    )]
    CompilesTooLarge,
    /// The compiler breaks on it.
    #[error("the compiler breaks on the module: build it with another compiler's version")]
    CompilerBroke,
    /// The gateway's own trouble.
    #[error("modules cannot be compiled: check sandbox.compiler_program")]
    NoCompiler(#[source] std::io::Error),
    /// It imports or exports what it may not: all that is wrong, each once.
    #[error("the module {}", list(.0))]
    Refused(Vec<ImportRefusal>),
    /// It uses something of a later interface.
    #[error(
        "the module needs adapter interface {0}, this gateway speaks {SPEAKS}: build it against \
         {SPEAKS}, or upgrade the gateway"
    )]
    Newer(String),
    /// It uses something of a newer contract, or its types differ.
    #[error(
        "the module does not fit this gateway's interface: build it against openimis:registry@1.0.0"
    )]
    Link(#[source] wasmtime::Error),
    /// It broke while it started or described itself.
    #[error("the module broke while describing itself")]
    Broken(#[from] Fault),
    /// What it says of itself is not valid. Names the field.
    #[error("the module's description is not valid: {0}")]
    Description(&'static str),
}

/// Of what the compiler or the pool says.
pub(super) fn refused(error: wasmtime::Error) -> LoadError {
    if is_too_demanding(&error) {
        LoadError::TooDemanding(error)
    } else {
        LoadError::NotAComponent(error)
    }
}

/// wasmtime has no type for it; these are its words for what the pool cannot hold.
const DEMANDS: &str = "exceeds the";

fn is_too_demanding(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains(DEMANDS)
}

/// What it needs and how much there is, in wasmtime's words: numbers and kinds, nothing of the
/// module's own.
fn demand(error: &wasmtime::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .find(|text| text.contains(DEMANDS))
        .unwrap_or_else(|| "core instances, memories or tables".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_is_told_with_its_number() {
        let words = "the component contains 21 core instances which exceeds the maximum of 20";
        let error = wasmtime::Error::msg(words).context("while compiling");
        assert!(is_too_demanding(&error));
        let told = LoadError::TooDemanding(error).to_string();
        assert!(told.ends_with(words), "{told}");
    }
}
