-- What is known of an admitted module besides its bytes. A table of its own: columns that are added to
-- `modules` stand behind the bytes, and listing would read through them.

CREATE TABLE module_facts (
    digest      TEXT   COLLATE "C" NOT NULL PRIMARY KEY REFERENCES modules (digest),
    -- JSON: what the module says of itself, and what its package says.
    description TEXT   COLLATE "C" NOT NULL,
    -- The number of the trusted key. NULL: not signed, or not asked for.
    signed_by   TEXT   COLLATE "C",
    -- Where it came from: a caller's name, or a reference to an OCI registry.
    came_by     TEXT   COLLATE "C" NOT NULL,
    -- From then on its bytes are gone. The row stays: the audit names modules by digest.
    retired_at  BIGINT
);

-- By which reference a module was pulled: it is not pulled twice.
CREATE TABLE module_pulls (
    reference TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    digest    TEXT   COLLATE "C" NOT NULL REFERENCES modules (digest),
    pulled_at BIGINT NOT NULL
);
