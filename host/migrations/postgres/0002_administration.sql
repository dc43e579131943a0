-- Who may administer, and what administrators did.

-- JSON. Whoever was there before may do what it could before.
ALTER TABLE callers ADD COLUMN roles TEXT COLLATE "C" NOT NULL DEFAULT '["client"]';

-- Acts of administration. `phase` is `begin` before the act, `end` after it: two rows of one id.
CREATE TABLE audit_act (
    id            TEXT   COLLATE "C" NOT NULL,
    phase         TEXT   COLLATE "C" NOT NULL CHECK (phase IN ('begin', 'end')),
    at            BIGINT NOT NULL,
    request_id    TEXT   COLLATE "C" NOT NULL,
    caller        TEXT   COLLATE "C" NOT NULL,
    act           TEXT   COLLATE "C" NOT NULL,
    registry      TEXT   COLLATE "C",
    module_digest TEXT   COLLATE "C",
    -- The name of what else it was about: a caller's, for one.
    subject       TEXT   COLLATE "C",
    -- Of the end alone: `done`, or a word for why not.
    outcome       TEXT   COLLATE "C" CHECK ((outcome IS NULL) = (phase = 'begin')),
    -- JSON: what was changed. Never a secret, never a person.
    detail        TEXT   COLLATE "C",
    PRIMARY KEY (id, phase)
);
CREATE INDEX audit_act_at ON audit_act (at);

CREATE TRIGGER audit_act_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_act
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_act ENABLE ALWAYS TRIGGER audit_act_append_only;
