-- The first schema, for PostgreSQL: the same tables and columns as in the folder beside this one,
-- which a test compares.
--
-- Texts compare by their bytes, as in SQLite: the order of a list, and whether two names are the
-- same, must not change with the server's locale, nor an index with its C library.

CREATE TABLE modules (
    digest     TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    adapter    TEXT   COLLATE "C" NOT NULL,
    version    TEXT   COLLATE "C" NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    bytes      BYTEA  NOT NULL
);
-- Compiled code does not shrink: trying costs seconds of processor time for the largest.
ALTER TABLE modules ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE registries (
    name          TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
    module_digest TEXT    COLLATE "C" NOT NULL REFERENCES modules (digest),
    configuration TEXT    COLLATE "C" NOT NULL,
    enabled       BOOLEAN NOT NULL,
    updated_at    BIGINT  NOT NULL
);

CREATE TABLE callers (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- Unique for ever, revoked or not: audit rows name their caller by it.
    name       TEXT   COLLATE "C" NOT NULL UNIQUE,
    key_hash   BYTEA  NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    registries TEXT   COLLATE "C" NOT NULL,
    abilities  TEXT   COLLATE "C" NOT NULL,
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
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    began_at      BIGINT NOT NULL,
    request_id    TEXT   COLLATE "C" NOT NULL,
    caller        TEXT   COLLATE "C" NOT NULL,
    by_user       TEXT   COLLATE "C",
    for_entity    TEXT   COLLATE "C",
    purpose       TEXT   COLLATE "C",
    legal_basis   TEXT   COLLATE "C",
    registry      TEXT   COLLATE "C" NOT NULL,
    ability       TEXT   COLLATE "C" NOT NULL,
    module_digest TEXT   COLLATE "C" NOT NULL,
    asked         BYTEA  NOT NULL CHECK (length(asked) % 32 = 0)
);
CREATE INDEX audit_begin_request ON audit_begin (request_id);

-- Its own table, not columns of the first: an end completes a beginning and never touches it.
CREATE TABLE audit_end (
    id             TEXT   COLLATE "C" NOT NULL PRIMARY KEY REFERENCES audit_begin (id),
    ended_at       BIGINT NOT NULL,
    outcome        TEXT   COLLATE "C" NOT NULL,
    code           TEXT   COLLATE "C",
    disclosed      BYTEA  NOT NULL CHECK (length(disclosed) % 32 = 0),
    registry_calls BIGINT NOT NULL CHECK (registry_calls >= 0),
    duration_us    BIGINT NOT NULL CHECK (duration_us >= 0)
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'restrict_violation';
END
$$;

-- Of the statement, not of each row: ON CONFLICT DO UPDATE and an UPDATE that finds nothing are
-- refused too.
CREATE TRIGGER audit_begin_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_begin
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_end_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_end
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Also in a session that calls itself a replica, which skips other triggers.
ALTER TABLE audit_begin ENABLE ALWAYS TRIGGER audit_begin_append_only;
ALTER TABLE audit_end ENABLE ALWAYS TRIGGER audit_end_append_only;
