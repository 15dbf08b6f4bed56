package catalog

import (
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Term is for how many days evidence counts after it was produced.
type Term int

const (
	notOwed Term = 0
	always  Term = -1 // owed, and never stale
)

// Owed is something that models owe, by tier. docs/tiers.md has the same table.
type Owed struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Why      string       `json:"why" doc:"what it is good for"`
	Kind     EvidenceKind `json:"kind,omitempty" doc:"kind of the evidence; absent if it is said of the model or version itself"`
	Name     string       `json:"name,omitempty" doc:"which document"`
	Controls []string     `json:"controls,omitempty" doc:"controls that it supports, as framework/reference"`

	low, limited, high Term
	from               source
	scope              scope
	command            string // with MODEL, VERSION and TIER to be filled in
}

// source says whose models owe it.
type source int

const (
	anybody    source = iota
	ours              // models of our own
	thirdParty        // models of a supplier
)

// scope says whether evidence about the model as a whole counts too.
type scope int

const (
	ofVersion scope = iota
	ofModel         // of the model, or of the version
)

// Term returns for how long the evidence counts at a tier; owed is false if it is not owed at all,
// and a zero duration means that it is never stale.
func (o Owed) Term(tier tallystick.Tier) (term time.Duration, owed bool) {
	days := notOwed
	switch tier {
	case tallystick.TierLow:
		days = o.low
	case tallystick.TierLimited:
		days = o.limited
	case tallystick.TierHigh:
		days = o.high
	}
	if days == always {
		return 0, true
	}
	return time.Duration(days) * 24 * time.Hour, days != notOwed
}

func (o Owed) by(m Model) bool {
	if _, owed := o.Term(m.Tier); !owed || m.State != Active {
		return false
	}
	return o.from == anybody || o.from == thirdParty == m.ThirdParty
}

// commandFor returns the command that produces the evidence.
func (o Owed) commandFor(m Model, version string) string {
	if version == "" {
		version = "VERSION"
	}
	return strings.NewReplacer("MODEL", m.Name, "VERSION", version, "TIER", string(m.Tier)).Replace(o.command)
}

// The ids of what is owed by what is said, not by evidence.
const (
	owedPurpose  = "purpose"
	owedAnswers  = "risk-answers"
	owedSRE      = "sre-owner"
	owedMetadata = "version-metadata"
)

// OwedEvidence returns what models owe, in the order in which it is best produced. Experiments and
// retired models owe nothing.
func OwedEvidence() []Owed {
	return []Owed{
		{
			ID: owedPurpose, Title: "Purpose and acceptable use", Why: "nobody can judge a model without knowing what it is for",
			Controls: []string{"iso-42001/A.9.4", "eu-ai-act/Annex IV(1)", "nist-ai-rmf/MAP 1.1"},
			low:      always, limited: always, high: always, scope: ofModel,
			command: "tallystick model update MODEL --purpose TEXT --acceptable-use TEXT",
		},
		{
			ID: owedAnswers, Title: "Answers to the questions about risk", Why: "they decide the tier",
			Controls: []string{"us-mrm/MRM-5", "eu-ai-act/Annex III", "nist-ai-rmf/GOVERN 1.3"},
			low:      always, limited: always, high: always, scope: ofModel,
			command: "tallystick model update MODEL",
		},
		{
			ID: owedSRE, Title: "SRE co-owner", Why: "somebody has to be called at night",
			Controls: []string{"nist-ai-rmf/GOVERN 2.1", "iso-42001/A.3.2"},
			limited:  always, high: always, scope: ofModel,
			command: "tallystick model update MODEL --sre-owner NAME",
		},
		{
			ID: owedMetadata, Title: "Files and metadata of the version", Why: "what is not identified cannot be audited or made again",
			Controls: []string{"eu-ai-act/Annex IV(2)(c)", "nist-ai-rmf/MEASURE 2.1", "us-mrm/MRM-1"},
			low:      always, limited: always, high: always,
			command: "tallystick register MODEL@VERSION",
		},
		{
			ID: "scan", Title: "Scan of the files", Why: "a model file can run code when it is loaded", Kind: ScanEvidence,
			Controls: []string{"eu-ai-act/Art. 15", "eu-ai-act/Annex IV(2)(h)", "nist-ai-rmf/MEASURE 2.7"},
			limited:  365, high: 180, from: ours,
			command: "tallystick model scan PATH --model MODEL@VERSION --sign",
		},
		{
			ID: "signature", Title: "Signature over the files", Why: "whoever loads the model can check that it is this one", Kind: SignatureEvidence,
			Controls: []string{"eu-ai-act/Art. 15"},
			limited:  always, high: always, from: ours,
			command: "tallystick model sign PATH --model MODEL@VERSION --key FILE",
		},
		{
			ID: "supplier", Title: "Evidence of the supplier", Why: "what cannot be looked into has to be vouched for", Kind: SupplierEvidence,
			Controls: []string{"us-mrm/MRM-6", "iso-42001/A.10.3", "nist-ai-rmf/GOVERN 6.1"},
			low:      365, limited: 365, high: 180, from: thirdParty, scope: ofModel,
			command: "tallystick evidence attach MODEL@VERSION --kind supplier FILE --sign",
		},
		{
			ID: "criteria", Title: "Thresholds fixed before the evaluation", Why: "nobody should choose the limits after seeing the result", Kind: CriteriaEvidence,
			Controls: []string{"eu-ai-act/Art. 9", "eu-ai-act/Annex IV(4)", "nist-ai-rmf/MEASURE 1.1"},
			high:     always,
			command:  "tallystick criteria commit CONTRACT && tallystick audit FILE --model MODEL --version VERSION --contract CONTRACT",
		},
		{
			ID: "data-check", Title: "Data against its contract", Why: "a model is as good as the data that it is judged on", Kind: DataCheckEvidence,
			Controls: []string{"eu-ai-act/Art. 10", "eu-ai-act/Annex IV(2)(d)", "iso-42001/A.7.4"},
			limited:  180, high: 90,
			command: "tallystick audit FILE --model MODEL --version VERSION --contract CONTRACT",
		},
		{
			ID: "evaluation", Title: "Evaluation by the gate", Why: "how well it does, for whom, and whether that is enough", Kind: EvaluationEvidence,
			Controls: []string{"eu-ai-act/Art. 15", "eu-ai-act/Annex IV(2)(g)", "nist-ai-rmf/MEASURE 2.3", "us-mrm/MRM-2c"},
			low:      365, limited: 180, high: 90,
			command: "tallystick audit FILE --model MODEL --version VERSION --tier TIER",
		},
		{
			ID: "baseline", Title: "Baseline of behaviour and data", Why: "drift is measured against it", Kind: BaselineEvidence,
			Controls: []string{"us-mrm/MRM-2b", "iso-42001/A.6.2.6"},
			limited:  always, high: always,
			command: "tallystick evidence attach MODEL@VERSION --kind baseline FILE --sign",
		},
		{
			ID: "model-card", Title: "Model card or instructions for use", Why: "those who use it have to know its limits", Kind: DocumentEvidence, Name: "model-card",
			Controls: []string{"eu-ai-act/Art. 13", "iso-42001/A.8.2", "nist-ai-rmf/MEASURE 2.9"},
			limited:  always, high: 365, scope: ofModel,
			command: "tallystick evidence attach MODEL@VERSION --kind document --name model-card FILE --sign",
		},
		{
			ID: "risk-record", Title: "Risk record", Why: "known risks, what is done about them, and who accepts the rest", Kind: DocumentEvidence, Name: "risk-record",
			Controls: []string{"eu-ai-act/Art. 9", "eu-ai-act/Annex IV(5)", "nist-ai-rmf/MANAGE 1.3"},
			high:     365, scope: ofModel,
			command: "tallystick evidence attach MODEL --kind document --name risk-record FILE --sign",
		},
		{
			ID: "impact-assessment", Title: "Impact assessment", Why: "whom it can hurt, and how that is kept small", Kind: DocumentEvidence, Name: "impact-assessment",
			Controls: []string{"eu-ai-act/Art. 27", "iso-42001/A.5.4", "nist-ai-rmf/MAP 5.1"},
			high:     365, scope: ofModel,
			command: "tallystick evidence attach MODEL --kind document --name impact-assessment FILE --sign",
		},
		{
			ID: "monitoring-plan", Title: "Monitoring plan", Why: "what is watched in operation, and who acts", Kind: DocumentEvidence, Name: "monitoring-plan",
			Controls: []string{"eu-ai-act/Art. 72", "eu-ai-act/Annex IV(9)", "nist-ai-rmf/MANAGE 4.1"},
			high:     365, scope: ofModel,
			command: "tallystick evidence attach MODEL --kind document --name monitoring-plan FILE --sign",
		},
	}
}
