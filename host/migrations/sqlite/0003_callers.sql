-- Several keys for a caller, and grants by registry and ability.

-- SQLite takes no column with UNIQUE away: the table is made anew.
ALTER TABLE callers RENAME TO old_callers;

CREATE TABLE callers (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- Unique for ever, revoked or not: audit rows name their caller by it.
    name       TEXT   NOT NULL UNIQUE,
    roles      TEXT   NOT NULL DEFAULT '["client"]',
    -- JSON: what it may ask of which registries, and see of the answers.
    grants     TEXT   NOT NULL DEFAULT '[]',
    -- JSON: how much it may ask. None: what the gateway's configuration says.
    limits     TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
-- What a caller could do before it can do now. Joined as text: a row that was not JSON stays one that
-- cannot be read, and stops nobody else's.
INSERT INTO callers (id, name, roles, grants, created_at, revoked_at)
    SELECT id, name, roles, '[{"registries":' || CASE registries WHEN '*' THEN 'null' ELSE registries END
    || ',"abilities":' || abilities || '}]', created_at, revoked_at FROM old_callers;

CREATE TABLE caller_keys (
    id           TEXT   NOT NULL PRIMARY KEY,
    caller_id    TEXT   NOT NULL REFERENCES callers (id),
    key_hash     BLOB   NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    -- How the key begins, so that people know which one it is. Empty: it was not kept.
    prefix       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    -- From then on it is not taken.
    expires_at   BIGINT,
    revoked_at   BIGINT,
    -- To the hour, and up to minutes late.
    last_used_at BIGINT
);
CREATE INDEX caller_keys_caller ON caller_keys (caller_id);
INSERT INTO caller_keys (id, caller_id, key_hash, prefix, created_at, revoked_at)
    SELECT id, id, key_hash, '', created_at, revoked_at FROM old_callers;

DROP TABLE old_callers;
