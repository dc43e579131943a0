-- Which module served which registry when, and what is about to.

-- One row for each change of what serves. No module: from then on none does (disabled, deleted).
-- Modules are named and not referred to: what ran stays known when its module is gone.
CREATE TABLE activations (
    number        BIGINT NOT NULL PRIMARY KEY,
    registry      TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    module_digest TEXT,
    -- What served until then.
    previous      TEXT,
    caller        TEXT   NOT NULL,
    why           TEXT   NOT NULL CHECK (why IN
        ('known', 'apply', 'activate', 'rollback', 'enable', 'disable', 'delete'))
);
CREATE INDEX activations_registry ON activations (registry, number);

-- What served before there was a history.
INSERT INTO activations (number, registry, at, module_digest, previous, caller, why)
SELECT row_number() OVER (ORDER BY name), name, updated_at, module_digest, NULL, '(before)', 'known'
FROM registries WHERE enabled;

CREATE TRIGGER activations_no_update BEFORE UPDATE ON activations
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER activations_no_delete BEFORE DELETE ON activations
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER activations_no_replace BEFORE INSERT ON activations
WHEN EXISTS (SELECT 1 FROM activations WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

-- The module that may serve a registry next.
CREATE TABLE candidates (
    registry      TEXT   NOT NULL PRIMARY KEY REFERENCES registries (name),
    module_digest TEXT   NOT NULL REFERENCES modules (digest),
    -- Percent of the lookups that it answers too; none: it is staged only.
    share_percent BIGINT CHECK (share_percent BETWEEN 1 AND 100),
    since         BIGINT NOT NULL,
    caller        TEXT   NOT NULL
);

-- Adapters' own bytes that callers or registries hold, by the number of their form, and until when
-- somebody may come back with them. `kind` is `page` for tokens of a search.
CREATE TABLE open_states (
    registry   TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    form       BIGINT NOT NULL,
    open_until BIGINT NOT NULL,
    PRIMARY KEY (registry, kind, form)
);
