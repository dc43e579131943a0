-- The first schema, for SQLite. A database of another kind has its own folder beside this one: only
-- here do BLOB and BYTEA, and the form of a trigger, differ. Queries are the same for all.
--
-- Times are BIGINT microseconds since 1970-01-01 UTC: whole numbers order, compare and index the same
-- way everywhere, while timestamp types differ between databases in zone, precision and text form.

CREATE TABLE modules (
    digest     TEXT   NOT NULL PRIMARY KEY,
    adapter    TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Last, so that listing modules never reads through their bytes.
    bytes      BLOB   NOT NULL
);

CREATE TABLE registries (
    name          TEXT    NOT NULL PRIMARY KEY,
    module_digest TEXT    NOT NULL REFERENCES modules (digest),
    configuration TEXT    NOT NULL,
    enabled       BOOLEAN NOT NULL,
    updated_at    BIGINT  NOT NULL
);

CREATE TABLE callers (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- Unique for ever, revoked or not: audit rows name their caller by it.
    name       TEXT   NOT NULL UNIQUE,
    key_hash   BLOB   NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    registries TEXT   NOT NULL,
    abilities  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- One row. `revision` moves with each change of registries or callers, whichever process made it.
CREATE TABLE configuration (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    revision   BIGINT NOT NULL,
    checked_at BIGINT NOT NULL
);
INSERT INTO configuration (id, revision, checked_at) VALUES (1, 0, 0);

-- Hashes are 32 bytes each, one after the other: a row is written for every call, and a second table
-- would double the statements of each for a question asked a few times a year.
CREATE TABLE audit_begin (
    id            TEXT   NOT NULL PRIMARY KEY,
    began_at      BIGINT NOT NULL,
    request_id    TEXT   NOT NULL,
    caller        TEXT   NOT NULL,
    by_user       TEXT,
    for_entity    TEXT,
    purpose       TEXT,
    legal_basis   TEXT,
    registry      TEXT   NOT NULL,
    ability       TEXT   NOT NULL,
    module_digest TEXT   NOT NULL,
    asked         BLOB   NOT NULL CHECK (length(asked) % 32 = 0)
);
CREATE INDEX audit_begin_request ON audit_begin (request_id);

-- Its own table, not columns of the first: an end completes a beginning and never touches it.
CREATE TABLE audit_end (
    id             TEXT   NOT NULL PRIMARY KEY REFERENCES audit_begin (id),
    ended_at       BIGINT NOT NULL,
    outcome        TEXT   NOT NULL,
    code           TEXT,
    disclosed      BLOB   NOT NULL CHECK (length(disclosed) % 32 = 0),
    registry_calls BIGINT NOT NULL CHECK (registry_calls >= 0),
    duration_us    BIGINT NOT NULL CHECK (duration_us >= 0)
);

CREATE TRIGGER audit_begin_no_update BEFORE UPDATE ON audit_begin
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_begin_no_delete BEFORE DELETE ON audit_begin
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_end_no_update BEFORE UPDATE ON audit_end
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_end_no_delete BEFORE DELETE ON audit_end
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;

-- INSERT OR REPLACE removes the old row without asking the triggers above.
CREATE TRIGGER audit_begin_no_replace BEFORE INSERT ON audit_begin
WHEN EXISTS (SELECT 1 FROM audit_begin WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_end_no_replace BEFORE INSERT ON audit_end
WHEN EXISTS (SELECT 1 FROM audit_end WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
