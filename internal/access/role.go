package access

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Role is a set of rights that a person or a service is granted. A person may have several.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"
	Scientist Role = "scientist"
	Validator Role = "validator"
	Approver  Role = "approver"
	Operator  Role = "operator"
	Auditor   Role = "auditor"
	Admin     Role = "admin"
	Service   Role = "service"
)

// Roles returns every role, in the order of the table.
func Roles() []Role {
	return []Role{Viewer, Scientist, Validator, Approver, Operator, Auditor, Admin, Service}
}

// Doc says in a sentence what the role is for.
func (r Role) Doc() string {
	switch r {
	case Viewer:
		return "Reads the catalog and its history."
	case Scientist:
		return "Registers models, versions and data and experiments with them; releases nothing."
	case Validator:
		return "Examines versions that others made: attaches evidence, fixes limits and usage rules, closes findings."
	case Approver:
		return "Says yes or no to a release that somebody else asks for."
	case Operator:
		return "Runs environments and says which version serves where."
	case Auditor:
		return "Reads catalog and trail, opens sealed fields, exports evidence, raises and closes findings; changes no model."
	case Admin:
		return "Looks after people, keys, policy and settings, and can register for others; deploys and approves nothing."
	case Service:
		return "A program, known by a token: registers, records and reads; approves nothing and is granted no other role."
	}
	return ""
}

// ParseRole returns the role of that name, or an Invalid error that lists them.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "role %q is not known", name).
		WithHint("use one of %s", join(Roles(), ", "))
}

// join lists words in a sentence.
func join[T ~string](words []T, separator string) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, separator)
}
