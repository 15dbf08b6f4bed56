package tallystick_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tallystick/tallystick"

// floors lists the packages of the house from the bottom up. A package may import any package of
// a lower floor; inner edges of a floor are listed in sideways.
var floors = [][]string{
	{""},
	{"internal/prediction"}, // so low that verify can use it
	{"verify", "client"},
	{"internal/state", "internal/state/postgrestest", "internal/ledger", "internal/durable", "internal/durable/calltrace", "internal/blob", "internal/table", "internal/stat", "internal/chart", "internal/figure", "internal/wording", "internal/artifact", "internal/modelsign", "internal/profile", "internal/dial", "internal/provenance", "internal/witness", "internal/vulnerability", "internal/journal", "internal/wire", "internal/yamldoc", "internal/yamldoc/yamldoctest", "internal/window"},
	{"internal/trail", "internal/evidence", "internal/workspace"},
	{"internal/revision", "internal/access", "internal/lineage", "internal/notify", "internal/catalog", "internal/policy", "internal/contract", "internal/quality", "internal/performance", "internal/fairness", "internal/drift", "internal/conduct", "internal/segment", "internal/outcome", "internal/replay"},
	{"internal/report", "internal/audit", "internal/registry", "internal/release", "internal/obligation", "internal/schedule", "internal/reconcile", "internal/dossier", "internal/body", "internal/capture", "internal/label", "internal/query", "internal/selection", "internal/casework", "internal/archive", "internal/comparison", "internal/rollup", "internal/monitor", "internal/objective", "internal/alert"},
	{"internal/explanation", "internal/expectation", "internal/incident", "internal/reaction", "internal/pager", "internal/health", "internal/capture/capturetest"}, // the first joins what the offices below know of one decision
	{"internal/openlineage", "internal/otlp", "internal/cloudevents", "internal/api", "internal/server", "internal/web"},
	{"internal/demo"},
	{"internal/cli"},
	{"cmd/tallystick", "bench/limits", "bench/seed", "bench/registry", "bench/ingest", "bench/falsealarm", "bench/compas"},
}

// sideways lists the edges that stay on one floor, each with its reason.
var sideways = map[string]map[string]string{
	"internal/blob":       {"internal/durable": "one way to write a file durably"},
	"internal/state":      {"internal/durable": "one way to sync a directory"},
	"internal/ledger":     {"internal/durable": "one way to write a file durably"},
	"internal/table":      {"internal/wire": "one reader of Parquet's metadata and runs"},
	"internal/journal":    {"internal/durable": "one way to make a name durable"},
	"internal/modelsign":  {"internal/artifact": "a signature covers a manifest"},
	"internal/profile":    {"internal/table": "a profile describes a table", "internal/stat": "one quantile rule, one PSI", "internal/figure": "one way to write a share"},
	"internal/figure":     {"internal/stat": "figures are written from estimates", "internal/chart": "one way to write a count"},
	"internal/witness":    {"internal/durable": "one way to write a file durably"},
	"internal/provenance": {"internal/artifact": "one way to hash files"},
	"internal/outcome":    {"internal/performance": "one way to measure performance", "internal/fairness": "one way to compare groups"},
	"internal/notify":     {"internal/catalog": "one way to tell an event in words"},
	"internal/window":     {"internal/stat": "one quantile rule, one comparison of samples"},
	"internal/workspace":  {"internal/trail": "a workspace opens its trail", "internal/evidence": "a workspace opens its keys and store"},
	"internal/audit":      {"internal/report": "an audit ends in a report"},
	"internal/reconcile":  {"internal/registry": "a finding is raised by a command"},
	"internal/archive":    {"internal/capture": "one way to say where ids lie", "internal/registry": "predictions are erased by a command"},
	"internal/dossier":    {"internal/registry": "a package is handed out by a command"},
	"internal/selection":  {"internal/query": "one way to say which predictions"},
	"internal/body":       {"internal/selection": "one way to choose among records", "internal/query": "the records tell what was kept"},
	"internal/capture":    {"internal/body": "bodies are dropped before anything is written"},
	"internal/casework":   {"internal/selection": "one way to choose among records", "internal/archive": "cases are about predictions on record", "internal/label": "what is decided is a label"},
	"internal/query":      {"internal/label": "predictions are joined with their labels"},
	"internal/rollup":     {"internal/query": "one way to read predictions"},
	"internal/comparison": {"internal/query": "one way to read predictions", "internal/label": "outcomes are labels"},
	"internal/monitor":    {"internal/query": "one way to read predictions", "internal/rollup": "windows are judged from tallies where those cover them"},
	"internal/objective":  {"internal/query": "one way to read predictions", "internal/monitor": "judged windows are counted", "internal/casework": "decided cases are counted", "internal/comparison": "one way to pair what two versions answered"},
	"internal/alert":      {"internal/monitor": "alerts follow judgements", "internal/objective": "alerts follow judgements"},
	"internal/reaction":   {"internal/incident": "what is done belongs to an incident"},
	"internal/api":        {"internal/openlineage": "one server, one place for its paths"},
}

// outside lists what the small packages may import from other modules. The others are free.
var outside = map[string][]string{
	"":       {},
	"client": {},
	"verify": {
		"github.com/gowebpki/jcs",
		"github.com/transparency-dev/formats/log",
		"github.com/transparency-dev/formats/note",
		"github.com/transparency-dev/formats/proof",
		"github.com/transparency-dev/merkle/proof",
		"github.com/transparency-dev/merkle/rfc6962",
		"golang.org/x/mod/sumdb/note",
	},
	"internal/prediction": {
		"github.com/transparency-dev/merkle/proof",
		"github.com/transparency-dev/merkle/rfc6962",
	},
	"internal/chart":   {},
	"internal/wording": {},
	"internal/stat":    {"gonum.org/v1/gonum"},
	"internal/dial":    {},
	"internal/durable": {},
	"internal/blob":    {},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestArrowsRunDown(t *testing.T) {
	t.Parallel()
	floorOf := map[string]int{}
	for floor, names := range floors {
		for _, name := range names {
			floorOf[name] = floor
		}
	}
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		from := shortName(p.ImportPath)
		fromFloor, known := floorOf[from]
		if !known {
			t.Errorf("package %q is on no floor: give it one in floors_test.go and in ARCHITECTURE.md", from)
			continue
		}
		seen[from] = true
		for _, path := range p.Imports {
			to, ours := strings.CutPrefix(path, module)
			to = strings.TrimPrefix(to, "/")
			switch {
			case ours && floorOf[to] < fromFloor:
			case ours && sideways[from][to] != "":
			case ours:
				t.Errorf("%s imports %s: arrows run downwards only", from, to)
			case strings.Contains(path, "."):
				if allowed, limited := outside[from]; limited && !allows(allowed, path) {
					t.Errorf("%s imports %s, which is not on its list", from, path)
				}
			}
		}
	}
	for name := range maps.Keys(floorOf) {
		if !seen[name] {
			t.Errorf("floor lists %q, but there is no such package", name)
		}
	}
}

func allows(list []string, path string) bool {
	return slices.ContainsFunc(list, func(prefix string) bool {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	})
}

func shortName(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list ./...: %v", err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list ./...: %v", err)
		}
		packages = append(packages, p)
	}
}
