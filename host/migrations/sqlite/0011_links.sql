-- Which registry's person is which of a caller's people.
CREATE TABLE links (
    id            TEXT   NOT NULL PRIMARY KEY,
    caller        TEXT   NOT NULL,
    registry      TEXT   NOT NULL,
    -- Keyed hash of the caller's name for the person.
    subject       BLOB   NOT NULL,
    -- Keyed hash of the identifier, and its scheme.
    identifier    BLOB   NOT NULL,
    scheme        TEXT   NOT NULL,
    -- The registry's person: identifiers that one record had when they were linked share it.
    record        TEXT   NOT NULL,
    -- JSON: what agreed, and what disagreed. Names of fields, no values.
    evidence      TEXT   NOT NULL,
    -- The ability that told: of a lookup, or of the operation that was applied.
    ability       TEXT   NOT NULL,
    module_digest TEXT   NOT NULL,
    request_id    TEXT   NOT NULL,
    operation     TEXT,
    by_user       TEXT,
    linked_at     BIGINT NOT NULL,
    -- Null: it stands.
    unlinked_at   BIGINT,
    unlinked_why  TEXT   CHECK ((unlinked_why IS NULL) = (unlinked_at IS NULL)),
    unlinked_by   TEXT   CHECK ((unlinked_by IS NULL) = (unlinked_at IS NULL)),
    -- The caller's name and the identifier, sealed.
    sealed        BLOB   NOT NULL
);
-- An identifier of a registry is one person of a caller's at a time.
CREATE UNIQUE INDEX links_one_of_an_identifier ON links (caller, registry, identifier) WHERE unlinked_at IS NULL;
CREATE INDEX links_of_a_subject ON links (caller, subject, registry, linked_at);
CREATE INDEX links_of_an_identifier ON links (registry, identifier, linked_at);
