package trail

// Types of events of monitors, and of what windows of predictions are compared with.
const (
	ReferencePinned Type = typePrefix + "reference.pinned" + typeSuffix
	BreakdownPinned Type = typePrefix + "breakdown.pinned" + typeSuffix
	MonitorApplied  Type = typePrefix + "monitor.applied" + typeSuffix
	MonitorRemoved  Type = typePrefix + "monitor.removed" + typeSuffix
	WindowJudged    Type = typePrefix + "window.judged" + typeSuffix
)

func monitorDefinitions() []Definition {
	return []Definition{
		{
			Type: ReferencePinned, Title: "Reference pinned", Action: "reference.pin",
			Description: "It was said with what the predictions of a model are compared from now on.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "version that it is for; absent: every one that has none of its own").inTheOpen(),
				public("reference_digest", Digest, "digest of the reference: how each feature is counted, and the counts"),
				public("source", Text, "predictions or file"),
				public("predictions", Number, "number of rows that it was made of"),
				optional("environment", Text, "environment of the predictions that it was made of").inTheOpen(),
				optional("from", Text, "time from which predictions were taken").inTheOpen(),
				optional("to", Text, "time until which they were, exclusive").inTheOpen(),
				optional("data_digest", Digest, "digest of the file that it was made of, as whoever read it says").inTheOpen(),
			},
		},
		{
			Type: BreakdownPinned, Title: "Breakdown pinned", Action: "breakdown.pin",
			Description: "It was said with what the predictions of a model are compared by season, or by slice, from now on.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "version that it is for; absent: every one that has none of its own").inTheOpen(),
				public("kind", Text, "season or slice"),
				public("breakdown_digest", Digest, "digest of the breakdown: the counts of each part"),
				public("reference_digest", Digest, "digest of the reference by whose rules they were counted"),
				public("parts", Number, "number of classes or slices"),
				public("predictions", Number, "number of predictions that it was counted of"),
				optional("environment", Text, "environment of those predictions").inTheOpen(),
				public("from", Text, "time from which predictions were taken"),
				public("to", Text, "time until which they were, exclusive"),
			},
		},
		{
			Type: MonitorApplied, Title: "Monitor applied", Action: "monitor.apply",
			Description: "It was said what of a model is watched, and by which limits.",
			Fields: []Field{
				public("monitor", Text, "name of the monitor"),
				public("model", Text, "name of the model"),
				public("document_digest", Digest, "digest of the monitor as it was written"),
			},
		},
		{
			Type: MonitorRemoved, Title: "Monitor removed", Action: "monitor.remove",
			Description: "A monitor judges no more windows; what it judged stays.",
			Fields: []Field{
				public("monitor", Text, "name of the monitor"),
				public("model", Text, "name of the model"),
			},
		},
		{
			Type: WindowJudged, Title: "Window judged", Action: "window.judge",
			Description: "The predictions of a model in a window of time were compared with a reference and with limits.",
			Fields: []Field{
				public("monitor", Text, "name of the monitor"),
				public("model", Text, "name of the model"),
				optional("version", Text, "version whose predictions count; absent: all").inTheOpen(),
				public("from", Text, "time at which the window begins"),
				public("to", Text, "time at which it ends, exclusive"),
				public("known_event", Number, "sequence of the newest event by which predictions of that time came on record; 0: there are none"),
				public("judgement_digest", Digest, "digest of the judgement, with a row for every check"),
				public("verdict", Text, "the worst of the rows"),
				public("predictions", Number, "number of predictions in the window"),
				optional("backfilled", Number, "number of those that came on record after the window was due; absent: none").inTheOpen(),
				optional("labelled", Number, "number of those with an output and a label, once labels are there").inTheOpen(),
				optional("wrong", Number, "number of those of which the output was wrong").inTheOpen(),
				optional("awaits", Text, "time from which the window is judged again, because labels should be there; absent: it is not").inTheOpen(),
			},
		},
	}
}
