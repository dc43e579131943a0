//! What counts where nothing is set.

/// The code of OpenCR's own configuration (`codes.goldenRecord`).
pub(super) fn golden_tag() -> String {
    "5c827da5-4858-4f3d-a50c-62ece001efea".to_owned()
}

pub(super) fn max_page_size() -> u32 {
    50
}

pub(super) fn yes() -> bool {
    true
}

/// Whoever is merged more often than this has a record that nobody keeps.
pub(super) fn max_merge_hops() -> u32 {
    5
}

/// R4, section 2.4.6.
pub(super) fn message_path() -> String {
    "/$process-message".to_owned()
}

pub(super) fn operation_tag() -> String {
    "urn:openimis:registry-gateway:operation".to_owned()
}

pub(super) fn settle_ms() -> u32 {
    60_000
}
