package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/state"
)

// maxLines bounds the lines of one area; what is beyond them is counted.
const maxLines = 100

// differ collects the differences of two versions.
type differ struct {
	Diff
	tx       *state.Tx
	a, b     side
	compared int // pairs of snapshots

	// What is known to be the same on both sides; false too if one is missing.
	sameCode, sameParameters, sameData, sameFiles bool
}

func (d *differ) line(weight int, area Area, name, from, to, text string, args ...any) {
	d.Lines = append(d.Lines, DiffLine{area, name, from, to, fmt.Sprintf(text, args...), weight})
}

// lacks notes what a side does not say. It reports whether one does not.
func (d *differ) lacks(what string, a, b bool) bool {
	switch {
	case a && b:
		return false
	case !a && !b:
		d.Open = append(d.Open, fmt.Sprintf("%s: on record of neither", what))
	case !a:
		d.Open = append(d.Open, fmt.Sprintf("%s: not on record of %s", what, d.From))
	default:
		d.Open = append(d.Open, fmt.Sprintf("%s: not on record of %s", what, d.To))
	}
	return true
}

func (d *differ) code() {
	a, b := d.a.CodeCommit, d.b.CodeCommit
	if d.lacks("code commit", a != "", b != "") {
		return
	}
	if d.sameCode = a == b; !d.sameCode {
		d.line(weighsCode, CodeArea, "", a, b, "the code is that of commit %.12s, was %.12s", b, a)
	}
}

// making compares what the version was made with, and on.
func (d *differ) making() {
	a, b := d.a.Metadata, d.b.Metadata
	d.sameParameters = d.words(weighsParameter, ParameterArea, "parameter", "parameters", a.Parameters, b.Parameters)
	d.words(weighsSeed, SeedArea, "seed", "seeds", a.Seeds, b.Seeds)
	if !d.lacks("container image", d.a.Image != "", d.b.Image != "") && d.a.Image != d.b.Image {
		d.line(weighsImage, ImageArea, "", string(d.a.Image), string(d.b.Image), "the container image is %s, was %s", d.b.Image.Short(), d.a.Image.Short())
	}
	d.words(weighsLibrary, LibraryArea, "library", "libraries", a.Libraries, b.Libraries)
	if !d.lacks("hardware", a.Hardware != "", b.Hardware != "") && a.Hardware != b.Hardware {
		d.line(weighsMachine, HardwareArea, "", a.Hardware, b.Hardware, "it was trained on %s, before on %s", b.Hardware, a.Hardware)
	}
	d.words(weighsMachine, SampleArea, "sample size", "sample sizes", counts(a.SampleSizes), counts(b.SampleSizes))
	d.words(weighsThreshold, ThresholdArea, "threshold", "monitoring thresholds", thresholds(a.Thresholds), thresholds(b.Thresholds))
	if !d.lacks("training cutoff", d.a.TrainingCutoff != "", d.b.TrainingCutoff != "") && d.a.TrainingCutoff != d.b.TrainingCutoff {
		d.line(weighsMachine, CutoffArea, "", d.a.TrainingCutoff, d.b.TrainingCutoff, "the training data end on %s, before on %s", d.b.TrainingCutoff, d.a.TrainingCutoff)
	}
}

// words compares values by name. It reports whether both sides have some and all are the same.
func (d *differ) words(weight int, area Area, one, many string, a, b map[string]string) (same bool) {
	if d.lacks(many, len(a) > 0, len(b) > 0) {
		return false
	}
	lines := 0
	for _, name := range union(a, b) {
		from, was := a[name]
		to, is := b[name]
		if was == is && from == to {
			continue
		}
		if lines++; lines > maxLines {
			continue
		}
		switch {
		case !was:
			d.line(weight, area, name, "", to, "%s %s is %s, and was not there", one, name, to)
		case !is:
			d.line(weight, area, name, from, "", "%s %s is gone, was %s", one, name, from)
		default:
			d.line(weight, area, name, from, to, "%s %s is %s, was %s", one, name, to, from)
		}
	}
	d.beyond(lines, many)
	return lines == 0
}

func (d *differ) beyond(lines int, many string) {
	if lines > maxLines {
		d.Open = append(d.Open, fmt.Sprintf("%d more %s differ", lines-maxLines, many))
	}
}

func union[T any](a, b map[string]T) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

func counts(sizes map[string]int64) map[string]string {
	words := make(map[string]string, len(sizes))
	for name, n := range sizes {
		words[name] = strconv.FormatInt(n, 10)
	}
	return words
}

func thresholds(list map[string]Threshold) map[string]string {
	words := make(map[string]string, len(list))
	for name, t := range list {
		text := t.Direction
		for _, at := range []struct {
			word  string
			value *float64
		}{{" warn ", t.Warn}, {" fail ", t.Fail}} {
			if at.value != nil {
				text += at.word + figure.Plain(*at.value)
			}
		}
		if t.Window != "" {
			text += " over " + t.Window
		}
		words[name] = text
	}
	return words
}

// metrics compares what was measured. Intervals that have nothing in common are a difference beyond
// chance; whether it is for the better, the name alone does not say.
func (d *differ) metrics() {
	a, b := d.a.Metadata.Metrics, d.b.Metadata.Metrics
	if d.lacks("metrics", len(a) > 0, len(b) > 0) {
		return
	}
	lines := 0
	for _, name := range union(a, b) {
		from, was := a[name]
		to, is := b[name]
		if !was || !is {
			d.lacks("metric "+name, was, is)
			continue
		}
		if from.Value == to.Value {
			continue
		}
		if lines++; lines > maxLines {
			continue
		}
		weight, chance := weighsUnsure, "; no intervals are on record, so it may be chance"
		if from.Low != nil && from.High != nil && to.Low != nil && to.High != nil {
			weight, chance = weighsChance, "; the intervals overlap, so it may be chance"
			if *from.High < *to.Low || *to.High < *from.Low {
				weight, chance = weighsMetric, "; the intervals have nothing in common"
			}
		}
		if from.Data != "" && to.Data != "" && from.Data != to.Data {
			chance += "; they were measured on different data"
		}
		d.line(weight, MetricArea, name, from.words(), to.words(), "metric %s is %s, was %s%s", name, to.words(), from.words(), chance)
	}
	d.beyond(lines, "metrics")
}

func (m Metric) words() string {
	text := figure.Plain(m.Value)
	if m.Low != nil && m.High != nil {
		text += fmt.Sprintf(" [%s, %s]", figure.Plain(*m.Low), figure.Plain(*m.High))
	}
	return text + fmt.Sprintf(" (n %d)", m.N)
}

// files compares the manifests, or where one is not there any longer, their digests.
func (d *differ) files() {
	if d.lacks("files", d.a.Digest != "", d.b.Digest != "") {
		return
	}
	if d.sameFiles = d.a.Digest == d.b.Digest; d.sameFiles {
		return
	}
	if d.lacks("list of files", d.a.files != nil, d.b.files != nil) {
		d.line(weighsFile, FileArea, "", string(d.a.Digest), string(d.b.Digest), "the files are others: digest %s, was %s", d.b.Digest.Short(), d.a.Digest.Short())
		return
	}
	changes, lines := artifact.Compare(*d.a.files, *d.b.files), 0
	line := func(name string, from, to tallystick.Digest, text string, args ...any) {
		if lines++; lines <= maxLines {
			d.line(weighsFile, FileArea, name, string(from), string(to), text, args...)
		}
	}
	for _, c := range changes.Changed {
		line(c.Name, c.Old.Digest, c.New.Digest, "file %s has changed: %s of %d bytes, was %s of %d", c.Name, c.New.Digest.Short(), c.New.Size, c.Old.Digest.Short(), c.Old.Size)
	}
	for _, f := range changes.Removed {
		line(f.Name, f.Digest, "", "file %s is gone", f.Name)
	}
	for _, f := range changes.Added {
		line(f.Name, "", f.Digest, "file %s is new", f.Name)
	}
	d.beyond(lines, "files")
}

// proofs compares the newest evidence of each kind.
func (d *differ) proofs() {
	if d.lacks("evidence", len(d.a.evidence) > 0, len(d.b.evidence) > 0) {
		return
	}
	for _, name := range union(d.a.evidence, d.b.evidence) {
		from, was := d.a.evidence[name]
		to, is := d.b.evidence[name]
		what := string(to.Kind)
		if what == "" {
			what = string(from.Kind)
		}
		if label := from.Name + to.Name; label != "" && !(was && is) {
			what += " " + label
		} else if was && is && to.Name != "" {
			what += " " + to.Name
		}
		switch {
		case !is:
			d.line(weighsEvidence, EvidenceArea, what, string(from.Digest), "", "evidence %s is on record of %s only", what, d.From)
		case !was:
			d.line(weighsEvidence, EvidenceArea, what, "", string(to.Digest), "evidence %s is on record of %s only", what, d.To)
		case from.Verdict != to.Verdict:
			d.line(weighsVerdict, EvidenceArea, what, string(from.Verdict), string(to.Verdict), "the last %s ended in %s, was %s", what, said(to.Verdict), said(from.Verdict))
		}
	}
}

func said(v tallystick.Verdict) string {
	if v == "" {
		return "no verdict"
	}
	return string(v)
}
