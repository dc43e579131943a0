-- Several keys for a caller, and grants by registry and ability.

-- JSON: what it may ask of which registries, and see of the answers. What a caller could do before it
-- can do now. Joined as text: a row that was not JSON stays one that cannot be read, and stops nobody
-- else's.
ALTER TABLE callers ADD COLUMN grants TEXT COLLATE "C" NOT NULL DEFAULT '[]';
UPDATE callers SET grants = '[{"registries":' || CASE registries WHEN '*' THEN 'null' ELSE registries END
    || ',"abilities":' || abilities || '}]';
-- JSON: how much it may ask. None: what the gateway's configuration says.
ALTER TABLE callers ADD COLUMN limits TEXT COLLATE "C";

CREATE TABLE caller_keys (
    id           TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    caller_id    TEXT   COLLATE "C" NOT NULL REFERENCES callers (id),
    key_hash     BYTEA  NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    -- How the key begins, so that people know which one it is. Empty: it was not kept.
    prefix       TEXT   COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    -- From then on it is not taken.
    expires_at   BIGINT,
    revoked_at   BIGINT,
    -- To the hour, and up to minutes late.
    last_used_at BIGINT
);
CREATE INDEX caller_keys_caller ON caller_keys (caller_id);
INSERT INTO caller_keys (id, caller_id, key_hash, prefix, created_at, revoked_at)
    SELECT id, id, key_hash, '', created_at, revoked_at FROM callers;

ALTER TABLE callers DROP COLUMN key_hash;
ALTER TABLE callers DROP COLUMN registries;
ALTER TABLE callers DROP COLUMN abilities;
