-- Several gateways on one database: who is there, what they agree on, and what they share.
-- A gateway that serves. `alive_until` is by the database's clock, as it promised with its last beat.
CREATE TABLE nodes (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    -- Of the process: another one with the same id, from a copied directory, is told apart by it.
    run         TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    listens     TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    alive_until BIGINT NOT NULL,
    stopped     BOOLEAN NOT NULL,
    -- Of the configuration that it serves.
    revision    BIGINT NOT NULL,
    -- Millionths of each rate that it may use.
    share       BIGINT NOT NULL CHECK (share BETWEEN 0 AND 1000000),
    -- JSON: what it does not serve as committed, and why.
    behind      TEXT   NOT NULL
);

-- One row. `beats` is what beats take turns by; `key_check` tells whether two gateways have the same
-- audit.key.
CREATE TABLE cluster (
    id        BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    beats     BIGINT NOT NULL,
    key_check BLOB
);
INSERT INTO cluster (id, beats, key_check) VALUES (1, 0, NULL);

-- A module that is to take another's place, as the nodes agree on it.
CREATE TABLE agreements (
    id          TEXT   NOT NULL PRIMARY KEY,
    registry    TEXT   NOT NULL,
    from_digest TEXT   NOT NULL,
    to_digest   TEXT   NOT NULL,
    -- Of the registry when it began: one that is changed meanwhile is not swapped.
    updated_at  BIGINT NOT NULL,
    phase       TEXT   NOT NULL CHECK (phase IN ('preparing', 'committed', 'cancelled')),
    by_caller   TEXT   NOT NULL,
    -- The name of the node that leads it, for people.
    leader      TEXT   NOT NULL,
    began_at    BIGINT NOT NULL,
    -- The leader is taken for dead after it; whoever finds that cancels.
    led_until   BIGINT NOT NULL,
    decide_by   BIGINT NOT NULL,
    decided_at  BIGINT CHECK ((decided_at IS NULL) = (phase = 'preparing')),
    -- Of the configuration, when it was committed.
    revision    BIGINT,
    -- Why it was cancelled.
    reason      TEXT
);
CREATE UNIQUE INDEX agreements_one_of_a_registry ON agreements (registry) WHERE phase = 'preparing';

-- What each node that was alive when it began says to it.
CREATE TABLE agreement_nodes (
    agreement TEXT NOT NULL REFERENCES agreements (id),
    node      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('asked', 'prepared', 'cannot')),
    reason    TEXT,
    PRIMARY KEY (agreement, node)
);

-- What was handed out of a quota on a day of its own calendar, used up or not.
CREATE TABLE quotas (
    name    TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    taken   BIGINT NOT NULL CHECK (taken >= 0),
    used_at BIGINT NOT NULL,
    PRIMARY KEY (name, day)
);
