package lineage

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// UsageRule says what the data of a node may be used for. It holds for everything that is made from it.
type UsageRule struct {
	Node      Ref      `json:"node" doc:"the column, feature, source or snapshot that the rule is about"`
	Allowed   []string `json:"allowed,omitempty" doc:"purposes; if there are none, any that is not forbidden"`
	Forbidden []string `json:"forbidden,omitempty" doc:"purposes"`
	Basis     string   `json:"basis,omitempty" doc:"what permits the use: consent, contract, legal obligation, ..."`
	Reason    string   `json:"reason,omitempty"`
	Event     uint64   `json:"event,omitempty" readOnly:"true" doc:"sequence of the event that set the rule"`
}

const (
	maxPurposes = 32
	maxPurpose  = 64 // bytes of a purpose; of a basis, twice that
)

func (r UsageRule) validate() error {
	if err := r.Node.Validate(); err != nil {
		return err
	}
	invalid := func(format string, args ...any) error {
		return tallystick.Errorf(tallystick.Invalid, "rule of %s: %w", r.Node, tallystick.Errorf(tallystick.Invalid, format, args...))
	}
	if len(r.Allowed)+len(r.Forbidden) > maxPurposes {
		return invalid("it names %d purposes, the limit is %d", len(r.Allowed)+len(r.Forbidden), maxPurposes)
	}
	for _, p := range slices.Concat(r.Allowed, r.Forbidden) {
		if p == "" || len(p) > maxPurpose || !plain(p) {
			return invalid("%.80q is no purpose", p)
		}
	}
	for _, p := range r.Allowed {
		if slices.Contains(r.Forbidden, p) {
			return invalid("purpose %q is both allowed and forbidden", p)
		}
	}
	if len(r.Basis) > 2*maxPurpose || !plain(r.Basis) {
		return invalid("its basis is longer than %d bytes or no plain text", 2*maxPurpose)
	}
	if len(r.Reason) > maxReason || !text(r.Reason) {
		return invalid("its reason is longer than %d bytes or no text", maxReason)
	}
	return nil
}

// Permits reports whether the rule lets its data be used for a purpose.
func (r UsageRule) Permits(purpose string) bool {
	return !slices.Contains(r.Forbidden, purpose) && (len(r.Allowed) == 0 || slices.Contains(r.Allowed, purpose))
}

// use is a rule in an event, without what is sealed.
type use struct {
	Allowed   []string `json:"allowed,omitempty"`
	Forbidden []string `json:"forbidden,omitempty"`
	Basis     string   `json:"basis,omitempty"`
}

// use returns the rule's public part; purposes are sets.
func (r UsageRule) use() use { return use{set(r.Allowed), set(r.Forbidden), r.Basis} }

func set(words []string) []string {
	words = slices.Sorted(slices.Values(words))
	return slices.Compact(words)
}
