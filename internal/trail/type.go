package trail

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Type names a kind of event, as it stands in the CloudEvents attribute "type".
type Type string

const (
	typePrefix = "io.github.tallystick."
	typeSuffix = ".v1"
)

// The types of events. A type that has been released keeps its name and its public fields; what
// replaces it gets another version.
const (
	WorkspaceCreated  Type = typePrefix + "workspace.created" + typeSuffix
	WorkspaceRestored Type = typePrefix + "workspace.restored" + typeSuffix
	KeyCreated        Type = typePrefix + "key.created" + typeSuffix
	KeyRotated        Type = typePrefix + "key.rotated" + typeSuffix
	KeyCompromised    Type = typePrefix + "key.compromised" + typeSuffix
	BundleExported    Type = typePrefix + "bundle.exported" + typeSuffix
	BackupCreated     Type = typePrefix + "backup.created" + typeSuffix
)

// ParseType returns the type of the given name, which may be the short one ("audit.completed"), or
// an Invalid error that names those it may have meant.
func ParseType(name string) (Type, error) {
	var known, near, families []string
	for _, d := range Definitions() {
		short := d.Type.Short()
		if name == string(d.Type) || name == short {
			return d.Type, nil
		}
		known = append(known, short)
		if name != "" && strings.Contains(short, name) {
			near = append(near, short)
		}
		if family, _, _ := strings.Cut(short, "."); !slices.Contains(families, family) {
			families = append(families, family)
		}
	}
	err := tallystick.Errorf(tallystick.Invalid, "event type %q is not known", name)
	if nearest := tallystick.Nearest(name, known); nearest != "" && len(near) == 0 {
		near = append(near, nearest)
	}
	if len(near) > 0 {
		return "", err.WithHint("did you mean %s?", strings.Join(near, ", "))
	}
	return "", err.WithHint("types begin with %s", strings.Join(families, ", "))
}

// Short returns the name without what all types have in common: "audit.completed".
func (t Type) Short() string {
	return strings.TrimSuffix(strings.TrimPrefix(string(t), typePrefix), typeSuffix)
}

// Definition says what events of a type hold, besides the fields that all events have.
type Definition struct {
	Type        Type
	Title       string
	Description string
	Action      string // what the actor did, whatever its outcome
	Fields      []Field
}

// Field is one member of an event's data. A public field stands in the leaf for everyone to read;
// for any other the leaf holds a commitment.
type Field struct {
	Name        string
	Kind        Kind
	Public      bool
	Required    bool // unless the outcome is failed or denied, or the event is an intent
	Description string
}

// Kind is the JSON type of a field, as far as it is checked.
type Kind string

// The kinds of fields.
const (
	Text    Kind = "text"
	Digest  Kind = "digest"  // sha256:<hex>
	Digests Kind = "digests" // an array of them
	Number  Kind = "number"
	Flag    Kind = "flag"    // true or false
	List    Kind = "list"    // an array of texts
	Object  Kind = "object"  // whatever the package that records it puts there; sealed, its member names stay readable
	Objects Kind = "objects" // an array of objects; sealed as a whole
)

// The fields that every event has. Absent ones are null, sealed like a value, so that a leaf does
// not tell whether somebody gave a purpose.
var commonFields = []Field{
	{Name: "action", Kind: Text, Public: true, Required: true, Description: "what the actor did"},
	{Name: "actor", Kind: Object, Required: true, Description: "who did it: kind (public) and id"},
	{Name: "context", Kind: Object, Description: "circumstances, such as the program's version"},
	{Name: "description", Kind: Text, Description: "what happened, in a sentence"},
	{Name: "outcome", Kind: Text, Public: true, Description: "success, denied or failed; absent in an intent"},
	{Name: "purpose", Kind: Text, Description: "what for, as the actor gave it"},
	{Name: "resource", Kind: Object, Public: true, Required: true, Description: "what it was done to: type and id"},
	{Name: "intent", Kind: Text, Public: true, Description: "id of the event of the intent that this outcome ends"},
	{Name: "phase", Kind: Text, Public: true, Description: "intent or outcome; absent in an event that is no part of such a pair"},
}

// Definitions returns every type of event, in the order of a model's life.
func Definitions() []Definition {
	return slices.Concat(workspaceDefinitions(), accessDefinitions(), catalogDefinitions(), estateDefinitions(), findingDefinitions(), lineageDefinitions(), releaseDefinitions(), policyDefinitions(),
		registryDefinitions(), artifactDefinitions(), exportDefinitions(), packageDefinitions(), notifyDefinitions(), witnessDefinitions(), predictionDefinitions(), archiveDefinitions(), labelDefinitions(), caseDefinitions(), bodyDefinitions(), holdDefinitions(), monitorDefinitions(), comparisonDefinitions(), objectiveDefinitions(), incidentDefinitions(), alertDefinitions(), reactionDefinitions())
}

func workspaceDefinitions() []Definition {
	return []Definition{
		{
			Type: WorkspaceCreated, Title: "Workspace created", Action: "workspace.create",
			Description: "A workspace and its ledger were created.",
			Fields: []Field{
				public("origin", Text, "origin of the ledger"),
				optional("keys", List, "ids of the keys that the workspace began with").inTheOpen(),
				optional("path", Text, "where the workspace lies"),
			},
		},
		{
			Type: WorkspaceRestored, Title: "Workspace restored", Action: "workspace.restore",
			Description: "A workspace was restored from a backup and continues under a new origin.",
			Fields: []Field{
				public("origin", Text, "origin of the new ledger"),
				public("previous_origin", Text, "origin of the ledger in the backup"),
				public("previous_checkpoint", Digest, "digest of the last checkpoint in the backup"),
				optional("backup_digest", Digest, "digest of the backup").inTheOpen(),
				optional("path", Text, "where the backup lay"),
			},
		},
		{
			Type: KeyCreated, Title: "Key created", Action: "key.create",
			Description: "A signing key was created.",
			Fields: []Field{
				public("key", Text, "id of the key"),
				public("role", Text, "what it signs: log or statement"),
				public("algorithm", Text, "signature algorithm"),
				public("public_key", Text, "the public key, as in trust.json"),
			},
		},
		{
			Type: KeyRotated, Title: "Key rotated", Action: "key.rotate",
			Description: "A key was replaced by another; both have signed the change.",
			Fields: []Field{
				public("key", Text, "id of the new key"),
				public("replaces", Text, "id of the old key"),
				public("role", Text, "what it signs: log or statement"),
				public("algorithm", Text, "signature algorithm of the new key"),
				public("public_key", Text, "the new public key, as in trust.json"),
				public("from_index", Number, "ledger index from which the new key counts"),
				optional("rotation_digest", Digest, "digest of what both keys signed").inTheOpen(),
			},
		},
		{
			Type: KeyCompromised, Title: "Key compromised", Action: "key.compromise",
			Description: "A key was declared compromised; what it signed from an index on no longer counts.",
			Fields: []Field{
				public("key", Text, "id of the key"),
				public("role", Text, "what it signed: log or statement"),
				public("from_index", Number, "ledger index from which the key no longer counts"),
				optional("reason", Text, "what is known of how it happened"),
			},
		},
	}
}

func exportDefinitions() []Definition {
	return []Definition{
		{
			Type: BundleExported, Title: "Bundle exported", Action: "bundle.export",
			Description: "Evidence left the workspace in a bundle.",
			Fields: []Field{
				public("bundle_digest", Digest, "digest of the bundle"),
				optional("events", Number, "events in the bundle").inTheOpen(),
				optional("disclosed", Number, "sealed fields that the exporter opened").inTheOpen(),
				optional("recipient", Text, "whom it was for"),
				optional("path", Text, "where it was written"),
			},
		},
		{
			Type: BackupCreated, Title: "Backup created", Action: "backup.create",
			Description: "A backup of the workspace was written.",
			Fields: []Field{
				public("backup_digest", Digest, "digest of the backup"),
				public("size", Number, "ledger size that it covers"),
				optional("path", Text, "where it was written"),
			},
		},
	}
}

func public(name string, kind Kind, description string) Field {
	return Field{Name: name, Kind: kind, Public: true, Required: true, Description: description}
}

func optional(name string, kind Kind, description string) Field {
	return Field{Name: name, Kind: kind, Description: description}
}

func (f Field) inTheOpen() Field {
	f.Public = true
	return f
}

// PublicPointers returns the JSON pointers, within the event's data, of what stands in the leaf in
// the clear.
func (d Definition) PublicPointers() []string {
	pointers := []string{"/actor/kind"}
	for _, f := range slices.Concat(commonFields, d.Fields) {
		if f.Public {
			pointers = append(pointers, "/"+f.Name)
		}
	}
	slices.Sort(pointers)
	return pointers
}

// SealedPointers returns the JSON pointers, within the event's data, of what the leaf holds only a
// commitment to.
func (d Definition) SealedPointers() []string {
	pointers := []string{"/actor/id"}
	for _, f := range slices.Concat(commonFields, d.Fields) {
		if !f.Public && f.Name != "actor" {
			pointers = append(pointers, "/"+f.Name)
		}
	}
	slices.Sort(pointers)
	return pointers
}
