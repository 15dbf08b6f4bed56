-- Lineage: what was made from what. The numbers of nodes are given in the order of the trail.
-- Facts, labels, reasons and scripts come from sealed fields; nothing else does.

-- +goose Up

CREATE TABLE lineage_nodes (
    id     INTEGER PRIMARY KEY,
    kind   TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    model  TEXT,   -- that the node belongs to
    digest TEXT,   -- of what never changes
    label  TEXT,   -- the fact of that name
    facts  TEXT,   -- json: {name: [value, milliseconds at which it was so]}
    event  INTEGER NOT NULL REFERENCES events (sequence), -- the first that named it
    UNIQUE (kind, name)
) STRICT;

CREATE INDEX lineage_nodes_by_model  ON lineage_nodes (model, kind, name) WHERE model IS NOT NULL;
CREATE INDEX lineage_nodes_by_digest ON lineage_nodes (digest) WHERE digest IS NOT NULL;

-- Edges lead the way that data flows.
CREATE TABLE lineage_edges (
    from_node INTEGER NOT NULL REFERENCES lineage_nodes (id),
    to_node   INTEGER NOT NULL REFERENCES lineage_nodes (id),
    relation  TEXT    NOT NULL,
    reason    TEXT,
    script    TEXT,   -- version of the script that did it
    said_ms   INTEGER, -- when reason and script were so
    event     INTEGER NOT NULL REFERENCES events (sequence), -- the first that named it
    PRIMARY KEY (from_node, to_node, relation)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX lineage_edges_back ON lineage_edges (to_node, from_node, relation);

-- What the data of a node, and of all that is made from it, may be used for.
CREATE TABLE lineage_rules (
    node      INTEGER PRIMARY KEY REFERENCES lineage_nodes (id),
    allowed   TEXT    NOT NULL, -- json: purposes; empty: any that is not forbidden
    forbidden TEXT    NOT NULL, -- json: purposes
    basis     TEXT    NOT NULL,
    reason    TEXT,
    said_ms   INTEGER NOT NULL,
    event     INTEGER NOT NULL REFERENCES events (sequence) -- that set it
) STRICT;
