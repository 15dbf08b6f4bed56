package openlineage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
)

// Origin is the origin of the batches.
const Origin = "openlineage"

// The bounds of what is read.
const (
	maxBody     = 8 << 20 // bytes, after decompression
	maxNesting  = 40      // of JSON
	maxEvents   = 1000    // of a batch
	maxDatasets = 1000    // inputs or outputs of an event
	maxFields   = 2000    // columns of a data set, nested ones too
)

// event is a RunEvent, DatasetEvent or JobEvent; the members that each has tell which.
type event struct {
	Time     string    `json:"eventTime"`
	Type     string    `json:"eventType"`
	Producer string    `json:"producer"`
	Run      *run      `json:"run"`
	Job      *job      `json:"job"`
	Dataset  *dataset  `json:"dataset"`
	Inputs   []dataset `json:"inputs"`
	Outputs  []dataset `json:"outputs"`
}

type facets map[string]json.RawMessage

type run struct {
	ID     string `json:"runId"`
	Facets facets `json:"facets"`
}

type job struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Facets    facets `json:"facets"`
}

type dataset struct {
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`
	Facets       facets `json:"facets"`
	InputFacets  facets `json:"inputFacets"`
	OutputFacets facets `json:"outputFacets"`
}

// Parse reads one event as lineage. Whatever cannot be read is an Invalid error.
func Parse(body []byte) (lineage.Batch, error) {
	if err := checkJSON(body); err != nil {
		return lineage.Batch{}, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return lineage.Batch{}, tallystick.Errorf(tallystick.Invalid, "openlineage event: %w", err)
	}
	b, err := e.batch()
	if err == nil {
		err = b.Validate()
	}
	if err != nil {
		return lineage.Batch{}, fmt.Errorf("openlineage event: %w", err)
	}
	return b, nil
}

// Result is what became of one event of a batch.
type Result struct {
	Batch lineage.Batch
	Err   error
}

// ParseBatch reads an array of events. What is wrong with one of them does not concern the others.
func ParseBatch(body []byte) ([]Result, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "openlineage batch: %w", err).WithHint("send an array of events")
	}
	if len(raw) > maxEvents {
		return nil, tallystick.Errorf(tallystick.Invalid, "openlineage batch has %d events, the limit is %d", len(raw), maxEvents)
	}
	results := make([]Result, len(raw))
	for i, one := range raw {
		results[i].Batch, results[i].Err = Parse(one)
	}
	return results, nil
}

// checkJSON bounds a text before anything is built from it.
func checkJSON(body []byte) error {
	if len(body) > maxBody {
		return tallystick.Errorf(tallystick.Invalid, "openlineage: more than %d bytes", maxBody)
	}
	depth, inText := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return tallystick.Errorf(tallystick.Invalid, "openlineage: JSON is nested deeper than %d", maxNesting)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func (e event) batch() (lineage.Batch, error) {
	observed, err := time.Parse(time.RFC3339Nano, e.Time)
	if err != nil {
		return lineage.Batch{}, tallystick.Errorf(tallystick.Invalid, "eventTime %.40q is no time of RFC 3339", e.Time)
	}
	if len(e.Inputs) > maxDatasets || len(e.Outputs) > maxDatasets {
		return lineage.Batch{}, tallystick.Errorf(tallystick.Invalid, "more than %d inputs or outputs", maxDatasets)
	}
	w := &writer{batch: lineage.Batch{Origin: Origin, Observed: observed.UTC().Truncate(time.Millisecond)}, producer: e.Producer}
	switch {
	case e.Run != nil && e.Job != nil:
		return w.run(e)
	case e.Job != nil:
		return w.job(e)
	case e.Dataset != nil:
		_, err := w.dataset(*e.Dataset)
		return w.batch, err
	}
	return lineage.Batch{}, tallystick.Errorf(tallystick.Invalid, "it has neither run and job, nor job, nor dataset")
}

// run reads a RunEvent. Every state of a run tells of the same edges, so that it does not matter
// which of them arrive, nor in what order; the state itself is a fact, of which the latest counts.
func (w *writer) run(e event) (lineage.Batch, error) {
	switch e.Type {
	case "", "START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER":
	default:
		return lineage.Batch{}, tallystick.Errorf(tallystick.Invalid, "eventType %.40q is not known", e.Type).
			WithHint("use START, RUNNING, COMPLETE, ABORT, FAIL or OTHER")
	}
	id, err := runRef(e.Run.ID)
	if err != nil {
		return lineage.Batch{}, err
	}
	does, err := w.transformation(*e.Job)
	if err != nil {
		return lineage.Batch{}, err
	}
	w.edge(does, lineage.Defines, id, "")
	facts := w.facts(e.Run.Facets, runFacets)
	if e.Type != "" && e.Type != "OTHER" {
		facts["state"] = e.Type
	}
	w.node(id, facts)
	if err := w.parent(e.Run.Facets["parent"], id); err != nil {
		return lineage.Batch{}, err
	}
	return w.flow(e, id, lineage.Trained)
}

// job reads a JobEvent: what a job reads and writes, without any run of it.
func (w *writer) job(e event) (lineage.Batch, error) {
	does, err := w.transformation(*e.Job)
	if err != nil {
		return lineage.Batch{}, err
	}
	return w.flow(e, does, lineage.Wrote)
}

// flow draws the edges of inputs and outputs; makes is the relation to a version of a model.
func (w *writer) flow(e event, through lineage.Ref, makes lineage.Relation) (lineage.Batch, error) {
	for _, d := range e.Inputs {
		refs, err := w.dataset(d)
		if err != nil {
			return lineage.Batch{}, err
		}
		if refs.source != refs.exact && refs.exact.Kind == lineage.Snapshot {
			w.edge(refs.source, lineage.Derived, refs.exact, "")
		}
		w.edge(refs.exact, lineage.Read, through, "")
	}
	for _, d := range e.Outputs {
		refs, err := w.dataset(d)
		if err != nil {
			return lineage.Batch{}, err
		}
		if refs.exact.Kind == lineage.Version {
			w.edge(through, makes, refs.exact, "")
			continue
		}
		w.edge(through, lineage.Wrote, refs.exact, "")
		if refs.source != refs.exact {
			w.edge(through, lineage.Wrote, refs.source, "")
		}
	}
	return w.batch, nil
}

func (w *writer) transformation(j job) (lineage.Ref, error) {
	ref, err := named(lineage.Transformation, j.Namespace, j.Name)
	if err != nil {
		return ref, err
	}
	w.node(ref, w.facts(j.Facets, jobFacets))
	var at struct {
		URL     string `json:"url"`
		RepoURL string `json:"repoUrl"`
		Version string `json:"version"`
	}
	if read(j.Facets["sourceCodeLocation"], &at) && at.Version != "" {
		if url := at.RepoURL; url != "" {
			at.URL = url
		}
		w.edge(lineage.Ref{Kind: lineage.Code, ID: strip(at.URL) + "@" + at.Version}, lineage.Defines, ref, "")
	}
	return ref, nil
}

func (w *writer) parent(facet json.RawMessage, child lineage.Ref) error {
	var p struct {
		Run run `json:"run"`
		Job job `json:"job"`
	}
	if !read(facet, &p) || p.Run.ID == "" {
		return nil
	}
	id, err := runRef(p.Run.ID)
	if err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	if id == child {
		return nil
	}
	w.edge(id, lineage.Started, child, "")
	if p.Job.Name == "" {
		return nil
	}
	does, err := named(lineage.Transformation, p.Job.Namespace, p.Job.Name)
	if err == nil {
		w.edge(does, lineage.Defines, id, "")
	}
	return err
}

// runRef returns the run of a UUID, which has one form whatever its case.
func runRef(id string) (lineage.Ref, error) {
	ref := lineage.Ref{Kind: lineage.Run, ID: strings.ToLower(id)}
	if len(id) != 36 || strings.Count(id, "-") != 4 {
		return ref, tallystick.Errorf(tallystick.Invalid, "runId %.40q is no UUID", id)
	}
	return ref, ref.Validate()
}

// named returns the node of what has a namespace and a name.
func named(kind lineage.Kind, namespace, name string) (lineage.Ref, error) {
	if namespace == "" || name == "" {
		return lineage.Ref{}, tallystick.Errorf(tallystick.Invalid, "a %s lacks its namespace or name", kind)
	}
	ref := lineage.Ref{Kind: kind, ID: strip(namespace) + "/" + strip(name)}
	return ref, ref.Validate()
}

var userinfo = regexp.MustCompile(`://[^/?#"\\\s]*@`)

// strip takes the credentials out of the URLs in a text.
func strip(text string) string { return userinfo.ReplaceAllString(text, "://") }

// read reads a facet that is there, not deleted and of the form that is expected.
func read(facet json.RawMessage, into any) bool {
	var common struct {
		Deleted bool `json:"_deleted"`
	}
	if len(facet) == 0 || bytes.Equal(facet, []byte("null")) || json.Unmarshal(facet, &common) != nil || common.Deleted {
		return false
	}
	return json.Unmarshal(facet, into) == nil
}
