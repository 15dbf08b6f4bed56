package incident

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Runbook says what is to be done in incidents of a kind, and who decides.
type Runbook struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Checks      []string    `json:"checks,omitempty" doc:"checks of monitors, or objective; absent: any"`
	Models      []string    `json:"models,omitempty" doc:"absent: any"`
	Tiers       []string    `json:"tiers,omitempty" doc:"absent: any"`
	Authorities []Authority `json:"authorities" doc:"who decides what"`
	Notify      []Notice    `json:"notify,omitempty" doc:"who is told, and when"`
	Steps       []Todo      `json:"steps"`
	Text        string      `json:"text,omitempty" doc:"the rest, in Markdown"`
}

// Authority is who decides something.
type Authority struct {
	Decision string `json:"decision" doc:"what is decided, such as rollback"`
	Who      string `json:"who" doc:"who decides it"`
	Else     string `json:"else,omitempty" doc:"who does if they cannot be reached"`
}

// Notice is who is told, and when.
type Notice struct {
	After string `json:"after" doc:"how long after the incident was opened, such as 0m or 30m"`
	Who   string `json:"who"`
	By    string `json:"by,omitempty" doc:"on which way"`
}

// Todo is one step.
type Todo struct {
	Name     string `json:"name" doc:"what is to be done, in a few words"`
	Do       string `json:"do,omitempty" doc:"how"`
	Command  string `json:"command,omitempty" doc:"a command that does it, with INCIDENT, MODEL, VERSION, ENVIRONMENT and MONITOR in place of names"`
	Decision string `json:"decision,omitempty" doc:"what has to be decided first, one of the authorities"`
}

// RunbookRevision is a runbook on record.
type RunbookRevision struct {
	Name     string            `json:"name"`
	Document tallystick.Digest `json:"document_digest" doc:"of the runbook as it was written"`
	Removed  bool              `json:"removed,omitempty" doc:"it is given to no more incidents"`
	Supplied bool              `json:"supplied,omitempty" doc:"it came with the program, and nobody has applied another of the name"`
	Applied  time.Time         `json:"applied,omitzero"`
	Event    uint64            `json:"event,omitempty"`
}

//go:embed runbooks/*.md
var supplied embed.FS

// Supplied returns the runbooks that come with the program, by name: those that nobody has applied another for are in force.
func Supplied() (map[string][]byte, error) {
	all := map[string][]byte{}
	files, err := supplied.ReadDir("runbooks")
	for _, f := range files {
		data, errRead := supplied.ReadFile("runbooks/" + f.Name())
		err = errors.Join(err, errRead)
		all[strings.TrimSuffix(f.Name(), ".md")] = data
	}
	return all, err
}

// maxRunbooks bounds the runbooks of an installation.
const maxRunbooks = 1000

// PrepareRunbook reads and keeps a runbook, and returns the change that applies it.
func (o *Office) PrepareRunbook(ctx context.Context, name string, source []byte) (*RunbookApplied, error) {
	r, err := ParseRunbook(source, "runbook")
	if err != nil {
		return nil, err
	}
	if r.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the runbook is called %s, not %s", r.Name, name)
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &RunbookApplied{r.Name, digest}, err
}

// ApplyRunbook returns the change, nil if the runbook is so already.
func (o *Office) ApplyRunbook(tx *state.Tx, a *RunbookApplied) (trail.Change, error) {
	if is, err := kept.Is(tx, a.Runbook, a.Document); err != nil || is {
		return nil, err
	}
	return a, nil
}

// RemoveRunbook returns the change by which a runbook is given to no more incidents, nil if it is not now. One that came
// with the program is removed too: it is out of force then.
func (o *Office) RemoveRunbook(tx *state.Tx, name string) (trail.Change, error) {
	is, err := kept.At(tx, name, 0)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		all, errSupplied := Supplied()
		if errSupplied != nil {
			return nil, errSupplied
		}
		if all[name] != nil {
			return &RunbookRemoved{name}, nil
		}
	}
	if err != nil || is.Removed {
		return nil, err
	}
	return &RunbookRemoved{name}, nil
}

// kept are the runbooks on record.
var kept = revision.Kind{Noun: "runbook", Table: "runbook_revisions"}

// Runbooks returns the runbooks by name: those that were applied or removed, and those that came with the program.
func (o *Office) Runbooks(ctx context.Context) (all []RunbookRevision, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err := kept.List(tx, "", maxRunbooks)
		for _, r := range found {
			all = append(all, RunbookRevision{Name: r.Name, Document: r.Document, Removed: r.Removed, Applied: r.Applied, Event: r.Event})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list runbooks: %w", err)
	}
	came, err := Supplied()
	if err != nil {
		return nil, err
	}
	for name, data := range came {
		if !slices.ContainsFunc(all, func(r RunbookRevision) bool { return r.Name == name }) {
			all = append(all, RunbookRevision{Name: name, Document: tallystick.DigestOf(data), Supplied: true})
		}
	}
	slices.SortFunc(all, func(a, b RunbookRevision) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Runbook returns a runbook as it was written: that of a digest, or the one in force if the digest is empty.
func (o *Office) Runbook(ctx context.Context, name string, digest tallystick.Digest) (r RunbookRevision, source []byte, err error) {
	all, err := o.Runbooks(ctx)
	if err != nil {
		return r, nil, err
	}
	i := slices.IndexFunc(all, func(r RunbookRevision) bool { return r.Name == name })
	if i < 0 {
		return r, nil, tallystick.Errorf(tallystick.NotFound, "there is no runbook %.80q", name).WithHint("`tallystick runbook list` has those that there are")
	}
	r = all[i]
	if digest == "" {
		digest = r.Document
	}
	if r.Removed && digest == "" {
		return r, nil, nil
	}
	source, err = o.source(ctx, digest)
	return r, source, err
}

// source returns a runbook by its digest, whether it was applied or came with the program.
func (o *Office) source(ctx context.Context, digest tallystick.Digest) ([]byte, error) {
	came, err := Supplied()
	if err != nil {
		return nil, err
	}
	for _, data := range came {
		if tallystick.DigestOf(data) == digest {
			return data, nil
		}
	}
	data, err := o.config.Evidence.Get(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("runbook %s: %w", digest, err)
	}
	return data, nil
}

// choose returns the runbook in force that says most about an incident: one that names the check counts more than one that
// names the model, that more than one that names the tier. The digest is kept, so that what came with the program stays
// readable when the program is another.
func (o *Office) choose(ctx context.Context, model string, tier tallystick.Tier, checks []string) (best *Runbook, digest tallystick.Digest, err error) {
	all, err := o.Runbooks(ctx)
	if err != nil {
		return nil, "", err
	}
	most := -1
	var source []byte
	for _, is := range all {
		if is.Removed {
			continue
		}
		data, err := o.source(ctx, is.Document)
		if err != nil {
			return nil, "", err
		}
		r, err := ParseRunbook(data, is.Name)
		if err != nil {
			return nil, "", err
		}
		if n := r.fits(model, tier, checks); n > most {
			most, best, source = n, r, data
		}
	}
	if best == nil {
		return nil, "", nil
	}
	digest, err = o.config.Evidence.Put(ctx, source)
	return best, digest, err
}

// fits says how much a runbook says about an incident, -1 if it is not for such.
func (r *Runbook) fits(model string, tier tallystick.Tier, checks []string) (n int) {
	for _, must := range []struct {
		of     []string
		is     []string
		weight int
	}{{r.Checks, checks, 4}, {r.Models, []string{model}, 2}, {r.Tiers, []string{string(tier)}, 1}} {
		switch {
		case len(must.of) == 0:
		case slices.ContainsFunc(must.is, func(is string) bool { return slices.Contains(must.of, is) }):
			n += must.weight
		default:
			return -1
		}
	}
	return n
}

// RunbookApplied says what is done in incidents of a kind.
type RunbookApplied struct {
	Runbook  string            `json:"runbook"`
	Document tallystick.Digest `json:"document_digest"`
}

// Subject implements trail.Change.
func (a *RunbookApplied) Subject() (trail.Type, trail.Resource) {
	return trail.RunbookApplied, trail.Resource{Type: "runbook", ID: a.Runbook}
}

// Apply implements trail.Change.
func (a *RunbookApplied) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: a.Runbook, Document: a.Document})
}

// RunbookRemoved says that a runbook is given to no more incidents.
type RunbookRemoved struct {
	Runbook string `json:"runbook"`
}

// Subject implements trail.Change.
func (r *RunbookRemoved) Subject() (trail.Type, trail.Resource) {
	return trail.RunbookRemoved, trail.Resource{Type: "runbook", ID: r.Runbook}
}

// Apply implements trail.Change.
func (r *RunbookRemoved) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: r.Runbook, Removed: true})
}
