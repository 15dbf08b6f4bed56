package expectation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/window"
)

// script is a test, ready to be carried out.
type script struct {
	test       *Test
	document   *monitor.Document
	begins     time.Time
	versions   []string
	champion   string
	reference  []byte
	references map[tallystick.Digest][]byte
	acts       []act
}

// act is what happens at a time: predictions or labels come in, or a window is judged.
type act struct {
	at         time.Time
	send, tell []made
	judge      int
}

func (f *File) script(ctx context.Context, t *Test, doc *monitor.Document) (*script, error) {
	s := &script{test: t, document: doc, references: map[tallystick.Digest][]byte{}}
	version := doc.Version
	if version == "" || version == monitor.Champion {
		version = cmp.Or(t.Champion, defaultVersion)
	}
	if doc.Version == monitor.Champion {
		s.champion = version
	}
	s.versions = []string{version}
	dir := filepath.Dir(f.Path)
	var err error
	if s.reference, err = documentOf(ctx, t.Reference, dir); err != nil {
		return nil, err
	}
	for digest, in := range t.References {
		if s.references[digest], err = documentOf(ctx, in, dir); err != nil {
			return nil, err
		}
	}
	taken := int64(0)
	take := func(in *Input, from time.Time, span time.Duration) ([]made, error) {
		tooMany := tallystick.Errorf(tallystick.Invalid, "the inputs until line %d have more than %d predictions", in.Line, maxTaken)
		if taken+in.N > maxTaken {
			return nil, tooMany
		}
		all, err := in.predictions(ctx, dir, from, span)
		if taken += int64(len(all)); taken > maxTaken {
			return nil, tooMany
		}
		for i := range all {
			p := &all[i]
			p.Model, p.Version, p.Environment = doc.Model, cmp.Or(p.Version, version), cmp.Or(p.Environment, doc.Environment)
			if !slices.Contains(s.versions, p.Version) {
				s.versions = append(s.versions, p.Version)
			}
		}
		return all, err
	}
	s.begins = doc.WindowAt(t.Windows[0].At).From
	for i := range t.Windows {
		given := &t.Windows[i]
		w := doc.WindowAt(given.At)
		if w.From.Before(s.begins) {
			s.begins = w.From
		}
		due := doc.Due(w)
		judged := act{at: due, judge: i}
		if given.After > 0 {
			if judged.at = w.To.Add(given.After); judged.at.Before(due) {
				return nil, tallystick.Errorf(tallystick.Invalid, "the window of line %d is judged %s after its end, and is due after %s", given.Line, given.After, due.Sub(w.To))
			}
		}
		if given.Input != nil {
			all, err := take(given.Input, w.From, w.To.Sub(w.From))
			if err != nil {
				return nil, err
			}
			s.acts = append(s.acts, act{at: w.To, send: all}, act{at: w.To.Add(given.Labels), tell: all})
		}
		s.acts = append(s.acts, judged)
	}
	if t.Input != nil {
		all, err := take(t.Input, s.begins, 0)
		if err != nil {
			return nil, err
		}
		s.acts = append(s.acts, byArrival(doc, all)...)
		if len(all) > 0 {
			first := slices.MinFunc(all, func(a, b made) int { return cmp.Compare(a.Time, b.Time) }).Time.Time()
			if first.Before(s.begins) {
				s.begins = doc.WindowAt(first).From
			}
		}
	}
	s.begins = s.begins.Add(-time.Hour)
	slices.SortStableFunc(s.acts, func(a, b act) int { return a.at.Compare(b.at) })
	return s, nil
}

// byArrival lets the predictions of each window come in at its end.
func byArrival(doc *monitor.Document, all []made) (acts []act) {
	windows := map[time.Time][]made{}
	for i := range all {
		end := doc.WindowAt(all[i].Time.Time()).To
		windows[end] = append(windows[end], all[i])
	}
	for _, end := range slices.SortedFunc(maps.Keys(windows), time.Time.Compare) {
		acts = append(acts, act{at: end, send: windows[end]}, act{at: end, tell: windows[end]})
	}
	return acts
}

// prepare puts on record what is there before the first prediction.
func (s *script) prepare(ctx context.Context, h *house) error {
	doc := s.document
	if err := h.register(ctx, doc.Model, s.versions, doc.Environment, s.champion); err != nil {
		return err
	}
	source := string(doc.Source())
	for _, stated := range slices.Sorted(maps.Keys(s.references)) {
		digest, err := h.workspace.Evidence.Put(ctx, s.references[stated]) // which is not pinned: the monitor names it
		if err != nil {
			return fmt.Errorf("keep the reference %s: %w", stated, err)
		}
		if !strings.Contains(source, string(stated)) {
			return tallystick.Errorf(tallystick.Invalid, "the monitor %s names no reference %s", doc.Name, stated)
		}
		source = strings.ReplaceAll(source, string(stated), string(digest))
	}
	if s.reference != nil {
		if err := h.pin(ctx, doc.Model, s.reference); err != nil {
			return err
		}
	}
	return h.apply(ctx, doc.Name, []byte(source))
}

// documentOf makes a reference of predictions, as `tallystick reference pin` does.
func documentOf(ctx context.Context, in *Input, dir string) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	all, err := in.predictions(ctx, dir, time.Unix(0, 0).UTC(), time.Hour)
	if err != nil {
		return nil, err
	}
	var names []string
	scored, answered := false, false
	for i := range all {
		scored, answered = scored || !all[i].Score.IsNull(), answered || !all[i].Output.IsNull()
		for _, f := range all[i].Features {
			if at, known := slices.BinarySearch(names, f.Name); !known {
				names = slices.Insert(names, at, f.Name)
			}
		}
	}
	var g monitor.Gatherer
	if scored {
		g.Column("score", window.RoleScore, slices.Contains(in.Categories, "score"))
	}
	if answered {
		g.Column("output", window.RoleOutput, slices.Contains(in.Categories, "output"))
	}
	for _, name := range names {
		g.Column(name, window.RoleFeature, slices.Contains(in.Categories, name))
	}
	if err := g.AddRows(int64(len(all))); err != nil {
		return nil, err
	}
	for i := range all {
		column := 0
		if scored {
			g.AddValue(column, all[i].Score)
			column++
		}
		if answered {
			g.AddValue(column, all[i].Output)
			column++
		}
		for _, name := range names {
			v, _ := all[i].Features.Get(name)
			g.AddValue(column, v)
			column++
		}
	}
	r, _, err := g.Build()
	if err != nil {
		return nil, fmt.Errorf("the reference of line %d: %w", in.Line, err)
	}
	return r.Marshal()
}
