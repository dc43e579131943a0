//! Looks for words where they must not be, in every spelling that a program gives them.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Words to look for, each in all its spellings.
pub struct Words {
    spellings: Vec<(String, Vec<u8>)>,
}

/// All that this process logs, from the first call of [`Log::listen`] on.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Words {
    /// To look for these.
    pub fn new<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        let words = words.into_iter();
        Self {
            spellings: words.flat_map(|word| spellings(word.as_ref())).collect(),
        }
    }

    /// Those that are in there, each once.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (word, spelling) in &self.spellings {
            if !found.contains(word) && contains(bytes, spelling) {
                found.push(word.clone());
            }
        }
        found
    }

    /// Those that are in any file of a folder, with the file.
    ///
    /// # Panics
    /// If the folder can't be read.
    pub fn found_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                found.extend(self.found_below(&path));
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let words = self.found_in(&bytes).into_iter();
            found.extend(words.map(|word| format!("{word} in {}", path.display())));
        }
        found
    }
}

impl Log {
    /// Begins to listen, on all threads: guests that compute long have threads of their own. At
    /// the lowest level, without what `log.filter` never shows.
    ///
    /// # Panics
    /// If somebody else listens already.
    pub fn listen() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let log = LOG.get_or_init(|| {
            let log = Self::default();
            let filter = registry_gateway::cli::logging::filter("trace").expect("a filter");
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_env_filter(filter)
                .with_writer(log.clone())
                .init();
            log
        });
        log.clone()
    }

    /// What was logged so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// As it stands, in other cases, as `Debug` and JSON escape it, as a URL has it.
fn spellings(word: &str) -> Vec<(String, Vec<u8>)> {
    let json: String = word
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let url: String = word
        .bytes()
        .map(|byte| match byte.is_ascii() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    let debug = word.escape_debug().to_string();
    let mut all = vec![
        word.to_owned(),
        word.to_lowercase(),
        word.to_uppercase(),
        debug,
        json,
        url,
    ];
    all.sort_unstable();
    all.dedup();
    all.into_iter()
        .map(|spelling| (word.to_owned(), spelling.into_bytes()))
        .collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
    }
    false
}
