-- Writes that were accepted, and the fate of each. The table is the queue.
CREATE TABLE operations (
    -- In the order of acceptance.
    position        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT   NOT NULL UNIQUE,
    caller          TEXT   NOT NULL,
    registry        TEXT   NOT NULL,
    ability         TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    -- Keyed hashes: of all that was asked, and of the caller's name for the person.
    request_hash    BLOB   NOT NULL,
    subject         BLOB   NOT NULL,
    bulk            BOOLEAN NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('accepted', 'delivering', 'waiting', 'pending',
                    'applied', 'rejected', 'conflict', 'outcome-unknown', 'given-up', 'cancelled')),
    accepted_at     BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    -- When somebody may take it up. Null: it is over, or another of its subject stands before it.
    due_at          BIGINT,
    give_up_at      BIGINT NOT NULL,
    -- Attempts that began, and when the last of them did.
    attempts        BIGINT NOT NULL,
    attempted_at    BIGINT,
    -- Who has taken it up is told by the fence: whoever comes later has a higher one.
    fence           BIGINT NOT NULL,
    -- Whose the lease is: a node that begins anew frees what it held before it died.
    holder          TEXT,
    -- Why it stands where it stands: words and codes, never a person.
    reason          TEXT,
    code            TEXT,
    field           TEXT,
    module_digest   TEXT,
    -- Sealed by a key that is not in the database. Null: purged.
    request         BLOB,
    receipt         BLOB,
    adapter_state   BLOB,
    state_schema    BIGINT,
    -- Keyed hash of what a callback will name it by.
    reference       BLOB,
    UNIQUE (caller, registry, idempotency_key)
);
CREATE INDEX operations_due ON operations (registry, bulk, due_at, position) WHERE due_at IS NOT NULL;
CREATE INDEX operations_late ON operations (give_up_at)
    WHERE state IN ('accepted', 'waiting') AND due_at IS NOT NULL;
CREATE INDEX operations_of_a_subject ON operations (registry, subject, position)
    WHERE state NOT IN ('applied', 'rejected', 'conflict', 'cancelled');
CREATE INDEX operations_held ON operations (holder) WHERE holder IS NOT NULL;
CREATE INDEX operations_reference ON operations (registry, reference) WHERE reference IS NOT NULL;
CREATE INDEX operations_state ON operations (state, registry, position);
CREATE INDEX operations_state_position ON operations (state, position);
CREATE INDEX operations_ended ON operations (changed_at)
    WHERE state IN ('applied', 'rejected', 'conflict', 'cancelled') AND request IS NOT NULL;

-- Each step of each, never changed.
CREATE TABLE operation_steps (
    operation     TEXT   NOT NULL,
    number        BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    attempt       BIGINT NOT NULL,
    reason        TEXT,
    code          TEXT,
    module_digest TEXT,
    -- Of a step that somebody took.
    by_caller     TEXT,
    PRIMARY KEY (operation, number)
);

-- Whether a gateway's key of bodies is that of the others: a hash of the one that seals today.
ALTER TABLE cluster ADD COLUMN bodies_key_check BLOB;
