-- What registries call back with, raw and sealed.
CREATE TABLE callbacks (
    -- In the order of arrival.
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT   NOT NULL UNIQUE,
    registry      TEXT   NOT NULL,
    method        TEXT   NOT NULL,
    -- Of what is sealed.
    size          BIGINT NOT NULL,
    received_at   BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('new', 'received', 'refused', 'unreadable', 'failed')),
    attempts      BIGINT NOT NULL,
    -- Of them, those that were given back: its registry did not serve, or its adapter could not work.
    put_off       BIGINT NOT NULL,
    -- When somebody may take it up. Null: it is over, or a person must look at it.
    due_at        BIGINT,
    -- Who has taken it up is told by the fence: whoever comes later has a higher one.
    fence         BIGINT NOT NULL,
    -- Whose the lease is.
    holder        TEXT,
    -- Words and codes, never a person.
    reason        TEXT,
    code          TEXT,
    module_digest TEXT,
    -- What the registry was answered.
    status        BIGINT,
    -- How many events it brought that were not known.
    brought       BIGINT NOT NULL,
    -- Sealed by a key that is not in the database. Null: purged.
    body          BLOB
);
CREATE INDEX callbacks_due ON callbacks (registry, due_at, number) WHERE due_at IS NOT NULL;
CREATE INDEX callbacks_held ON callbacks (holder) WHERE holder IS NOT NULL;
CREATE INDEX callbacks_state ON callbacks (registry, state, number);
-- What each registry's take, without a look at them.
CREATE INDEX callbacks_kept ON callbacks (registry, size) WHERE body IS NOT NULL;
-- Which of them makes room first.
CREATE INDEX callbacks_read ON callbacks (registry, number) WHERE state = 'received' AND body IS NOT NULL;
CREATE INDEX callbacks_over ON callbacks (changed_at) WHERE state IN ('received', 'refused');
CREATE INDEX callbacks_unread ON callbacks (changed_at) WHERE state IN ('new', 'unreadable', 'failed');

-- Life events, each once.
CREATE TABLE events (
    arrival       INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Given by one sequencer once the event is committed: whoever sees a position sees all lower ones.
    position      BIGINT UNIQUE,
    registry      TEXT   NOT NULL,
    -- Keyed hash of the registry's own id: it may be made from what is known of people.
    id            BLOB   NOT NULL,
    kind          TEXT   NOT NULL,
    recorded_at   BIGINT,
    stored_at     BIGINT NOT NULL,
    module_digest TEXT   NOT NULL,
    callback      TEXT,
    -- Keyed hashes, as `id`: of what it corrects or takes back, and of the operation that it echoes.
    amends        BLOB,
    caused_by     BLOB,
    -- Sealed by a key that is not in the database. Null: purged, and known nevertheless.
    body          BLOB,
    UNIQUE (registry, id)
);
CREATE INDEX events_of_a_registry ON events (registry, position) WHERE position IS NOT NULL;
CREATE INDEX events_without_position ON events (arrival) WHERE position IS NULL;
CREATE INDEX events_kept ON events (stored_at) WHERE body IS NOT NULL;

-- Keyed hashes of the identifiers of the people in them.
CREATE TABLE event_people (
    person  BLOB   NOT NULL,
    arrival BIGINT NOT NULL,
    PRIMARY KEY (person, arrival)
);
CREATE INDEX event_people_of_an_event ON event_people (arrival, person);

CREATE TABLE event_sequence (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO event_sequence (id, last) VALUES (1, 0);

-- How far each registry was asked for what changed.
CREATE TABLE event_cursors (
    registry     TEXT   NOT NULL PRIMARY KEY,
    state_schema BIGINT,
    -- The adapter's own, sealed.
    data         BLOB,
    due_at       BIGINT NOT NULL,
    fence        BIGINT NOT NULL,
    holder       TEXT,
    polled_at    BIGINT,
    reason       TEXT
);

-- Answers to what waits, which may come before it is known that it waits.
CREATE TABLE pending_answers (
    registry  TEXT   NOT NULL,
    -- Keyed hash.
    reference BLOB   NOT NULL,
    -- Of what is sealed.
    size      BIGINT NOT NULL,
    data      BLOB   NOT NULL,
    at        BIGINT NOT NULL,
    -- An attempt was given it, and it is unclear what came of that.
    tried     BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (registry, reference)
);
CREATE INDEX pending_answers_at ON pending_answers (at);
CREATE INDEX pending_answers_kept ON pending_answers (registry, size);

-- Lookups whose registry answers later, and whose callers come back.
CREATE TABLE lookups (
    id            TEXT   NOT NULL PRIMARY KEY,
    caller        TEXT   NOT NULL,
    registry      TEXT   NOT NULL,
    ability       TEXT   NOT NULL,
    accepted_at   BIGINT NOT NULL,
    -- From then on it is over.
    expires_at    BIGINT NOT NULL,
    -- Rises with each step: whoever comes late writes over nothing.
    step          BIGINT NOT NULL,
    -- The module that went on last.
    module_digest TEXT   NOT NULL,
    -- The form of the adapter's own state. Null: there is none any more.
    state_schema  BIGINT,
    -- Sealed by a key that is not in the database. Null: dropped; of the answer, there is none yet.
    question      BLOB,
    pending       BLOB,
    answer        BLOB
);
CREATE INDEX lookups_of_a_caller ON lookups (caller, expires_at) WHERE question IS NOT NULL;
CREATE INDEX lookups_of_a_registry ON lookups (registry, expires_at) WHERE question IS NOT NULL;
CREATE INDEX lookups_expired ON lookups (expires_at);
