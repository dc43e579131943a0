-- Which module served which registry when, and what is about to.

-- One row for each change of what serves. No module: from then on none does (disabled, deleted).
-- Modules are named and not referred to: what ran stays known when its module is gone.
CREATE TABLE activations (
    number        BIGINT NOT NULL PRIMARY KEY,
    registry      TEXT   COLLATE "C" NOT NULL,
    at            BIGINT NOT NULL,
    module_digest TEXT   COLLATE "C",
    -- What served until then.
    previous      TEXT   COLLATE "C",
    caller        TEXT   COLLATE "C" NOT NULL,
    why           TEXT   COLLATE "C" NOT NULL CHECK (why IN
        ('known', 'apply', 'activate', 'rollback', 'enable', 'disable', 'delete'))
);
CREATE INDEX activations_registry ON activations (registry, number);

-- What served before there was a history.
INSERT INTO activations (number, registry, at, module_digest, previous, caller, why)
SELECT row_number() OVER (ORDER BY name), name, updated_at, module_digest, NULL, '(before)', 'known'
FROM registries WHERE enabled;

CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER activations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON activations
FOR EACH STATEMENT EXECUTE FUNCTION history_is_append_only();
ALTER TABLE activations ENABLE ALWAYS TRIGGER activations_append_only;

-- The module that may serve a registry next.
CREATE TABLE candidates (
    registry      TEXT   COLLATE "C" NOT NULL PRIMARY KEY REFERENCES registries (name),
    module_digest TEXT   COLLATE "C" NOT NULL REFERENCES modules (digest),
    -- Percent of the lookups that it answers too; none: it is staged only.
    share_percent BIGINT CHECK (share_percent BETWEEN 1 AND 100),
    since         BIGINT NOT NULL,
    caller        TEXT   COLLATE "C" NOT NULL
);

-- Adapters' own bytes that callers or registries hold, by the number of their form, and until when
-- somebody may come back with them. `kind` is `page` for tokens of a search.
CREATE TABLE open_states (
    registry   TEXT   COLLATE "C" NOT NULL,
    kind       TEXT   COLLATE "C" NOT NULL,
    form       BIGINT NOT NULL,
    open_until BIGINT NOT NULL,
    PRIMARY KEY (registry, kind, form)
);
