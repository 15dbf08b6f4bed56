package obligation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
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
	maxGaps = 1000
	longest = 5
)

// Gaps says which evidence is lacking in how many models in use, each with its latest version. Of a
// large installation the answer can be a little old, if Run runs: At says of when it is. What is lacking
// follows the rules of Obligations, but evidence of other versions counts as none.
func (o *Office) Gaps(ctx context.Context, q GapQuery) (GapReport, error) {
	c, err := o.catalogue()
	if err != nil {
		return GapReport{}, err
	}
	r := GapReport{Catalogue: Edition{c.Version, c.AsOf.String()}, Tier: q.Tier, Ahead: q.Ahead, Owner: q.Owner, Gaps: []Gap{}}
	of := c.Frameworks
	if q.Framework != "" {
		f, err := c.Framework(q.Framework)
		if err != nil {
			return GapReport{}, err
		}
		of, r.Framework, r.Title = []Framework{*f}, f.ID, f.Title
	}
	if q.Tier != "" {
		if _, err := tallystick.ParseTier(string(q.Tier)); err != nil {
			return GapReport{}, err
		}
	}
	from, err := q.from()
	if err != nil {
		return GapReport{}, err
	}
	for _, f := range c.Frameworks {
		r.Frameworks = append(r.Frameworks, FrameworkName{f.ID, f.Title})
	}
	s, err := o.standing(ctx)
	if err != nil {
		return GapReport{}, fmt.Errorf("gaps: %w", err)
	}
	r.At, r.More = s.at, s.more
	o.ranking.Lock()
	found := s.rank(ranking{r.Framework, q.Tier, q.Ahead}, of)
	o.ranking.Unlock()
	r.Models, r.Complete = found.models, found.complete
	r.cut(found.tallies, from, q)
	return r, nil
}

// from returns where the page begins.
func (q GapQuery) from() (int, error) {
	if q.After == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(q.After)
	if err != nil || n < 0 {
		return 0, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the number of a gap", q.After)
	}
	return n, nil
}

// cut writes out one page of the gaps.
func (r *GapReport) cut(all []*tally, from int, q GapQuery) {
	if q.Owner != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(t *tally) bool { return t.owes.name != q.Owner && string(t.owes.owes) != q.Owner })
	}
	r.Total = len(all)
	r.Words = r.sentence()
	limit := 100
	if q.Limit > 0 {
		limit = min(q.Limit, maxGaps)
	}
	from = min(from, len(all))
	end := from + min(limit, len(all)-from)
	if end < len(all) {
		r.Next = strconv.Itoa(end)
	}
	known := map[string]kind{}
	for _, k := range kinds() {
		known[k.id] = k
	}
	for _, t := range all[from:end] {
		r.Gaps = append(r.Gaps, t.gap(known[t.id]))
	}
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

// ranking is what gaps are chosen and ordered by.
type ranking struct {
	framework string
	tier      tallystick.Tier
	ahead     bool
}

// ranked are the gaps over some models, the oldest first.
type ranked struct {
	models, complete int
	tallies          []*tally
}

// tally is one type of evidence that models lack and one party owes.
type tally struct {
	id            string
	owes          party
	models, stale int
	demands       []demand
	of            []bool // which of them
	longest       []lack // the longest first
}

// lack is one model that lacks something.
type lack struct {
	model *surveyed
	since int64
}

// rank counts the gaps, or returns what was counted.
func (s *survey) rank(by ranking, of []Framework) ranked {
	if known, there := s.ranked[by]; there {
		return known
	}
	asked := demands(of, s.at, by.ahead)
	open := make([]map[uint32]*tally, len(s.types))
	for i := range open {
		open[i] = map[uint32]*tally{}
	}
	var r ranked
	for i := range s.models {
		m := &s.models[i]
		if by.tier != "" && m.tier != by.tier {
			continue
		}
		r.models++
		whole := true
		for j, id := range s.types {
			if demands := asked[id]; len(demands) > 0 && m.lacks(j, id, demands, s, open[j]) {
				whole = false
			}
		}
		if whole {
			r.complete++
		}
	}
	for _, tallies := range open {
		for _, t := range tallies {
			r.tallies = append(r.tallies, t)
		}
	}
	slices.SortFunc(r.tallies, func(a, b *tally) int {
		return cmp.Or(cmp.Compare(a.longest[0].since, b.longest[0].since), -cmp.Compare(a.models, b.models), cmp.Compare(a.id, b.id),
			cmp.Compare(a.owes.name, b.owes.name), cmp.Compare(a.owes.owes, b.owes.owes))
	})
	if s.kept += len(r.tallies); s.kept > maxKept {
		clear(s.ranked)
		s.kept = len(r.tallies)
	}
	s.ranked[by] = r
	return r
}

// lacks adds the model to those that lack a type of evidence, if any demand makes it so.
func (m *surveyed) lacks(at int, id string, demands []demand, s *survey, open map[uint32]*tally) bool {
	c, now := m.cells[at], s.at.UnixMilli()
	if c.state == cellNone {
		return false
	}
	var t *tally
	var worst cellState
	since := int64(math.MaxInt64)
	for i := range demands {
		if m.unmet&demands[i].needs != 0 {
			continue
		}
		state, from := demands[i].under(c, now)
		if state < cellStale {
			continue
		}
		if t == nil {
			if t = open[c.party]; t == nil {
				t = &tally{id: id, owes: s.parties[c.party], demands: demands, of: make([]bool, len(demands))}
				open[c.party] = t
			}
		}
		t.of[i] = true
		worst, since = max(worst, state), min(since, from)
	}
	if t == nil {
		return false
	}
	t.models++
	if worst == cellStale {
		t.stale++
	}
	if i := slices.IndexFunc(t.longest, func(l lack) bool { return since < l.since }); i >= 0 {
		t.longest = slices.Insert(t.longest, i, lack{m, since})
		t.longest = t.longest[:min(longest, len(t.longest))]
	} else if len(t.longest) < longest {
		t.longest = append(t.longest, lack{m, since})
	}
	return true
}

// gap writes out a tally.
func (t *tally) gap(k kind) Gap {
	first := t.longest[0]
	g := Gap{Type: t.id, Noun: k.noun, Owes: t.owes.owes, Name: t.owes.name, Models: t.models, Stale: t.stale, Since: moment(first.since), Command: first.model.command(k)}
	for i, d := range t.demands {
		if t.of[i] {
			g.Controls = append(g.Controls, d.controls...)
		}
	}
	slices.Sort(g.Controls)
	for _, l := range t.longest {
		g.Longest = append(g.Longest, l.model.name)
	}
	return g
}

// Owed says who owes the evidence, in words.
func (g Gap) Owed() string { return Piece{Owes: g.Owes, Name: g.Name}.owing() }

// Asked says which frameworks ask for the evidence by how many controls each.
func (g Gap) Asked() string {
	counts := map[string]int{}
	for _, name := range g.Controls {
		framework, _, _ := strings.Cut(name, "/")
		counts[framework]++
	}
	var words []string
	for _, framework := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s (%d)", framework, counts[framework]))
	}
	return strings.Join(words, ", ")
}
