-- The audit is chained by hashes, sealed by signed checkpoints, and searched by person.

-- Of rows written before this step all three are NULL: the first checkpoint covers them together.
ALTER TABLE audit_begin ADD COLUMN chain BIGINT;
ALTER TABLE audit_begin ADD COLUMN seq BIGINT;
ALTER TABLE audit_begin ADD COLUMN hash BLOB CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_begin_chain ON audit_begin (chain, seq);
ALTER TABLE audit_end ADD COLUMN chain BIGINT;
ALTER TABLE audit_end ADD COLUMN seq BIGINT;
ALTER TABLE audit_end ADD COLUMN hash BLOB CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_end_chain ON audit_end (chain, seq);
ALTER TABLE audit_act ADD COLUMN chain BIGINT;
ALTER TABLE audit_act ADD COLUMN seq BIGINT;
ALTER TABLE audit_act ADD COLUMN hash BLOB CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_act_chain ON audit_act (chain, seq);

-- A row has its place in a chain, or none of it. A column that is added cannot say that of others.
CREATE TRIGGER audit_begin_place BEFORE INSERT ON audit_begin
WHEN NOT (NEW.chain IS NULL AND NEW.seq IS NULL AND NEW.hash IS NULL OR NEW.chain IS NOT NULL
    AND NEW.chain > 0 AND NEW.seq IS NOT NULL AND NEW.seq > 0 AND NEW.hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'an audit row has no such place'); END;
CREATE TRIGGER audit_end_place BEFORE INSERT ON audit_end
WHEN NOT (NEW.chain IS NULL AND NEW.seq IS NULL AND NEW.hash IS NULL OR NEW.chain IS NOT NULL
    AND NEW.chain > 0 AND NEW.seq IS NOT NULL AND NEW.seq > 0 AND NEW.hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'an audit row has no such place'); END;
CREATE TRIGGER audit_act_place BEFORE INSERT ON audit_act
WHEN NOT (NEW.chain IS NULL AND NEW.seq IS NULL AND NEW.hash IS NULL OR NEW.chain IS NOT NULL
    AND NEW.chain > 0 AND NEW.seq IS NOT NULL AND NEW.seq > 0 AND NEW.hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'an audit row has no such place'); END;

-- One row for each chain, which moves with every transaction of audit rows: `seq` and `hash` are those
-- of its last row. Whoever writes moves it from where it stood, so that no two can go on from one row.
CREATE TABLE audit_chain (
    id       BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    -- How its rows are put into bytes to be hashed.
    form     BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    hash     BLOB   NOT NULL CHECK (length(hash) = 32)
);

-- What was signed, word for word: the heads of all chains, and the checkpoint before.
CREATE TABLE audit_checkpoint (
    number     BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    at         BIGINT NOT NULL,
    body       TEXT NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    signature  BLOB NOT NULL CHECK (length(signature) = 64)
);

-- Up to which row of which chain a checkpoint covers. Chain 0, row 0 are the rows without a chain.
CREATE TABLE audit_seal (
    checkpoint BIGINT NOT NULL REFERENCES audit_checkpoint (number),
    chain      BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    PRIMARY KEY (checkpoint, chain),
    UNIQUE (checkpoint, chain, seq)
);

-- Rows that may be removed: those up to a seal, once a later checkpoint says so.
CREATE TABLE audit_pruned (
    chain      BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    sealed_by  BIGINT NOT NULL,
    -- The one that says so.
    checkpoint BIGINT NOT NULL REFERENCES audit_checkpoint (number),
    PRIMARY KEY (chain, seq),
    FOREIGN KEY (sealed_by, chain, seq) REFERENCES audit_seal (checkpoint, chain, seq),
    CHECK (checkpoint > sealed_by)
);

-- Which calls a person was asked of or told of in. It follows behind the rows, and is no part of the
-- audit: it can be made anew from it.
CREATE TABLE audit_person (
    person BLOB NOT NULL CHECK (length(person) = 32),
    id     TEXT NOT NULL,
    PRIMARY KEY (person, id)
) WITHOUT ROWID;

-- How far it follows, for each chain. Chain 0 are the rows without one: there `id` is how far, and
-- `seq` 1 once it is through.
CREATE TABLE audit_indexed (
    chain BIGINT NOT NULL PRIMARY KEY,
    seq   BIGINT NOT NULL,
    id    TEXT
);

-- A row goes only where `audit_pruned` has it.
DROP TRIGGER audit_begin_no_delete;
CREATE TRIGGER audit_begin_no_delete BEFORE DELETE ON audit_begin
WHEN NOT EXISTS (
    SELECT 1 FROM audit_pruned
    WHERE chain = COALESCE(OLD.chain, 0) AND seq >= COALESCE(OLD.seq, 0)
)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
DROP TRIGGER audit_end_no_delete;
CREATE TRIGGER audit_end_no_delete BEFORE DELETE ON audit_end
WHEN NOT EXISTS (
    SELECT 1 FROM audit_pruned
    WHERE chain = COALESCE(OLD.chain, 0) AND seq >= COALESCE(OLD.seq, 0)
)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
DROP TRIGGER audit_act_no_delete;
CREATE TRIGGER audit_act_no_delete BEFORE DELETE ON audit_act
WHEN NOT EXISTS (
    SELECT 1 FROM audit_pruned
    WHERE chain = COALESCE(OLD.chain, 0) AND seq >= COALESCE(OLD.seq, 0)
)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_seal_no_replace BEFORE INSERT ON audit_seal
WHEN EXISTS (SELECT 1 FROM audit_seal WHERE checkpoint = NEW.checkpoint AND chain = NEW.chain)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_pruned_no_update BEFORE UPDATE ON audit_pruned
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_pruned_no_delete BEFORE DELETE ON audit_pruned
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_pruned_no_replace BEFORE INSERT ON audit_pruned
WHEN EXISTS (SELECT 1 FROM audit_pruned WHERE chain = NEW.chain AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;

-- A chain's head only goes on.
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_chain_no_replace BEFORE INSERT ON audit_chain
WHEN EXISTS (SELECT 1 FROM audit_chain WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_chain_goes_on BEFORE UPDATE ON audit_chain
WHEN NEW.id <> OLD.id OR NEW.form <> OLD.form OR NEW.began_at <> OLD.began_at OR NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
