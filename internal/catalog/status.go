package catalog

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// ItemState says how far something that is owed is there.
type ItemState string

// The states of what is owed. What is stale was there and counts no longer; what is of another digest is
// about other files than the version's. What is claimed nobody has signed whose signature counts for it;
// what is revoked somebody signed whose key counts no more.
const (
	Present     ItemState = "present"
	Missing     ItemState = "missing"
	Stale       ItemState = "stale"
	OtherDigest ItemState = "other_digest"
	Claimed     ItemState = "claimed"
	Revoked     ItemState = "revoked"
)

// Proof says whether evidence of the version is what it claims to be: Present, OtherDigest, Claimed or Revoked,
// and the evidence with what its signer says in place of what was said when it was attached.
type Proof func(e Evidence, v Version) (Evidence, ItemState)

// Item is one thing that a model owes.
type Item struct {
	Owed
	State    ItemState `json:"state" enum:"present,missing,stale,other_digest,claimed,revoked"`
	Words    string    `json:"words" doc:"the state in words"`
	Lacks    []string  `json:"lacks,omitempty" doc:"fields that are missing"`
	Until    time.Time `json:"until,omitzero" doc:"until when it counts; since when it is stale"`
	Evidence *Evidence `json:"evidence,omitempty" doc:"the newest that there is"`
	Command  string    `json:"command" doc:"the command that produces it"`

	flags []string // of the command, for what is lacking
}

// Status is what a model owes and what of it is there.
type Status struct {
	Model   Model     `json:"model"`
	Version string    `json:"version,omitempty" doc:"the version asked for, or the latest; absent if there is none"`
	At      time.Time `json:"at"`
	Items   []Item    `json:"items"`
	Missing int       `json:"missing" doc:"how many are missing"`
	Stale   int       `json:"stale" doc:"how many are there and do not count: stale, of another digest, claimed or revoked"`
	Words   string    `json:"words" doc:"all of it in a sentence"`
}

// Complete reports whether all that is owed is there.
func (s Status) Complete() bool { return s.Missing+s.Stale == 0 }

// StatusIn says what the model owes at its tier and what of it is there for the version: the latest one if
// version is empty. It lets only evidence count that is proven. Whether the evidence is good is for the gate
// to say; an item that is present can have a verdict that fails.
func (c *Catalog) StatusIn(tx *state.Tx, name, version string, prove Proof) (Status, error) {
	r, err := recordOf(tx, name, version)
	if err != nil {
		return Status{}, err
	}
	return r.Status(tx.Now(), prove), nil
}

// Record is what the status of a model and a version of it follows from, as a transaction saw it: but for the time, and
// for who counts as a signer.
type Record struct {
	Model   Model
	Version Version // the zero Version if there is none
	on      shelf
}

// RecordIn returns the record of a model and its version, the latest one if version is empty.
func (c *Catalog) RecordIn(tx *state.Tx, name, version string) (Record, error) {
	return recordOf(tx, name, version)
}

// Evidence returns how many pieces of evidence the record holds.
func (r Record) Evidence() int { return len(r.on) }

// Status does what StatusIn does.
func (r Record) Status(now time.Time, prove Proof) Status {
	return statusOf(r.Model, r.Version, r.on, now, prove)
}

func recordOf(tx *state.Tx, name, version string) (r Record, err error) {
	if r.Model, err = model(tx, name); err != nil {
		return Record{}, err
	}
	if version == "" {
		version = r.Model.LatestVersion
	}
	if version != "" {
		if r.Version, err = findVersion(tx, name, version); err != nil {
			return Record{}, err
		}
	}
	on, err := shelves(tx, []Model{r.Model}, []string{version})
	if err != nil {
		return Record{}, fmt.Errorf("evidence of %s: %w", nameOf(name, version), err)
	}
	r.on = on[name]
	return r, nil
}

// statusOf says what m owes and what of it is there for its version v, which is the zero Version if there
// is none.
func statusOf(m Model, v Version, on shelf, now time.Time, prove Proof) Status {
	s := Status{Model: m, Version: v.Version, At: now}
	all := standing{model: m, version: v, lacks: MissingMetadata(m, v.VersionDetails), on: on, now: now, prove: prove}
	for _, o := range OwedEvidence() {
		if !o.by(m) {
			continue
		}
		item := all.judge(o)
		item.tell(m, v)
		switch item.State {
		case Missing:
			s.Missing++
		case Stale, OtherDigest, Claimed, Revoked:
			s.Stale++
		}
		s.Items = append(s.Items, item)
	}
	s.Words = s.sentence()
	return s
}

func (s Status) sentence() string {
	name := nameOf(s.Model.Name, s.Version)
	switch {
	case s.Model.State == Retired:
		return fmt.Sprintf("%s is retired and owes nothing", s.Model.Name)
	case s.Model.State == Experimental:
		return fmt.Sprintf("%s is an experiment and owes nothing; it may serve nowhere that is gated", s.Model.Name)
	case s.Complete():
		return fmt.Sprintf("%s (tier %s) has all %d things that it owes", name, s.Model.Tier, len(s.Items))
	}
	return fmt.Sprintf("%s (tier %s) owes %d things: %d are there, %d missing, %d do not count",
		name, s.Model.Tier, len(s.Items), len(s.Items)-s.Missing-s.Stale, s.Missing, s.Stale)
}

// standing is what items are judged by. Of the version only names and digests count.
type standing struct {
	model   Model
	version Version
	lacks   []Requirement // of its metadata
	on      shelf
	now     time.Time
	prove   Proof
}

// judge returns the item of something that the model owes, with all but the words and the command.
func (s standing) judge(o Owed) Item {
	i := Item{Owed: o}
	if o.Kind == "" {
		i.said(s.model, s.lacks)
	} else {
		i.find(s.on, s.model, s.version, s.now, s.prove)
	}
	return i
}

// said judges an item that is owed by what is said of model and version.
func (i *Item) said(m Model, lacks []Requirement) {
	need := func(given bool, field, flag string) {
		if !given {
			i.Lacks, i.flags = append(i.Lacks, field), append(i.flags, flag)
		}
	}
	switch i.ID {
	case owedPurpose:
		need(m.Purpose != "", "intended_purpose", "--purpose TEXT")
		need(m.AcceptableUse != "", "acceptable_use", "--acceptable-use TEXT")
	case owedAnswers:
		for _, id := range m.Answers.Missing() {
			need(false, id, "--answer "+id+"="+strings.Join(optionsOf(id), "|"))
		}
	case owedSRE:
		need(m.SREOwner != "", "sre_owner", "--sre-owner NAME")
	case owedMetadata:
		for _, r := range lacks {
			need(false, r.Field, r.Flag)
		}
	}
	i.State = Present
	if len(i.Lacks) > 0 {
		i.State = Missing
	}
}

// tell adds the words and the command to what was judged.
func (i *Item) tell(m Model, v Version) {
	i.Command = i.commandFor(m, v.Version)
	if i.Kind != "" {
		i.tellEvidence()
		return
	}
	switch i.ID {
	case owedPurpose:
		if len(i.flags) > 0 {
			i.Command = "tallystick model update " + m.Name + " " + strings.Join(i.flags, " ")
		}
	case owedAnswers, owedMetadata:
		i.Command += " " + strings.Join(i.flags, " ")
	}
	i.Command = strings.TrimSpace(i.Command)
	switch len(i.Lacks) {
	case 0:
		i.Words = "it is on record"
	case 1:
		i.Words = i.Lacks[0] + " is missing"
	default:
		i.Words = strings.Join(i.Lacks, ", ") + " are missing"
	}
}

func optionsOf(question string) (ids []string) {
	for _, q := range Questions() {
		for _, o := range q.Options {
			if q.ID == question {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}

// find judges an item that is owed by evidence.
func (i *Item) find(on shelf, m Model, v Version, now time.Time, prove Proof) {
	i.Evidence, i.State = i.newest(on, v, prove)
	if i.State != Present {
		return
	}
	found := i.Evidence
	if term, _ := i.Term(m.Tier); term > 0 {
		i.Until = moment(found.ProducedMS).Add(term)
	}
	if until := moment(found.UntilMS); !until.IsZero() && (i.Until.IsZero() || until.Before(i.Until)) {
		i.Until = until
	}
	if !i.Until.IsZero() && !now.Before(i.Until) {
		i.State = Stale
	}
}

func (i *Item) tellEvidence() {
	switch i.State {
	case Missing:
		i.Words = "there is none"
		return
	case OtherDigest:
		i.Words = fmt.Sprintf("there is one of %s, which is about %s and not about this version's files",
			moment(i.Evidence.ProducedMS).Format(time.DateOnly), i.Evidence.Subject.Short())
		return
	case Claimed:
		i.Words = "claimed, not verified: nobody has signed it"
		if i.Evidence.Signer != "" {
			i.Words = fmt.Sprintf("claimed, not verified: the key %.12s is not registered for it", i.Evidence.Signer)
			i.Command = "tallystick signer add NAME FILE"
		}
		return
	case Revoked:
		i.Words = fmt.Sprintf("the key %.12s, which signed it, counts no more", i.Evidence.Signer)
		return
	}
	i.Words = "of " + moment(i.Evidence.ProducedMS).Format(time.DateOnly)
	if i.Evidence.Verdict != "" {
		i.Words += ", verdict " + string(i.Evidence.Verdict)
	}
	switch {
	case i.Until.IsZero():
	case i.State == Stale:
		i.Words += ", stale since " + i.Until.Format(time.DateOnly)
	default:
		i.Words += ", counts until " + i.Until.Format(time.DateOnly)
	}
}

// newest returns the newest evidence for the item that is proven, and else the newest claim, and else the newest
// that is about something else; nil and Missing if there is none. A claim can shut the gate and never open it: one that says
// no comes before older evidence that is proven.
func (i *Item) newest(on shelf, v Version, prove Proof) (*Evidence, ItemState) {
	var claim, other *Evidence
	var standing ItemState
	for _, e := range on.newestFirst(func(e *Evidence) bool {
		return i.counts(e) && (e.Version == v.Version || i.scope == ofModel && e.Version == "")
	}) {
		proven, state := prove(*e, v)
		switch {
		case state == OtherDigest || v.Digest != "" && !proven.isAbout(v):
			other = cmp.Or(other, &proven)
		case state == Present && (claim == nil || !claim.saysNo()):
			return &proven, Present
		case claim == nil:
			claim, standing = &proven, state
		}
	}
	switch {
	case claim != nil:
		return claim, standing
	case other != nil:
		return other, OtherDigest
	}
	return nil, Missing
}

func (e *Evidence) saysNo() bool {
	return e.Verdict != "" && e.Verdict != tallystick.Pass && e.Verdict != tallystick.Warn
}

// counts reports whether the evidence is of the kind that is owed.
func (i *Item) counts(e *Evidence) bool {
	return e.Kind == i.Kind && (i.Name == "" || e.Name == i.Name)
}

func (e *Evidence) isAbout(v Version) bool {
	return e.Subject == "" || e.Subject == v.Digest || e.Subject == v.Root
}
