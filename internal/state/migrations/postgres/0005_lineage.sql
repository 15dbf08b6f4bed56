-- Lineage: what was made from what. The numbers of nodes are given in the order of the trail.
-- Facts, labels, reasons and scripts come from sealed fields; nothing else does.

-- +goose Up

CREATE TABLE lineage_nodes (
    id     BIGINT PRIMARY KEY,
    kind   TEXT   COLLATE "C" NOT NULL,
    name   TEXT   COLLATE "C" NOT NULL,
    model  TEXT   COLLATE "C",   -- that the node belongs to
    digest TEXT   COLLATE "C",   -- of what never changes
    label  TEXT   COLLATE "C",   -- the fact of that name
    facts  TEXT   COLLATE "C",   -- json: {name: [value, milliseconds at which it was so]}
    event  BIGINT NOT NULL REFERENCES events (sequence), -- the first that named it
    UNIQUE (kind, name)
);

CREATE INDEX lineage_nodes_by_model  ON lineage_nodes (model, kind, name) WHERE model IS NOT NULL;
CREATE INDEX lineage_nodes_by_digest ON lineage_nodes (digest) WHERE digest IS NOT NULL;

-- Edges lead the way that data flows.
CREATE TABLE lineage_edges (
    from_node BIGINT NOT NULL REFERENCES lineage_nodes (id),
    to_node   BIGINT NOT NULL REFERENCES lineage_nodes (id),
    relation  TEXT   COLLATE "C" NOT NULL,
    reason    TEXT   COLLATE "C",
    script    TEXT   COLLATE "C",   -- version of the script that did it
    said_ms   BIGINT, -- when reason and script were so
    event     BIGINT NOT NULL REFERENCES events (sequence), -- the first that named it
    PRIMARY KEY (from_node, to_node, relation)
);

CREATE UNIQUE INDEX lineage_edges_back ON lineage_edges (to_node, from_node, relation);

-- What the data of a node, and of all that is made from it, may be used for.
CREATE TABLE lineage_rules (
    node      BIGINT PRIMARY KEY REFERENCES lineage_nodes (id),
    allowed   TEXT   COLLATE "C" NOT NULL, -- json: purposes; empty: any that is not forbidden
    forbidden TEXT   COLLATE "C" NOT NULL, -- json: purposes
    basis     TEXT   COLLATE "C" NOT NULL,
    reason    TEXT   COLLATE "C",
    said_ms   BIGINT NOT NULL,
    event     BIGINT NOT NULL REFERENCES events (sequence) -- that set it
);
