package obligation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Gap is one type of evidence that models lack and one person or role owes.
type Gap struct {
	Type     string    `json:"type" doc:"type of the evidence, such as eval.report"`
	Noun     string    `json:"noun" doc:"the type in words"`
	Owes     Role      `json:"owes" doc:"who owes it: a role"`
	Name     string    `json:"owes_name,omitempty" doc:"whoever has that role, if anybody is named"`
	Models   int       `json:"models" doc:"how many models lack it"`
	Stale    int       `json:"stale" doc:"of how many of them there is one that counts no longer"`
	Controls []string  `json:"controls" doc:"that ask for it, as framework/reference"`
	Since    time.Time `json:"since" doc:"for how long one of them lacks it"`
	Longest  []string  `json:"longest" doc:"those that lack it for longest, at most 5"`
	Command  string    `json:"command" doc:"the command that puts it on record for the first of them"`
}

// GapReport says which evidence is lacking over all models in use.
type GapReport struct {
	At         time.Time       `json:"at" doc:"when it was counted"`
	Catalogue  Edition         `json:"catalogue"`
	Framework  string          `json:"framework,omitempty" doc:"the only one that counts; absent: all"`
	Title      string          `json:"framework_title,omitempty"`
	Tier       tallystick.Tier `json:"tier,omitempty"`
	Ahead      bool            `json:"ahead,omitempty" doc:"controls that are not in force yet count as if they were"`
	Owner      string          `json:"owner,omitempty" doc:"only what this person or role owes"`
	Words      string          `json:"words" doc:"all of it in a sentence"`
	Models     int             `json:"models" doc:"how many models were looked at"`
	Complete   int             `json:"complete" doc:"how many of them lack nothing"`
	More       bool            `json:"more,omitempty" doc:"there are more models than were looked at"`
	Total      int             `json:"total" doc:"how many gaps there are, on all pages"`
	Gaps       []Gap           `json:"items" doc:"the oldest first"`
	Next       string          `json:"next,omitempty" doc:"after of the next page"`
	Frameworks []FrameworkName `json:"frameworks" doc:"by which can be chosen"`
}

// FrameworkName is the name of a framework.
type FrameworkName struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// GapQuery chooses gaps.
type GapQuery struct {
	Framework string          // id or alias; empty: all
	Tier      tallystick.Tier // of the models; empty: any
	Owner     string          // a person or a role; empty: any
	Ahead     bool            // count controls that are not in force yet as if they were
	After     string          // next of the page before
	Limit     int             // 0 means 100; at most 1,000
}

const (
	maxGaps  = 1000
	longest  = 5
	restWork = 20 // a count stands for that many times as long as it took, so that counting takes a twentieth of one core
	brisk    = 100 * time.Millisecond
)

// counted is a count of all gaps.
type counted struct {
	report GapReport
	took   time.Duration
	newest uint64 // event
}

// Gaps says which evidence is lacking in how many models in use, each with its latest version. Of an
// installation so large that counting takes long, the answer can be a little old: At says when it was
// counted. What is lacking follows the rules of Obligations, but evidence of other versions counts as none.
func (o *Office) Gaps(ctx context.Context, q GapQuery) (GapReport, error) {
	c, err := o.catalogue()
	if err != nil {
		return GapReport{}, err
	}
	of := c.Frameworks
	if q.Framework != "" {
		f, err := c.Framework(q.Framework)
		if err != nil {
			return GapReport{}, err
		}
		of, q.Framework = []Framework{*f}, f.ID
	}
	if q.Tier != "" {
		if _, err := tallystick.ParseTier(string(q.Tier)); err != nil {
			return GapReport{}, err
		}
	}
	r, err := o.count(ctx, c, of, GapQuery{Framework: q.Framework, Tier: q.Tier, Ahead: q.Ahead})
	if err != nil {
		return GapReport{}, fmt.Errorf("gaps: %w", err)
	}
	return r.cut(q)
}

// cut returns what is asked for.
func (r GapReport) cut(q GapQuery) (GapReport, error) {
	if q.Owner != "" {
		r.Owner = q.Owner
		r.Gaps = slices.DeleteFunc(slices.Clone(r.Gaps), func(g Gap) bool { return g.Name != q.Owner && string(g.Owes) != q.Owner })
	}
	r.Total = len(r.Gaps)
	r.Words = r.sentence()
	from := 0
	if q.After != "" {
		n, err := strconv.Atoi(q.After)
		if err != nil || n < 0 {
			return GapReport{}, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the number of a gap", q.After)
		}
		from = min(n, len(r.Gaps))
	}
	limit := 100
	if q.Limit > 0 {
		limit = min(q.Limit, maxGaps)
	}
	end := min(from+limit, len(r.Gaps))
	if end < len(r.Gaps) {
		r.Next = strconv.Itoa(end)
	}
	r.Gaps = append([]Gap{}, r.Gaps[from:end]...) // a list, even of none
	return r, nil
}

func (r GapReport) sentence() string {
	over := plural(r.Models, "model", "models") + " in use"
	if r.Tier != "" {
		over += " of tier " + string(r.Tier)
	}
	by := ""
	if r.Title != "" {
		by = " by " + r.Title
	}
	if r.Owner != "" {
		by += ", owed by " + r.Owner
	}
	if r.Total == 0 {
		return "nothing is lacking in " + over + by
	}
	verb := "are"
	if r.Total == 1 {
		verb = "is"
	}
	rest := "every model lacks something"
	if r.Complete > 0 {
		rest = plural(r.Complete, "model lacks", "models lack") + " nothing"
	}
	return fmt.Sprintf("%s %s open over %s%s; %s", plural(r.Total, "gap", "gaps"), verb, over, by, rest)
}

// count counts all gaps, or returns a count that is new enough.
func (o *Office) count(ctx context.Context, c *Catalogue, of []Framework, q GapQuery) (GapReport, error) {
	o.counting.Lock()
	defer o.counting.Unlock()
	newest, err := o.config.Trail.Newest(ctx)
	if err != nil {
		return GapReport{}, err
	}
	started := time.Now()
	if last, known := o.counted[q]; known {
		age := started.Sub(last.report.At)
		if fresh := age < time.Hour; fresh && last.newest == newest || last.took > brisk && age < restWork*last.took {
			return last.report, nil
		}
	}
	if err := o.config.Trail.CatchUp(ctx); err != nil {
		return GapReport{}, err
	}
	all, more, now, err := o.estate(ctx, q.Tier)
	if err != nil {
		return GapReport{}, err
	}
	r := gapsOf(newBench(c, now), all, of, q.Ahead)
	r.Catalogue, r.Framework, r.Tier, r.Ahead, r.More = Edition{c.Version, c.AsOf.String()}, q.Framework, q.Tier, q.Ahead, more
	if q.Framework != "" {
		r.Title = of[0].Title
	}
	for _, f := range c.Frameworks {
		r.Frameworks = append(r.Frameworks, FrameworkName{f.ID, f.Title})
	}
	o.counted[q] = counted{r, time.Since(started), newest}
	return r, nil
}

// asking is a control that asks for a type of evidence.
type asking struct {
	control *Control
	name    string // framework/reference
}

// gapsOf counts what the subjects lack.
func gapsOf(b *bench, all []*subject, of []Framework, ahead bool) GapReport {
	b.brief = true
	asked := map[string][]asking{}
	for i := range of {
		for j := range of[i].Controls {
			c := &of[i].Controls[j]
			if c.Level == Nothing || b.now.Before(c.From.Time) && !ahead {
				continue
			}
			for _, id := range c.Evidence {
				asked[id] = append(asked[id], asking{c, of[i].ID + "/" + c.Ref})
			}
		}
	}
	r := GapReport{At: b.now, Models: len(all)}
	found := tallyGaps{}
	ids := slices.Sorted(maps.Keys(asked))
	for _, s := range all {
		whole := true
		for _, id := range ids {
			if found.look(b, s, id, asked[id], ahead) {
				whole = false
			}
		}
		if whole {
			r.Complete++
		}
	}
	for key, g := range found {
		r.Gaps = append(r.Gaps, g.gap(b, key))
	}
	slices.SortFunc(r.Gaps, func(a, b Gap) int {
		return cmp.Or(a.Since.Compare(b.Since), -cmp.Compare(a.Models, b.Models), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Owes, b.Owes))
	})
	return r
}

// gapKey is what is lacking, and who owes it.
type gapKey struct {
	id   string
	owes Role
	name string
}

// lack is one model that lacks something.
type lack struct {
	subject *subject
	since   time.Time
}

type tallyGap struct {
	models, stale int
	controls      map[string]bool
	longest       []lack // the longest first
}

type tallyGaps map[gapKey]*tallyGap

// look adds a subject if it lacks evidence of a type, for any of the controls that ask for it.
func (t tallyGaps) look(b *bench, s *subject, id string, asked []asking, ahead bool) bool {
	p := b.judge(id, s)
	if p.State == NotApplicable {
		return false
	}
	var g *tallyGap
	worst, since := Present, time.Time{}
	for _, a := range asked {
		if p.State == Present && a.control.maxAge == 0 {
			continue
		}
		under := b.under(p, a.control, s, ahead, s.unconcerned(a.control.Needs))
		if !under.lacking() {
			continue
		}
		if g == nil {
			key := gapKey{id, p.Owes, p.Name}
			if g = t[key]; g == nil {
				g = &tallyGap{controls: map[string]bool{}}
				t[key] = g
			}
		}
		g.controls[a.name] = true
		worst = graver(worst, under.State)
		if since.IsZero() || under.since.Before(since) {
			since = under.since
		}
	}
	if g == nil {
		return false
	}
	g.models++
	if worst == Stale {
		g.stale++
	}
	if i := slices.IndexFunc(g.longest, func(l lack) bool { return since.Before(l.since) }); i >= 0 {
		g.longest = slices.Insert(g.longest, i, lack{s, since})
	} else if len(g.longest) < longest {
		g.longest = append(g.longest, lack{s, since})
	}
	g.longest = g.longest[:min(longest, len(g.longest))]
	return true
}

func (t *tallyGap) gap(b *bench, key gapKey) Gap {
	k, first := b.kinds[key.id], t.longest[0]
	g := Gap{
		Type: key.id, Noun: k.noun, Owes: key.owes, Name: key.name, Models: t.models, Stale: t.stale, Controls: slices.Sorted(maps.Keys(t.controls)), Since: first.since,
		Command: k.commandFor(first.subject.model, first.subject.version.Version),
	}
	for _, l := range t.longest {
		g.Longest = append(g.Longest, l.subject.model.Name)
	}
	return g
}

// Owed says who owes the evidence, in words.
func (g Gap) Owed() string { return Piece{Owes: g.Owes, Name: g.Name}.owing() }

// Asked says which frameworks ask for the evidence by how many controls each, in words.
func (g Gap) Asked() string {
	counts := map[string]int{}
	for _, name := range g.Controls {
		framework, _, _ := strings.Cut(name, "/")
		counts[framework]++
	}
	var words []string
	for _, framework := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", framework, counts[framework]))
	}
	return strings.Join(words, ", ")
}
