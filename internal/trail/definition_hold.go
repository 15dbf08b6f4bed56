package trail

// The types of events of holds, which keep predictions from removal and erasure.
const (
	HoldPlaced   Type = typePrefix + "hold.placed" + typeSuffix
	HoldReleased Type = typePrefix + "hold.released" + typeSuffix
)

func holdDefinitions() []Definition {
	return []Definition{
		{
			Type: HoldPlaced, Title: "Hold placed", Action: "hold.place",
			Description: "Predictions of a model are neither removed nor erased until the hold is released.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("incident", Text, "id of the incident for which it was placed").inTheOpen(),
				optional("from_ms", Number, "predictions from this time on, milliseconds since 1970; absent: from the first").inTheOpen(),
				optional("to_ms", Number, "predictions before this time; absent: those to come too").inTheOpen(),
				optional("reason", Text, "why"),
			},
		},
		{
			Type: HoldReleased, Title: "Hold released", Action: "hold.release",
			Description: "Predictions that a hold kept are removed and erased as ever.",
			Fields: []Field{
				public("hold", Text, "id of the hold"),
				public("model", Text, "name of the model"),
				optional("reason", Text, "why"),
			},
		},
	}
}
