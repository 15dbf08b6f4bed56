// Package lineage knows what was made from what: from sources over transformations, snapshots and
// runs to versions, deployments and predictions, with the columns and features that flow through
// them and the rules under which they may be used.
//
// The lineage is a graph of nodes and edges. Edges lead the way that data flows, so that what fed a
// version lies Up and what used a snapshot lies Down. Nothing is ever taken out of it. Telling the
// same again, twice or in another order, gives the same graph: nodes and edges are sets, a digest
// never changes, and of what may change (facts, labels, reasons, rules) the latest counts by the
// time that it was observed, not by the time that it arrived.
package lineage
