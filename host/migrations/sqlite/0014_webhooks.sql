-- Callers' subscriptions to the feed of events.
CREATE TABLE webhooks (
    name            TEXT   NOT NULL PRIMARY KEY,
    -- What its secrets are sealed for, and its messages' ids are made from.
    id              TEXT   NOT NULL UNIQUE,
    caller          TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    -- What its caller states, as in a reading of the feed.
    purpose         TEXT,
    legal_basis     TEXT,
    by_user         TEXT,
    for_entity      TEXT,
    -- JSON lists; empty ones are all.
    registries      TEXT   NOT NULL,
    kinds           TEXT   NOT NULL,
    -- Sealed by a key that is not in the database. The one before is signed with until then.
    secret          BLOB   NOT NULL,
    previous_secret BLOB,
    previous_until  BIGINT CHECK ((previous_until IS NULL) = (previous_secret IS NULL)),
    state           TEXT   NOT NULL CHECK (state IN ('active', 'paused')),
    -- A word for why it is paused.
    reason          TEXT,
    -- What is up to here in the feed is over.
    position        BIGINT NOT NULL,
    -- When the next message may go, and until when a node has it. Who has it is told by the fence.
    due_at          BIGINT NOT NULL,
    leased_until    BIGINT NOT NULL,
    fence           BIGINT NOT NULL,
    holder          TEXT,
    -- Moves with each change by an administrator: whoever sends meanwhile does not write over it.
    edits           BIGINT NOT NULL,
    -- Failures one after the other, since when, and a word for the last.
    attempts        BIGINT NOT NULL,
    failing_since   BIGINT,
    problem         TEXT,
    delivered_at    BIGINT,
    created_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
