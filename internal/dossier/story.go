package dossier

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// maxTold bounds the lines of a section that the page shows. The history has them all.
const maxTold = 200

// section is one question that the page answers, with the events that answer it.
type section struct {
	ID, Title, Intro, None string
	kinds                  []string // begin the short names of types of events

	Count int
	Lines []storyLine // the newest maxTold
}

// storyLine is a line with the files that its event names.
type storyLine struct {
	line
	Facts    []said // public fields that say why
	Evidence []tallystick.Digest
}

// story is what the page tells.
type story struct {
	sections   []*section
	checkpoint verify.Checkpoint
	size       uint64 // events in the package
}

func newStory() story {
	return story{sections: []*section{
		{
			ID: "risk", Title: "Risk assessment", kinds: []string{"model."},
			Intro: "What was said of the model, which tier follows from it, and why, over time.", None: "Nothing was said of the model in the period.",
		},
		{
			ID: "versions", Title: "Versions and data", kinds: []string{"version.registered", "version.marked", "artifact.uploaded", "artifact.fetched", "snapshot.", "lineage.", "dataset."},
			Intro: "What was registered, from which files and data.", None: "No version was registered.",
		},
		{
			ID: "validation", Title: "Validation", kinds: []string{"audit.", "evidence.", "criteria.", "data."},
			Intro: "Evaluations, audits, checks of data and the evidence that was attached. Reports and statements lie in the package under the digests given.", None: "Nothing was validated.",
		},
		{
			ID: "release", Title: "Releases, approvals and decisions", kinds: []string{"release.", "gate.", "assignment.", "deployment."},
			Intro: "Who asked, who reviewed, what the gate decided on which input, and what served where.", None: "No release was asked for.",
		},
		{ID: "waivers", Title: "Waivers", kinds: []string{"waiver."}, Intro: "Dated exceptions to a rule.", None: "No waiver was asked for."},
		{ID: "freezes", Title: "Freezes", kinds: []string{"freeze."}, Intro: "Times in which nothing might be released.", None: "There was no freeze."},
		{ID: "findings", Title: "Findings and incidents", kinds: []string{"finding.", "incident."}, Intro: "What was found to be wrong, and how it ended.", None: "There was no finding."},
		{
			ID: "access", Title: "Access and refusals", kinds: []string{"command.refused", "version.read", "trail.read", "package.", "bundle."},
			Intro: "Who read what is on record, who was refused, and what left the installation.", None: "Nobody read anything, and nobody was refused.",
		},
		{
			ID: "installation", Title: "Keys and witnesses", kinds: []string{"workspace.", "key.", "signer.", "witness"},
			Intro: "Whose signatures count, since when, and who watches the ledger.", None: "Nothing changed.",
		},
		{ID: "other", Title: "Everything else", kinds: []string{""}, Intro: "Other events about the model.", None: "There was nothing else."},
	}}
}

// factFields are the public fields that say why, and what they are called.
var factFields = []said{{"tier_reason", "because"}, {"tier_answers", "by the answers"}}

// add tells an event in its section.
func (s *story) add(e trail.Event, l line) {
	i := slices.IndexFunc(s.sections, func(sec *section) bool {
		return slices.ContainsFunc(sec.kinds, func(kind string) bool { return strings.HasPrefix(l.Type, kind) })
	})
	sec := s.sections[i]
	sec.Count++
	told := storyLine{line: l}
	data := e.Sealed()
	for _, f := range factFields {
		switch value := data[f.What].(type) {
		case string:
			told.Facts = append(told.Facts, said{f.Text, value})
		case []any:
			var words []string
			for _, item := range value {
				if text, ok := item.(string); ok {
					words = append(words, text)
				}
			}
			if len(words) > 0 {
				told.Facts = append(told.Facts, said{f.Text, strings.Join(words, ", ")})
			}
		}
	}
	for d := range evidenceOf(e) {
		told.Evidence = append(told.Evidence, d)
	}
	if len(sec.Lines) >= 2*maxTold {
		sec.Lines = append(sec.Lines[:0], sec.Lines[maxTold:]...)
	}
	sec.Lines = append(sec.Lines, told)
}

// Told returns the newest lines, in the order of the trail.
func (s *section) Told() []storyLine { return s.Lines[max(0, len(s.Lines)-maxTold):] }

// Untold returns how many lines before them only the history has.
func (s *section) Untold() int { return s.Count - len(s.Told()) }
