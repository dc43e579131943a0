-- Who may administer, and what administrators did.

-- JSON. Whoever was there before may do what it could before.
ALTER TABLE callers ADD COLUMN roles TEXT NOT NULL DEFAULT '["client"]';

-- Acts of administration. `phase` is `begin` before the act, `end` after it: two rows of one id.
CREATE TABLE audit_act (
    id            TEXT   NOT NULL,
    phase         TEXT   NOT NULL CHECK (phase IN ('begin', 'end')),
    at            BIGINT NOT NULL,
    request_id    TEXT   NOT NULL,
    caller        TEXT   NOT NULL,
    act           TEXT   NOT NULL,
    registry      TEXT,
    module_digest TEXT,
    -- The name of what else it was about: a caller's, for one.
    subject       TEXT,
    -- Of the end alone: `done`, or a word for why not.
    outcome       TEXT   CHECK ((outcome IS NULL) = (phase = 'begin')),
    -- JSON: what was changed. Never a secret, never a person.
    detail        TEXT,
    PRIMARY KEY (id, phase)
);
CREATE INDEX audit_act_at ON audit_act (at);

CREATE TRIGGER audit_act_no_update BEFORE UPDATE ON audit_act
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_act_no_delete BEFORE DELETE ON audit_act
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_act_no_replace BEFORE INSERT ON audit_act
WHEN EXISTS (SELECT 1 FROM audit_act WHERE id = NEW.id AND phase = NEW.phase)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
