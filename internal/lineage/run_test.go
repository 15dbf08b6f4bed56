package lineage_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/provenance"
)

func TestFromRun(t *testing.T) {
	t.Parallel()
	h, dir := setup(t), t.TempDir()
	for name, text := range map[string]string{
		"in.csv":   "a\n",
		"dvc.lock": "schema: '2.0'\nstages: {clean: {cmd: python clean.py, deps: [{path: raw.csv, md5: aa}, {path: lib.py}], outs: [{path: in.csv, md5: bb}]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := provenance.Execute(t.Context(), provenance.Options{
		Place:   provenance.Place{Dir: dir, Environ: []string{"PATH=" + os.Getenv("PATH"), "SEED=7", "TALLYSTICK_IMAGE=registry.example/t@sha256:00"}},
		Command: []string{"sh", "-c", "cp in.csv out.bin"}, Inputs: []string{"in.csv"}, Outputs: []string{"out.bin", "absent"},
		Now: func() time.Time { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Provenance.Code = &provenance.Code{Commit: "9f2c1ab", Remote: "https://git.example/y"}
	b := lineage.FromRun(r, lineage.Product{Model: "credit", Version: "3"})
	if n := h.mustTell(t, b); n != 1 {
		t.Errorf("it took %d events", n)
	}
	if n := h.mustTell(t, b); n != 0 {
		t.Errorf("the second time it took %d events", n)
	}
	fed, err := h.graph.Fed(t.Context(), "credit", "3", lineage.Options{Facts: true})
	if err != nil {
		t.Fatal(err)
	}
	short := strings.TrimPrefix(string(r.Inputs[0].Digest), "sha256:")[:12]
	want := []string{"code:https://git.example/y@9f2c1ab", "image:registry.example/t@sha256:00", "run:" + r.ID, "snapshot:in.csv@" + short}
	if diff := cmp.Diff(want, names(fed.Nodes)); diff != "" {
		t.Errorf("what fed credit@3 (-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(fed.Nodes, func(s lineage.Step) bool { return s.Ref.Kind == lineage.Run })
	if f := fed.Nodes[i].Facts; f["seeds"] != `{"SEED":"7"}` || f["exit_code"] != "0" || !strings.Contains(f["notes"], "absent") || fed.Nodes[i].Model != "credit" {
		t.Errorf("facts of the run: %v", f)
	}
	stage, err := h.graph.Up(t.Context(), ref(t, "snapshot:in.csv@md5:bb"), lineage.Options{Facts: true})
	if err != nil || !slices.Equal(names(stage.Nodes), []string{"snapshot:raw.csv@md5:aa", "source:lib.py", "transformation:https://git.example/y#clean"}) || stage.Edges[0].Script != "9f2c1ab" {
		t.Errorf("the stage: %+v, %v", stage, err)
	}
	r.ExitCode = 1
	for _, e := range lineage.FromRun(r, lineage.Product{Model: "credit", Version: "4"}).Edges {
		if e.Relation == lineage.Trained {
			t.Error("a run that failed trained a version")
		}
	}
}

// TestHugeRun gives a run everything that is allowed: it must be recordable.
func TestHugeRun(t *testing.T) {
	t.Parallel()
	h := setup(t)
	long := strings.Repeat("ä\x00", 3000)
	r := provenance.Run{ID: "r", Command: []string{long, long}, Params: many(500, long), Env: many(60, long), Notes: []string{long}, Started: start, Ended: start}
	r.Provenance = provenance.Provenance{
		Code: &provenance.Code{Commit: "c", Remote: long}, Image: long, Seeds: many(60, "1"), Unread: []string{long},
		Python: &provenance.Python{Packages: slices.Repeat([]string{long}, 50)}, Pins: slices.Repeat([]provenance.Pin{{Path: "p"}}, 500),
		Stages: []provenance.Stage{{Name: long, Command: long, Params: many(900, long), Deps: []provenance.Dep{{Path: long, Hash: long}, {Path: long}}}},
	}
	r.Inputs = []provenance.Item{{Path: long, Digest: "sha256:" + "00000000000000000000000000000000" + "00000000000000000000000000000000"}}
	if n := h.mustTell(t, lineage.FromRun(r, lineage.Product{})); n != 1 {
		t.Errorf("it took %d events", n)
	}
}
