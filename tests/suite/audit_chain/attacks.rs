//! What one who owns the database can do to rows, without computing hashes.

/// A way to tamper, its statements, and the row that is named; 0: the one behind the end.
pub(super) type Attack = (&'static str, &'static [&'static str], i64);

pub(super) const COPY: &str = "INSERT INTO audit_begin SELECT '00000000-0000-7000-8000-000000000000', began_at, \
    request_id, caller, by_user, for_entity, purpose, legal_basis, registry, ability, \
    module_digest, asked, chain, SEQ, hash FROM audit_begin WHERE seq = 5";

/// Rows 1 to 8 are calls, each a beginning and its end; 9 and 10 are the act that made the checkpoint,
/// which covers all up to 9.
pub(super) const ATTACKS: &[Attack] = &[
    (
        "a caller",
        &["UPDATE audit_begin SET caller = 'nobody' WHERE seq = 3"],
        3,
    ),
    (
        "a purpose",
        &["UPDATE audit_begin SET purpose = NULL WHERE seq = 5"],
        5,
    ),
    (
        "a person",
        &[
            "UPDATE audit_begin SET asked = (SELECT asked FROM kept_audit_begin WHERE seq = 1) WHERE seq = 5",
        ],
        5,
    ),
    (
        "nobody told of",
        &["UPDATE audit_end SET disclosed = SUBSTR(disclosed, 1, 0) WHERE seq = 8"],
        8,
    ),
    (
        "an outcome",
        &["UPDATE audit_end SET outcome = 'not-found' WHERE seq = 4"],
        4,
    ),
    (
        "a time",
        &["UPDATE audit_end SET ended_at = ended_at + 1 WHERE seq = 6"],
        6,
    ),
    (
        "an act",
        &["UPDATE audit_act SET caller = 'nobody' WHERE seq = 9"],
        9,
    ),
    (
        "an act's end",
        &["UPDATE audit_act SET outcome = 'refused' WHERE seq = 10"],
        10,
    ),
    (
        "a hash",
        &[
            "UPDATE audit_end SET hash = (SELECT hash FROM kept_audit_begin WHERE seq = 1) WHERE seq = 2",
        ],
        2,
    ),
    (
        "no hash",
        &["UPDATE audit_end SET hash = NULL WHERE seq = 2"],
        2,
    ),
    (
        "an id that cannot be read",
        &["UPDATE audit_act SET id = 'x' WHERE seq = 9"],
        9,
    ),
    ("removed", &["DELETE FROM audit_end WHERE seq = 4"], 4),
    (
        "the first removed",
        &[
            "DELETE FROM audit_end WHERE seq = 2",
            "DELETE FROM audit_begin WHERE seq = 1",
        ],
        1,
    ),
    (
        "the last removed",
        &["DELETE FROM audit_act WHERE seq = 10"],
        10,
    ),
    (
        "the tail removed, and the head set back",
        &[
            "DELETE FROM audit_act WHERE seq >= 9",
            "UPDATE audit_chain SET seq = 8, hash = (SELECT hash FROM audit_end WHERE seq = 8)",
        ],
        9,
    ),
    (
        "all removed",
        &[
            "DELETE FROM audit_act",
            "DELETE FROM audit_end",
            "DELETE FROM audit_begin",
        ],
        1,
    ),
    (
        "all removed, and the chain",
        &[
            "DELETE FROM audit_act",
            "DELETE FROM audit_end",
            "DELETE FROM audit_begin",
            "DELETE FROM audit_chain",
        ],
        1,
    ),
    ("put in twice", &["COPY seq"], 5),
    ("put in before", &["COPY 4"], 4),
    ("put in behind", &["COPY 500"], 0),
    (
        "moved",
        &[
            "UPDATE audit_begin SET seq = -seq WHERE seq IN (3, 5)",
            "UPDATE audit_begin SET seq = 8 + seq WHERE seq < 0",
        ],
        3,
    ),
    (
        "taken out of the chain",
        &["UPDATE audit_end SET chain = NULL, seq = NULL, hash = NULL WHERE seq = 6"],
        6,
    ),
    (
        "into another chain",
        &["UPDATE audit_end SET chain = 7 WHERE seq = 6"],
        6,
    ),
    (
        "the head set back",
        &["UPDATE audit_chain SET seq = 8, hash = (SELECT hash FROM audit_end WHERE seq = 8)"],
        9,
    ),
    (
        "the head alone",
        &["UPDATE audit_chain SET hash = (SELECT hash FROM audit_end WHERE seq = 8)"],
        10,
    ),
    (
        "the chain's beginning",
        &["UPDATE audit_chain SET began_at = began_at + 1"],
        1,
    ),
];
