-- Which registry's person is which of a caller's people.
CREATE TABLE links (
    id            TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    caller        TEXT COLLATE "C"   NOT NULL,
    registry      TEXT COLLATE "C"   NOT NULL,
    -- Keyed hash of the caller's name for the person.
    subject       BYTEA   NOT NULL,
    -- Keyed hash of the identifier, and its scheme.
    identifier    BYTEA   NOT NULL,
    scheme        TEXT COLLATE "C"   NOT NULL,
    -- The registry's person: identifiers that one record had when they were linked share it.
    record        TEXT COLLATE "C"   NOT NULL,
    -- JSON: what agreed, and what disagreed. Names of fields, no values.
    evidence      TEXT COLLATE "C"   NOT NULL,
    -- The ability that told: of a lookup, or of the operation that was applied.
    ability       TEXT COLLATE "C"   NOT NULL,
    module_digest TEXT COLLATE "C"   NOT NULL,
    request_id    TEXT COLLATE "C"   NOT NULL,
    operation     TEXT COLLATE "C",
    by_user       TEXT COLLATE "C",
    linked_at     BIGINT NOT NULL,
    -- Null: it stands.
    unlinked_at   BIGINT,
    unlinked_why  TEXT COLLATE "C"   CHECK ((unlinked_why IS NULL) = (unlinked_at IS NULL)),
    unlinked_by   TEXT COLLATE "C"   CHECK ((unlinked_by IS NULL) = (unlinked_at IS NULL)),
    -- The caller's name and the identifier, sealed.
    sealed        BYTEA   NOT NULL
);
-- An identifier of a registry is one person of a caller's at a time.
CREATE UNIQUE INDEX links_one_of_an_identifier ON links (caller, registry, identifier) WHERE unlinked_at IS NULL;
CREATE INDEX links_of_a_subject ON links (caller, subject, registry, linked_at);
CREATE INDEX links_of_an_identifier ON links (registry, identifier, linked_at);
