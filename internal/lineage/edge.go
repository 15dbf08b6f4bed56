package lineage

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
)

// Relation says how one node became part of another.
type Relation string

// The relations of edges, each leading the way that data flows.
const (
	Read     Relation = "read"      // data or a feature -> the run or transformation that read it
	Wrote    Relation = "wrote"     // run or transformation -> data that it wrote
	Trained  Relation = "trained"   // run -> version
	Derived  Relation = "derived"   // data, column, feature or version -> what was made from it
	Part     Relation = "part"      // column -> the source, snapshot or version that it is part of
	Defines  Relation = "defines"   // code or image -> what runs it; transformation -> its run
	Started  Relation = "started"   // run -> run that it started
	Deployed Relation = "deployed"  // version -> deployment
	Served   Relation = "predicted" // deployment -> segment of its predictions
)

// Relations returns all relations.
func Relations() []Relation {
	return []Relation{Read, Wrote, Trained, Derived, Part, Defines, Started, Deployed, Served}
}

// Edge leads from what was there before to what was made from it.
type Edge struct {
	From     Ref      `json:"from" doc:"the node upstream"`
	To       Ref      `json:"to" doc:"the node downstream"`
	Relation Relation `json:"relation" enum:"read,wrote,trained,derived,part,defines,started,deployed,predicted"`
	Reason   string   `json:"reason,omitempty" doc:"why it was done so"`
	Script   string   `json:"script,omitempty" doc:"version of the script that did it, such as a commit or digest"`
	Event    uint64   `json:"event,omitempty" readOnly:"true" doc:"sequence of the first event that told of the edge"`
}

const maxScript = 512 // bytes

func (e Edge) validate() error {
	if err := e.From.Validate(); err != nil {
		return err
	}
	if err := e.To.Validate(); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Relations(), e.Relation):
		return tallystick.Errorf(tallystick.Invalid, "%.40q is no relation", string(e.Relation)).WithHint("relations are %v", Relations())
	case e.From == e.To:
		return tallystick.Errorf(tallystick.Invalid, "an edge leads from %s to itself", e.From)
	case e.Relation == Trained && e.To.Kind != Version, e.Relation == Deployed && (e.From.Kind != Version || e.To.Kind != Deployment),
		e.Relation == Served && e.To.Kind != Segment:
		return tallystick.Errorf(tallystick.Invalid, "a %s cannot have %s a %s", e.From.Kind, e.Relation, e.To.Kind).
			WithHint("edges lead the way that data flows: a run trained a version, a version was deployed as a deployment")
	case len(e.Reason) > maxReason || !text(e.Reason):
		return tallystick.Errorf(tallystick.Invalid, "the reason of %s is longer than %d bytes or no text", e, maxReason)
	case len(e.Script) > maxScript || !plain(e.Script):
		return tallystick.Errorf(tallystick.Invalid, "the script version of %s is longer than %d bytes or no plain text", e, maxScript)
	}
	return nil
}

// String returns the edge in words.
func (e Edge) String() string {
	return e.From.String() + " " + string(e.Relation) + " " + e.To.String()
}

func (e Edge) key() Edge { return Edge{From: e.From, To: e.To, Relation: e.Relation} }

// link is an edge in an event: positions in its list of nodes, and the relation. Its text form is
// "0 trained 1".
type link struct {
	from, to int
	relation Relation
}

// String returns the text form.
func (l link) String() string {
	return strconv.Itoa(l.from) + " " + string(l.relation) + " " + strconv.Itoa(l.to)
}

// MarshalText writes the text form.
func (l link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the text form.
func (l *link) UnmarshalText(text []byte) error {
	words := strings.Split(string(text), " ")
	if len(words) == 3 {
		from, err1 := strconv.Atoi(words[0])
		to, err2 := strconv.Atoi(words[2])
		if read := (link{from, to, Relation(words[1])}); err1 == nil && err2 == nil && read.String() == string(text) {
			*l = read
			return nil
		}
	}
	return tallystick.Errorf(tallystick.Invalid, "%.80q is no edge", text)
}
