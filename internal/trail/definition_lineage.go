package trail

// LineageRecorded is the type of the event that adds to the lineage.
const LineageRecorded Type = typePrefix + "lineage.recorded" + typeSuffix

func lineageDefinitions() []Definition {
	return []Definition{{
		Type: LineageRecorded, Title: "Lineage recorded", Action: "lineage.record",
		Description: "It was recorded what was made from what: nodes and edges of the lineage, and rules of use.",
		Fields: []Field{
			optional("model", Text, "name of the model that the nodes and edges concern").inTheOpen(),
			public("origin", Text, "how it was told: by the API, a wrapped run, an OpenLineage producer"),
			public("observed_ms", Number, "when it was so, in milliseconds since 1970"),
			public("nodes", List, "the nodes, as kind:id"),
			optional("edges", List, "the edges: positions of two nodes in the list, from 0, and the relation between").inTheOpen(),
			optional("attributes", Object, "digest and model of nodes, by node").inTheOpen(),
			optional("rules", Object, "purposes allowed and forbidden, and the basis, by node").inTheOpen(),
			optional("facts", Object, "what else is known of nodes, by node"),
			optional("reasons", Object, "why, and by which version of a script, by edge"),
			optional("rule_reasons", Object, "why a rule of use holds, by node"),
		},
	}}
}
