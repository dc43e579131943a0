//! Versions of one adapter that say which one they are: `tests/guests/changing`, with another mark.

use std::sync::OnceLock;

use changing_guest::MARK;

use crate::components;

/// The version whose mark has these words: `version=2.0.0 says=two form=1 reads=1`.
///
/// # Panics
/// If the words do not fit, or the component has no place for them.
pub fn version(words: &str) -> Vec<u8> {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let mut bytes = BYTES
        .get_or_init(|| components::bytes("changing-guest"))
        .clone();
    let mark = MARK.as_bytes();
    let places: Vec<usize> = bytes
        .windows(mark.len())
        .enumerate()
        .filter_map(|(at, part)| (part == mark).then_some(at))
        .collect();
    assert_eq!(places.len(), 1, "the mark stands in the component once");
    let text = format!("changing-guest: {words}");
    assert!(text.len() <= mark.len(), "{text} is too long");
    let text = format!("{text:<width$}", width = mark.len());
    bytes[places[0]..places[0] + mark.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// The version that says that word, and reads what the others do.
///
/// # Panics
/// As [`version`].
pub fn saying(word: &str) -> Vec<u8> {
    version(&format!(
        "version=1.0.0 says={word} form=1 reads=1 asks=/changing"
    ))
}
