package trail

// The types of events about those who watch the ledger from outside.
const (
	WitnessesChosen Type = typePrefix + "witnesses.chosen" + typeSuffix
	WitnessRefused  Type = typePrefix + "witness.refused" + typeSuffix
)

func witnessDefinitions() []Definition {
	return []Definition{
		{
			Type: WitnessesChosen, Title: "Witnesses chosen", Action: "witnesses.choose",
			Description: "It was settled who is asked to cosign the ledger's checkpoints.",
			Fields: []Field{
				optional("witnesses", List, "their verifier keys; none at all ends the asking").inTheOpen(),
				public("quorum", Number, "how many cosignatures make a checkpoint witnessed"),
			},
		},
		{
			Type: WitnessRefused, Title: "Witness refused", Action: "checkpoint.cosign",
			Description: "A witness refused to cosign a checkpoint of this ledger. If it holds another history, or a longer one, the ledger was put back or rewritten.",
			Fields: []Field{
				optional("witness", Text, "name of the witness").inTheOpen(),
				optional("fault", Text, "why, in a word of the protocol: stale, inconsistent, unsigned, unknown log").inTheOpen(),
				optional("size", Number, "entries of the checkpoint that was refused").inTheOpen(),
				optional("held_size", Number, "entries of the checkpoint that the witness holds, if it said so").inTheOpen(),
				optional("detail", Text, "what the witness answered"),
			},
		},
	}
}
