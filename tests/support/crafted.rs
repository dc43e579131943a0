//! Components that no compiler would give: made from the contract's own text, with the wrong
//! types, imports, versions or code.
//!
//! A crafted component has the world that the test asks for. Every function of it traps, unless
//! the test gives it a body.

use std::fs;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::components::workspace;

/// `describe`, as the canonical ABI names it.
pub const DESCRIBE: &str = "openimis:registry/about@1.0.0#describe";
/// `find`, as the canonical ABI names it.
pub const FIND: &str = "openimis:registry/find@1.0.0#find";
/// A body for [`DESCRIBE`] that answers as it should.
pub const DESCRIBED: &str = "i32.const 1024";

/// A component in the making.
pub struct Crafted {
    world: String,
    foreign: Option<(&'static str, &'static str)>,
    edits: Vec<(String, String)>,
    bodies: Vec<(&'static str, &'static str)>,
    fields: &'static str,
    labels: Vec<(&'static str, &'static str, &'static str)>,
}

impl Crafted {
    /// With these items in its world, beside `include openimis:registry/ability-about@1.0.0`.
    pub fn new(world: &str) -> Self {
        Self::bare(&format!("include ability-about; {world}"))
    }

    /// A component that looks like any adapter, until a test changes it.
    pub fn adapter() -> Self {
        Self::new("include ability-find;")
            .body(DESCRIBE, DESCRIBED)
            .body("cabi_realloc", "i32.const 4096")
    }

    /// With nothing but these items in its world.
    pub fn bare(world: &str) -> Self {
        Self {
            world: world.into(),
            foreign: None,
            edits: Vec::new(),
            bodies: Vec::new(),
            fields: "",
            labels: Vec::new(),
        }
    }

    /// Adds a package of somebody else's: a folder name and its WIT.
    pub fn foreign(mut self, folder: &'static str, wit: &'static str) -> Self {
        self.foreign = Some((folder, wit));
        self
    }

    /// Changes the contract's text wherever it holds `from`.
    pub fn edit(mut self, from: &str, to: &str) -> Self {
        self.edits.push((from.into(), to.into()));
        self
    }

    /// Gives an exported function another body, in the text format.
    pub fn body(mut self, export: &'static str, body: &'static str) -> Self {
        self.bodies.push((export, body));
        self
    }

    /// Adds fields to the core module, in the text format.
    pub fn fields(mut self, fields: &'static str) -> Self {
        self.fields = fields;
        self
    }

    /// Gives an imported function a label, for bodies that call it.
    pub fn label(
        mut self,
        interface: &'static str,
        function: &'static str,
        label: &'static str,
    ) -> Self {
        self.labels.push((interface, function, label));
        self
    }

    /// The component's bytes.
    ///
    /// # Panics
    /// Where the test asks for what cannot be made.
    pub fn build(&self) -> Vec<u8> {
        let directory = tempfile::tempdir().expect("a temporary folder");
        self.write(directory.path()).expect("the changed contract");
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(directory.path()).expect("valid WIT");
        let world = resolve
            .select_world(&[package], Some("crafted"))
            .expect("the crafted world");
        let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
        let mut module = self.with_bodies(&dummy);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("metadata");
        ComponentEncoder::default()
            .module(&module)
            .and_then(|mut encoder| encoder.encode())
            .expect("a component")
    }

    fn write(&self, directory: &std::path::Path) -> std::io::Result<()> {
        for file in fs::read_dir(workspace().join("wit"))? {
            let path = file?.path();
            let (Some(name), Some("wit")) =
                (path.file_name(), path.extension().and_then(|e| e.to_str()))
            else {
                continue;
            };
            let mut text = fs::read_to_string(&path)?;
            for (from, to) in &self.edits {
                text = text.replace(from, to);
            }
            fs::write(directory.join(name), text)?;
        }
        if let Some((folder, wit)) = self.foreign {
            let folder = directory.join("deps").join(folder);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("package.wit"), wit)?;
        }
        let world = format!("world crafted {{ {} }}", self.world);
        fs::write(directory.join("crafted.wit"), world)
    }

    fn with_bodies(&self, module: &[u8]) -> Vec<u8> {
        let mut text = wasmprinter::print_bytes(module).expect("a printed module");
        for (export, body) in &self.bodies {
            let marker = format!("(export \"{export}\" (func ");
            let at = text
                .find(&marker)
                .unwrap_or_else(|| panic!("no {export} in:\n{text}"));
            let index: String = text[at + marker.len()..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            let function = text
                .find(&format!("(func (;{index};)"))
                .expect("its function");
            let end = function + text[function..].find("unreachable").expect("its body");
            text.replace_range(end..end + "unreachable".len(), body);
        }
        for (interface, function, label) in &self.labels {
            let marker = format!("(import \"{interface}\" \"{function}\" (func ");
            let at = text.find(&marker).expect("the import") + marker.len();
            text.insert_str(at, &format!("{label} "));
        }
        let end = text.rfind(')').expect("the module's end");
        text.insert_str(end, &format!("{}{}", described(), self.fields));
        let text = text.replace("(memory (;0;) 0)", "(memory (;0;) 1)");
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// The same component with a custom section behind it: another digest, and nothing else.
///
/// # Panics
/// If the section has more than 100 bytes.
pub fn with_section(component: &[u8], section: &[u8]) -> Vec<u8> {
    let name = b"test";
    let size = 1 + name.len() + section.len();
    assert!(size < 128, "its length is written in one byte");
    let head = [0, size as u8, name.len() as u8];
    [component, &head, name, section].concat()
}

/// A `description` at 1024: name, version and summary, nothing else.
fn described() -> String {
    let word = |number: u32| -> String {
        let bytes = number.to_le_bytes();
        bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
    };
    let text = |at: u32, length: u32| format!("{}{}", word(at), word(length));
    let record = [text(1200, 7), text(1210, 5), text(1200, 7)].concat();
    format!(
        "(data (i32.const 1024) \"{record}\") (data (i32.const 1200) \"crafted\") (data (i32.const 1210) \"1.0.0\")"
    )
}
