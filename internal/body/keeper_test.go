package body_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// house takes predictions in whose bodies rules keep or not.
type house struct {
	*capture.Capture
	config  capture.Config
	journal *journal.Journal
	now     time.Time
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)}
	h.config = capturetest.Config(t, func() time.Time { return h.now }, "credit@1")
	h.config.Key = []byte("key of the house")
	h.Capture, h.journal = capturetest.Open(t, journal.Options{}, h.config)
	return h
}

func (h *house) define(t *testing.T, r body.KeepRule) {
	t.Helper()
	r.Model = "credit"
	_, err := registry.New(h.config.DB, h.config.Recorder).Do(t.Context(), registry.Command{
		Principal: access.Local("ada"), Action: access.BodyRuleManage, Resource: trail.Resource{Type: "model", ID: "credit"},
		Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := body.Define(tx, r)
			return []trail.Change{change}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sent returns a prediction with a body that names its region.
func sent(region string) prediction.Record {
	return prediction.Record{
		Model: "credit", Version: "1", Features: prediction.NewFeatures(map[string]prediction.Value{"region": prediction.String(region)}),
		RequestBody: &prediction.Body{Type: "text/plain", Data: []byte("from " + region)},
	}
}

func (h *house) accept(t *testing.T, id string, records ...prediction.Record) {
	t.Helper()
	for len(records) > 0 {
		n := min(len(records), capture.MaxRecords)
		answer, err := h.Accept(t.Context(), capture.Batch{ID: id, Sender: "s", Records: records[:n]})
		if err != nil || len(answer.Rejected) > 0 {
			t.Fatal(answer.Rejected, err)
		}
		records = records[n:]
	}
}

// kept counts the records of the journal by region and rule.
func (h *house) kept(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, r := range capturetest.Records(t, h.journal) {
		region, _ := r.Features.Get("region")
		found[region.Text()+" "+r.BodyRule]++
	}
	return found
}

// TestDropped: without a rule nothing of a body is written, but that it was there and the keyed digest of the input.
func TestDropped(t *testing.T) {
	t.Parallel()
	h := open(t)
	known, digest := sent("south"), tallystick.DigestOf([]byte("the sender's own"))
	known.InputDigest, known.BodyRule = digest, "made up"
	h.accept(t, "", sent("north"), known, prediction.Record{Model: "credit", Version: "1", BodyRule: "made up"})
	records := capturetest.Records(t, h.journal)
	mac := hmac.New(sha256.New, h.config.Key)
	mac.Write([]byte("from north"))
	if r := records[0]; r.BodyRule != prediction.Dropped || r.RequestBody != nil || !r.InputKeyed || string(r.InputDigest) != "sha256:"+hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("%s", r.AppendJSON(nil))
	}
	if r := records[1]; r.BodyRule != prediction.Dropped || r.InputDigest != digest || r.InputKeyed {
		t.Errorf("%s", r.AppendJSON(nil))
	}
	if r := records[2]; r.BodyRule != "" || r.InputDigest != "" {
		t.Errorf("%s", r.AppendJSON(nil))
	}
	for entry, err := range h.journal.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(entry.Payload, []byte("from ")) {
			t.Error("a body is in the journal")
		}
	}
}

// TestKept: a rule keeps the share that the draws say, and all of a rare class.
func TestKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	rule := selection.Rule{Purpose: "body", Model: "credit", Name: "sample", Terms: selection.Terms{Share: 0.1, Strata: []string{"f_region"}, AtLeast: 5, Most: 1000}}
	h.define(t, body.KeepRule{Name: rule.Name, Terms: rule.Terms})
	h.define(t, body.KeepRule{Name: "tier", Terms: selection.Terms{Share: 1, Where: []string{"tier = high", "f_region = west"}, Most: 3}})
	var records []prediction.Record
	for i := range 2000 {
		region := "north"
		if i%500 == 0 {
			region = "islands"
		}
		records = append(records, sent(region))
	}
	h.accept(t, "", records...)
	chooser, err := selection.New(rule, "")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, r := range capturetest.Records(t, h.journal) {
		region, _ := r.Features.Get("region")
		drawn := chooser.Draw(r.Salt[:]) < 0.1
		first := region.Text() == "islands" || seen < 5 // those that a stratum has too few of
		if is := r.BodyRule == "sample"; is && region.Text() == "north" {
			seen++
			if !drawn && !first {
				t.Fatalf("%s was kept", r.AppendJSON(nil))
			}
		} else if !is && (drawn || first) {
			t.Fatalf("%s was not kept", r.AppendJSON(nil))
		}
		if r.BodyRule == "sample" && (r.RequestBody == nil || r.InputDigest != r.RequestBody.Digest || r.InputKeyed) {
			t.Fatalf("%s", r.AppendJSON(nil))
		}
	}
	if found := h.kept(t); found["islands sample"] != 4 || found["north sample"] < 130 || found["north sample"] > 280 {
		t.Errorf("%v", found)
	}
}

// TestMost: a rule keeps so many a day by our clock and no more; what was not taken in is not counted.
func TestMost(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.define(t, body.KeepRule{Name: "all", Terms: selection.Terms{Share: 1, Most: 3}})
	first := []prediction.Record{sent("north"), sent("north")}
	for range 3 { // the batch is there once
		h.accept(t, "b1", first[0], first[1])
	}
	later := sent("south")
	later.Time = prediction.TimeOf(h.now.AddDate(0, 0, 9)) // its sender's clock does not count
	h.accept(t, "", later, later, sent("south"))
	if found := fmt.Sprint(h.kept(t)); found != fmt.Sprint(map[string]int{"north all": 2, "south all": 1, "south none": 2}) {
		t.Error(found)
	}
	h.now = h.now.AddDate(0, 0, 1)
	h.accept(t, "", sent("west"))
	if h.kept(t)["west all"] != 1 {
		t.Error(h.kept(t))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for what, r := range map[string]body.KeepRule{
		"nothing kept": {Name: "r"}, "the name of what is dropped": {Name: "none", Terms: selection.Terms{Share: 1}},
		"stratum": {Name: "r", Terms: selection.Terms{Share: 1, Strata: []string{"label"}}}, "condition": {Name: "r", Terms: selection.Terms{Share: 1, Where: []string{"tier >"}}},
	} {
		err := h.config.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := body.Define(tx, r)
			return err
		})
		if tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	digest := prediction.Record{Model: "credit", Version: "1", RequestBody: &prediction.Body{Digest: tallystick.DigestOf(nil)}}
	if answer, err := h.Accept(t.Context(), capture.Batch{Records: []prediction.Record{digest}}); err != nil || len(answer.Rejected) != 1 {
		t.Errorf("a body of which only the digest is there: %+v, %v", answer, err)
	}
}
