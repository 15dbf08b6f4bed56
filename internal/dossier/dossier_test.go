package dossier_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// lived is a house in which some things have happened to a model.
func lived(t testing.TB) house {
	t.Helper()
	h := newHouse(t)
	h.register(t, "credit")
	h.register(t, "other")
	*h.now = h.now.AddDate(0, 1, 0)
	h.record(t, 40, reading("credit"))
	h.record(t, 30, reading("other"))
	pack, err := policy.Load("", tallystick.TierLimited)
	if err != nil {
		t.Fatal(err)
	}
	input, err := h.Evidence.Put(t.Context(), []byte(`{"approver":"Dr. Secret"}`))
	if err != nil {
		t.Fatal(err)
	}
	note, err := h.Evidence.Put(t.Context(), []byte("a text of an assessment"))
	if err != nil {
		t.Fatal(err)
	}
	d := string(tallystick.DigestOf([]byte("version")))
	h.record(t, 1, func(int) trail.Entry {
		return trail.Entry{Type: trail.GateDecided, Resource: trail.Resource{Type: "version", ID: "credit@1"}, Data: map[string]any{
			"kind": "promotion", "model": "credit", "version": "1", "version_digest": d, "environment": "production", "role": "champion", "verdict": "fail",
			"input_digest": string(input), "policy_digest": string(pack.Digest()), "engine": "opa", "tier": "limited", "denied": []string{"release.freeze"},
		}}
	})
	h.record(t, 1, func(int) trail.Entry {
		return trail.Entry{Type: trail.EvidenceAttached, Resource: trail.Resource{Type: "version", ID: "credit@1"}, Data: map[string]any{
			"model": "credit", "version": "1", "kind": "document", "name": "impact-assessment", "evidence_digest": string(note), "note": "checked by hand",
		}}
	})
	*h.now = h.now.AddDate(0, 1, 0)
	h.record(t, 20, reading("other"))
	h.record(t, 10, reading("credit"))
	*h.now = date(5, 3) // exports come later
	return h
}

// want fails unless a check of a result ended so, and its detail has a text in it.
func want(t *testing.T, r verify.Result, check string, status verify.CheckStatus, text string) {
	t.Helper()
	for _, c := range r.Checks {
		if c.Check == check && c.Status == status && strings.Contains(c.Detail, text) {
			return
		}
	}
	t.Errorf("no check %q is %q with %q: %+v", check, status, text, r.Checks)
}

func TestExport(t *testing.T) {
	t.Parallel()
	h := lived(t)
	for _, test := range []struct {
		name    string
		request dossier.Request
		events  string
		proved  map[string]string // check, to text of its line
		open    bool
	}{
		{"sealed", dossier.Request{Model: "credit", Until: date(5, 2)}, "53 about credit before", nil, false},
		{"disclosed", dossier.Request{Model: "credit", Until: date(5, 2), Disclose: true}, "53 about credit before", map[string]string{"disclosures": "each the one that was recorded"}, true},
		{"period", dossier.Request{Model: "credit", From: date(4, 1), Until: date(5, 1)}, "42 about credit from 2026-04-01", nil, false},
		{"complete period", dossier.Request{Model: "credit", From: date(4, 1), Until: date(5, 1), Complete: true}, "42 about credit", map[string]string{"completeness": "nothing was left out"}, false},
		{"complete", dossier.Request{Model: "credit", Until: date(5, 2), Complete: true}, "53 about credit", map[string]string{"completeness": "every event from 1 to"}, false},
		{"complete and disclosed", dossier.Request{Model: "credit", Complete: true, Disclose: true}, "about credit", map[string]string{"completeness": "every event from 1 to"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := h.export(t, test.request)
			r := h.check(t, data)
			if r.Verdict != verify.Verified {
				t.Fatalf("verdict %s: %+v", r.Verdict, r.Checks)
			}
			want(t, r, "events", verify.OK, test.events)
			want(t, r, "policy", verify.OK, "whole text")
			want(t, r, "evidence", verify.OK, "recorded by an event")
			want(t, r, "witnesses", verify.Skipped, "not witnessed")
			for check, text := range test.proved {
				want(t, r, check, verify.OK, text)
			}
			if test.request.Complete == slices.ContainsFunc(r.NotProved, func(s string) bool { return strings.Contains(s, "left out of the package") }) {
				t.Errorf("complete %t: %q", test.request.Complete, r.NotProved)
			}
			for _, secret := range []string{"Dr. Secret", "checked by hand", "validation of finding 12", "person-1"} {
				if bytes.Contains(data, []byte(secret)) != test.open {
					t.Errorf("%q is shown: %t", secret, !test.open)
				}
			}
			if strings.Contains(index(t, data), "<script") || !strings.Contains(index(t, data), "no witness has cosigned") {
				t.Error("index.html has a script, or does not say that there is no witness")
			}
		})
	}
}

func date(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

func index(t *testing.T, data []byte) string {
	t.Helper()
	a, err := verify.ReadArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	page, _ := a.File("index.html")
	return string(page)
}

// TestRefusals: what cannot be exported leaves no event and no file.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := lived(t)
	before, err := h.Trail.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		request dossier.Request
		code    tallystick.Code
	}{
		{dossier.Request{Model: "nobody"}, tallystick.NotFound},
		{dossier.Request{Model: "credit", Version: "77"}, tallystick.NotFound},
		{dossier.Request{Model: "credit", From: date(4, 1), Until: date(3, 1)}, tallystick.Invalid},
		{dossier.Request{Model: "credit", Recipient: strings.Repeat("x", 300)}, tallystick.Invalid},
	} {
		if _, err := h.office.Export(t.Context(), h.recorded(test.request)); tallystick.CodeOf(err) != test.code {
			t.Errorf("%+v: error %v, want %s", test.request, err, test.code)
		}
	}
	if after, err := h.Trail.Newest(t.Context()); err != nil || after != before {
		t.Errorf("%d events were recorded, error %v", after-before, err)
	}
}

// TestProofs: each event of a package has the proof that it would have alone.
func TestProofs(t *testing.T) {
	t.Parallel()
	h := lived(t)
	data := h.export(t, dossier.Request{Model: "credit"})
	proved := 0
	for sequence := range uint64(200) {
		p, err := verify.PackageProof(bytes.NewReader(data), int64(len(data)), sequence)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if r := verify.Proof(p.Marshal(), h.Trust(), verify.ProofOptions{}); r.Verdict != verify.Verified {
			t.Fatalf("event %d: %+v", sequence, r.Checks)
		}
		proved++
	}
	if proved != 53+4 {
		t.Errorf("%d events are proved", proved)
	}
}
