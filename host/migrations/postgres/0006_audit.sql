-- The audit is chained by hashes, sealed by signed checkpoints, and searched by person.

-- Of rows written before this step all three are NULL: the first checkpoint covers them together.
ALTER TABLE audit_begin ADD COLUMN chain BIGINT;
ALTER TABLE audit_begin ADD COLUMN seq BIGINT;
ALTER TABLE audit_begin ADD COLUMN hash BYTEA CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_begin_chain ON audit_begin (chain, seq);
ALTER TABLE audit_end ADD COLUMN chain BIGINT;
ALTER TABLE audit_end ADD COLUMN seq BIGINT;
ALTER TABLE audit_end ADD COLUMN hash BYTEA CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_end_chain ON audit_end (chain, seq);
ALTER TABLE audit_act ADD COLUMN chain BIGINT;
ALTER TABLE audit_act ADD COLUMN seq BIGINT;
ALTER TABLE audit_act ADD COLUMN hash BYTEA CHECK (hash IS NULL OR length(hash) = 32);
CREATE UNIQUE INDEX audit_act_chain ON audit_act (chain, seq);

-- A row has its place in a chain, or none of it.
ALTER TABLE audit_begin ADD CONSTRAINT audit_begin_place CHECK (chain IS NULL AND seq IS NULL AND hash IS NULL OR chain IS NOT NULL AND chain > 0
    AND seq IS NOT NULL AND seq > 0 AND hash IS NOT NULL);
ALTER TABLE audit_end ADD CONSTRAINT audit_end_place CHECK (chain IS NULL AND seq IS NULL AND hash IS NULL OR chain IS NOT NULL AND chain > 0
    AND seq IS NOT NULL AND seq > 0 AND hash IS NOT NULL);
ALTER TABLE audit_act ADD CONSTRAINT audit_act_place CHECK (chain IS NULL AND seq IS NULL AND hash IS NULL OR chain IS NOT NULL AND chain > 0
    AND seq IS NOT NULL AND seq > 0 AND hash IS NOT NULL);

-- One row for each chain, which moves with every transaction of audit rows: `seq` and `hash` are those
-- of its last row. Whoever writes moves it from where it stood, so that no two can go on from one row.
CREATE TABLE audit_chain (
    id       BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    -- How its rows are put into bytes to be hashed.
    form     BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    hash     BYTEA  NOT NULL CHECK (length(hash) = 32)
);

-- What was signed, word for word: the heads of all chains, and the checkpoint before.
CREATE TABLE audit_checkpoint (
    number     BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    at         BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL CHECK (length(public_key) = 32),
    signature  BYTEA NOT NULL CHECK (length(signature) = 64)
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
    person BYTEA NOT NULL CHECK (length(person) = 32),
    id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (person, id)
);

-- How far it follows, for each chain. Chain 0 are the rows without one: there `id` is how far, and
-- `seq` 1 once it is through.
CREATE TABLE audit_indexed (
    chain BIGINT NOT NULL PRIMARY KEY,
    seq   BIGINT NOT NULL,
    id    TEXT COLLATE "C"
);

-- A row goes only where `audit_pruned` has it.
CREATE FUNCTION audit_row_is_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM audit_pruned
        WHERE chain = COALESCE(OLD.chain, 0) AND seq >= COALESCE(OLD.seq, 0)
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'restrict_violation';
END
$$;

DROP TRIGGER audit_begin_append_only ON audit_begin;
CREATE TRIGGER audit_begin_append_only BEFORE UPDATE OR TRUNCATE ON audit_begin
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_begin ENABLE ALWAYS TRIGGER audit_begin_append_only;
CREATE TRIGGER audit_begin_prune BEFORE DELETE ON audit_begin
FOR EACH ROW EXECUTE FUNCTION audit_row_is_pruned();
ALTER TABLE audit_begin ENABLE ALWAYS TRIGGER audit_begin_prune;
DROP TRIGGER audit_end_append_only ON audit_end;
CREATE TRIGGER audit_end_append_only BEFORE UPDATE OR TRUNCATE ON audit_end
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_end ENABLE ALWAYS TRIGGER audit_end_append_only;
CREATE TRIGGER audit_end_prune BEFORE DELETE ON audit_end
FOR EACH ROW EXECUTE FUNCTION audit_row_is_pruned();
ALTER TABLE audit_end ENABLE ALWAYS TRIGGER audit_end_prune;
DROP TRIGGER audit_act_append_only ON audit_act;
CREATE TRIGGER audit_act_append_only BEFORE UPDATE OR TRUNCATE ON audit_act
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_act ENABLE ALWAYS TRIGGER audit_act_append_only;
CREATE TRIGGER audit_act_prune BEFORE DELETE ON audit_act
FOR EACH ROW EXECUTE FUNCTION audit_row_is_pruned();
ALTER TABLE audit_act ENABLE ALWAYS TRIGGER audit_act_prune;

CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER audit_checkpoint_append_only;
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_seal ENABLE ALWAYS TRIGGER audit_seal_append_only;
CREATE TRIGGER audit_pruned_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_pruned
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_pruned ENABLE ALWAYS TRIGGER audit_pruned_append_only;

-- A chain's head only goes on.
CREATE FUNCTION audit_chain_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.form <> OLD.form OR NEW.began_at <> OLD.began_at
        OR NEW.seq < OLD.seq THEN
        RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_chain_append_only BEFORE DELETE OR TRUNCATE ON audit_chain
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_chain ENABLE ALWAYS TRIGGER audit_chain_append_only;
CREATE TRIGGER audit_chain_goes_on BEFORE UPDATE ON audit_chain
FOR EACH ROW EXECUTE FUNCTION audit_chain_goes_on();
ALTER TABLE audit_chain ENABLE ALWAYS TRIGGER audit_chain_goes_on;
