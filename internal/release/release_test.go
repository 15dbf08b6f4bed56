package release_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

const origin = "release.test/ledger"

// bench is an installation with a gate that asks for one approval and no freeze.
type bench struct {
	*release.Office
	db       *state.DB
	catalog  *catalog.Catalog
	access   *access.Store
	recorder *trail.Recorder
	events   *trail.Reader
	store    *evidence.Store
	ahead    *atomic.Int64 // of the clock, in seconds
}

func setup(t testing.TB) bench {
	t.Helper()
	b := bench{ahead: new(atomic.Int64)}
	now := func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load()) * time.Second) }
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if b.recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: db, Source: origin, Now: now}); err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(blob.Config{Dir: filepath.Join(t.TempDir(), "evidence")})
	if err != nil {
		t.Fatal(err)
	}
	b.db, b.events = db, trail.NewReader(db, origin)
	b.store = evidence.NewStore(blobs)
	b.catalog, b.access = catalog.New(db, b.events), access.New(access.Config{DB: db, Recorder: b.recorder, Now: now})
	b.Office = release.New(b.config(policy.Packs("testdata/open")))
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "production", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Gated}})
	})
	return b
}

func (b bench) config(packs func(tallystick.Tier) (*policy.Pack, error)) release.Config {
	return release.Config{
		DB: b.db, Catalog: b.catalog, Access: b.access, Evidence: b.store, Pack: packs,
		Trail: b.events, Now: func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load()) * time.Second) },
		Key: func(string) (verify.Key, error) { return verify.Key{}, errors.New("no key of our own") },
	}
}

var root = access.Local("root")

// as commits what is proposed, as the registry does.
func (b bench) as(t testing.TB, who access.Principal, propose func(tx *state.Tx) ([]trail.Change, error)) (receipt trail.Receipt, err error) {
	t.Helper()
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		changes, err := propose(tx)
		for _, change := range changes {
			if receipt, err = b.recorder.Commit(tx, trail.Act{Actor: who.Actor()}, change); err != nil {
				return err
			}
		}
		return err
	})
	return receipt, err
}

func one(propose func(tx *state.Tx) (trail.Change, error)) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
}

func (b bench) must(t testing.TB, who access.Principal, propose func(tx *state.Tx) (trail.Change, error)) trail.Receipt {
	t.Helper()
	receipt, err := b.as(t, who, one(propose))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// person adds somebody who has set a passphrase.
func (b bench) person(t testing.TB, name string, roles ...access.Role) access.Principal {
	t.Helper()
	link := access.NewSecret(access.EnrolmentSecret, time.Now())
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
		return b.access.AddUser(tx, access.NewUser{Name: name, Roles: roles, Link: link})
	})
	if _, err := b.access.Redeem(t.Context(), link.Reveal(), "otter lamp Tuesday gravel"); err != nil {
		t.Fatal(err)
	}
	u, err := b.access.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return access.Principal{ID: u.ID, Name: u.Name, Kind: u.Kind, Roles: u.Roles}
}

// version registers a version, and its model if need be.
func (b bench) version(t testing.TB, who access.Principal, version string) {
	t.Helper()
	b.must(t, who, func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterAudited(tx, catalog.AuditedModel{Model: "credit", Owner: "ada", Tier: tallystick.TierLow, Actor: who.ID})
	})
	b.files(t, who, version)
}

// files registers a version of which the one file holds its name.
func (b bench) files(t testing.TB, who access.Principal, version string) {
	t.Helper()
	files, err := artifact.NewManifest([]artifact.File{{Name: "weights.bin", Digest: tallystick.DigestOf([]byte(version)), Size: 1}})
	if err != nil {
		t.Fatal(err)
	}
	low, high := 0.7, 0.9
	b.must(t, who, func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: version, Manifest: files, Details: catalog.VersionDetails{
			Changelog: "better", Justification: "drift", TrainingCutoff: "2026-06-30", CodeCommit: strings.Repeat("c", 40),
			Metadata: catalog.Metadata{
				Metrics: map[string]catalog.Metric{"auc": {Value: 0.8, Low: &low, High: &high, N: 100}}, SampleSizes: map[string]int64{"train": 100}, Libraries: map[string]string{"numpy": "2.1.0"},
			},
		}})
	})
}

// ask asks for a release to production, and returns the request.
func (b bench) ask(t testing.TB, who access.Principal, version string) string {
	t.Helper()
	asking := release.Asking{Model: "credit", Version: version, Environment: "production", Reason: "better"}
	return b.must(t, who, func(tx *state.Tx) (trail.Change, error) { return b.Ask(tx, asking, who) }).ID
}

func (b bench) review(t testing.TB, who access.Principal, request string, verdict release.Opinion) error {
	t.Helper()
	_, err := b.as(t, who, one(func(tx *state.Tx) (trail.Change, error) {
		return b.Review(tx, release.Opining{Request: request, Verdict: verdict, Comment: "looked at it"}, who)
	}))
	return err
}

// promote judges and carries out, with between in the middle.
func (b bench) promote(t testing.TB, who access.Principal, request string, between func()) (tallystick.Verdict, error) {
	t.Helper()
	j, err := b.Judge(t.Context(), request)
	if err != nil {
		return "", err
	}
	if between != nil {
		between()
	}
	_, err = b.as(t, who, func(tx *state.Tx) ([]trail.Change, error) { return b.Promote(tx, j) })
	return j.Decision.Verdict, err
}

func (b bench) champion(t testing.TB) string {
	t.Helper()
	s, err := b.Standing(t.Context(), "production", "credit")
	if err != nil {
		t.Fatal(err)
	}
	if s.Champion == nil {
		return ""
	}
	return s.Champion.Version
}

// replay holds the tables against the trail.
func (b bench) replay(t testing.TB) error {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }()
	all := trail.Replayer{Changes: catalog.Changes(), Tables: slices.Concat(catalog.Tables(), access.Tables(), release.Tables())}
	for _, changes := range []map[trail.Type]func() trail.Change{access.Changes(), release.Changes()} {
		for kind, fresh := range changes {
			all.Changes[kind] = fresh
		}
	}
	_, err = all.Check(t.Context(), b.events, scratch)
	return err
}

func wantCode(t testing.TB, err error, code tallystick.Code, words string) {
	t.Helper()
	if tallystick.CodeOf(err) != code || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want %s with %q", err, code, words)
	}
}

// TestRelease plays a release from the question to the promotion.
func TestRelease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob, olga := b.person(t, "ada", access.Scientist, access.Approver), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
	b.version(t, ada, "1")
	request := b.ask(t, ada, "1")
	if verdict, err := b.promote(t, olga, request, nil); verdict != tallystick.Fail || err != nil || b.champion(t) != "" {
		t.Fatalf("without an approval: %s, %v, champion %q", verdict, err, b.champion(t))
	}
	wantCode(t, b.review(t, ada, request, release.Approve), tallystick.Forbidden, "the author of a release does not approve it")
	if err := b.review(t, bob, request, release.Approve); err != nil {
		t.Fatal(err)
	}
	if verdict, err := b.promote(t, olga, request, nil); verdict != tallystick.Pass || err != nil || b.champion(t) != "1" {
		t.Fatalf("with an approval: %s, %v, champion %q", verdict, err, b.champion(t))
	}
	_, err := b.promote(t, olga, request, nil)
	wantCode(t, err, tallystick.Conflict, "was promoted")
	decisions, err := b.Decisions(t.Context(), release.Filter{Model: "credit"})
	if err != nil || len(decisions) != 2 || decisions[0].Verdict != tallystick.Pass || !slices.Equal(decisions[1].Denied, []string{"test.approved"}) {
		t.Errorf("decisions %+v, %v", decisions, err)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec("UPDATE gate_decisions SET verdict = 'pass'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.replay(t), tallystick.Invalid, "gate_decisions")
}

// TestRollback goes back to what the gate let in before, and never to what a rollback has left. Each release is measured against
// what it replaced.
func TestRollback(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob, olga := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
	back := func() string {
		t.Helper()
		s, err := b.Standing(t.Context(), "production", "credit")
		if err != nil {
			t.Fatal(err)
		}
		if s.LastCompliant == nil {
			return ""
		}
		return s.LastCompliant.Version
	}
	let := func(a release.Asking) {
		t.Helper()
		a.Model, a.Environment = "credit", "production"
		request := b.must(t, ada, func(tx *state.Tx) (trail.Change, error) { return b.Ask(tx, a, ada) }).ID
		if err := b.review(t, bob, request, release.Approve); err != nil {
			t.Fatal(err)
		}
		if verdict, err := b.promote(t, olga, request, nil); verdict != tallystick.Pass || err != nil {
			t.Fatalf("%+v: %s, %v", a, verdict, err)
		}
	}
	promote := func(version string) {
		t.Helper()
		b.version(t, ada, version)
		let(promotion(version))
	}
	want := func(champion, before string) {
		t.Helper()
		if is, goes := b.champion(t), back(); is != champion || goes != before {
			t.Errorf("champion %q, back to %q; want %q, %q", is, goes, champion, before)
		}
	}
	promote("1")
	want("1", "")
	promote("2")
	want("2", "1")
	promote("3")
	want("3", "2")
	let(rollback("2"))
	want("2", "1")
	let(rollback("1"))
	want("1", "")
	promote("4")
	want("4", "1")
	_, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) { // which nobody was asked about
		return b.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: "3", Role: catalog.Champion, Observed: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	want("3", "4")
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.MarkVersion(tx, catalog.VersionMark{Model: "credit", Version: "4", State: catalog.Withdrawn, Reason: "it leaks"})
	})
	want("3", "1")
	b.version(t, ada, "5")
	b.ask(t, ada, "5")
	requests, err := b.Requests(t.Context(), release.Filter{Model: "credit"})
	if err != nil {
		t.Fatal(err)
	}
	var rivals []string
	for _, r := range requests {
		rival, err := b.Rival(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if rival == nil {
			rival = new(catalog.Assignment)
		}
		rivals = append(rivals, r.Version+" against "+rival.Version)
	}
	if diff := cmp.Diff([]string{"5 against 3", "4 against 1", "1 against 2", "2 against 3", "3 against 2", "2 against 1", "1 against "}, rivals); diff != "" {
		t.Errorf("rivals (-want +got):\n%s", diff)
	}
	if _, err := b.Standing(t.Context(), "nowhere", "credit"); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("no such environment: %v", err)
	}
}

func promotion(version string) release.Asking {
	return release.Asking{Version: version, Reason: "better"}
}

func rollback(version string) release.Asking {
	return release.Asking{Kind: release.Rollback, Version: version, Reason: "worse"}
}

// TestTwoPromote carries out one request from many sides at once: it happens once.
func TestTwoPromote(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob, olga := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
	b.version(t, ada, "1")
	request := b.ask(t, ada, "1")
	if err := b.review(t, bob, request, release.Approve); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := b.promote(t, olga, request, nil)
			switch tallystick.CodeOf(err) {
			case "":
				won.Add(1)
			case tallystick.Conflict:
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d promotions, want 1", won.Load())
	}
}

// TestNothingChangesBetween changes each kind of fact after the gate has judged and before it is carried
// out: nothing is promoted then.
func TestNothingChangesBetween(t *testing.T) {
	t.Parallel()
	one := func(propose func(b bench, tx *state.Tx) (trail.Change, error)) func(*testing.T, bench, string, access.Principal) {
		return func(t *testing.T, b bench, _ string, _ access.Principal) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return propose(b, tx) })
		}
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, b bench, request string, bob access.Principal)
		want   string
	}{
		"the model": {one(func(b bench, tx *state.Tx) (trail.Change, error) {
			return b.catalog.UpdateModel(tx, catalog.ModelUpdate{Model: "credit", Fields: []string{"summary"}, Details: catalog.ModelDetails{Summary: "another"}})
		}), "model changed"},
		"the version": {one(func(b bench, tx *state.Tx) (trail.Change, error) {
			return b.catalog.MarkVersion(tx, catalog.VersionMark{Model: "credit", Version: "1", State: catalog.Deprecated, Reason: "old"})
		}), "version changed"},
		"the environment": {one(func(b bench, tx *state.Tx) (trail.Change, error) {
			return b.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "production", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Gated, Residency: "here"}})
		}), "environment changed"},
		"the end of what serves": {func(t *testing.T, b bench, request string, bob access.Principal) {
			if _, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) {
				return b.catalog.EndAssignment(tx, catalog.AssignmentEnd{Environment: "production", Model: "credit", Version: "0", Observed: true})
			}); err != nil {
				t.Fatal(err)
			}
		}, "champion, findings changed"},
		"evidence": {func(t *testing.T, b bench, _ string, _ access.Principal) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
				return b.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: "credit", Version: "1", Details: catalog.EvidenceDetails{Kind: catalog.NoteEvidence, Note: "wait"}})
			})
		}, "evidence changed"},
		"freeze": {func(t *testing.T, b bench, _ string, _ access.Principal) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.Freeze(tx, release.Freezing{Reason: "incident"}) })
		}, "freezes changed"},
		"rejection": {func(t *testing.T, b bench, request string, bob access.Principal) {
			if err := b.review(t, bob, request, release.Reject); err != nil {
				t.Fatal(err)
			}
		}, "was rejected"},
		"withdrawal": {func(t *testing.T, b bench, request string, _ access.Principal) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.Withdraw(tx, request, "") })
		}, "was withdrawn"},
		"roles of the approver": {func(t *testing.T, b bench, _ string, bob access.Principal) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.access.Revoke(tx, bob.ID, access.Approver) })
		}, "the right of an approver changed"},
		"the end of the approval": {func(_ *testing.T, b bench, _ string, _ access.Principal) { b.ahead.Add(31 * 24 * 3600) }, "expired"},
		"a minute":                {func(_ *testing.T, b bench, _ string, _ access.Principal) { b.ahead.Add(61) }, "the time"},
		"another champion": {func(t *testing.T, b bench, _ string, _ access.Principal) {
			b.version(t, root, "2")
			_, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) {
				return b.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: "2", Role: catalog.Champion, Observed: true})
			})
			if err != nil {
				t.Fatal(err)
			}
		}, "champion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada, bob, olga := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
			b.version(t, ada, "0")
			if _, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) {
				return b.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: "0", Role: catalog.Champion, Observed: true})
			}); err != nil {
				t.Fatal(err)
			}
			b.version(t, ada, "1")
			request := b.ask(t, ada, "1")
			if err := b.review(t, bob, request, release.Approve); err != nil {
				t.Fatal(err)
			}
			_, err := b.promote(t, olga, request, func() { test.change(t, b, request, bob) })
			wantCode(t, err, tallystick.Conflict, test.want)
			if b.champion(t) == "1" {
				t.Error("it was promoted all the same")
			}
		})
	}
}

// TestWaiverNeedsAnother keeps those who own a waiver, or asked for it, from approving it.
func TestWaiverNeedsAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob := b.person(t, "ada", access.Scientist, access.Approver), b.person(t, "bob", access.Approver)
	b.version(t, ada, "1")
	waiving := release.Waiving{
		Model: "credit", Version: "1", Environment: "production", Rule: "test.approved", Owner: "carol", Reason: "nobody is there", Control: "two look later",
		Expires: time.Now().Add(time.Hour),
	}
	id := b.must(t, ada, func(tx *state.Tx) (trail.Change, error) { return b.RequestWaiver(tx, waiving) }).ID
	approve := func(who access.Principal) error {
		_, err := b.as(t, who, one(func(tx *state.Tx) (trail.Change, error) { return b.ReviewWaiver(tx, id, release.Approve, "", who) }))
		return err
	}
	wantCode(t, approve(ada), tallystick.Forbidden, "somebody else has to review it")
	wantCode(t, approve(access.Principal{ID: "usr_robot", Kind: access.KindService}), tallystick.Forbidden, "is a person's")
	if err := approve(bob); err != nil {
		t.Fatal(err)
	}
	j, err := b.Judge(t.Context(), b.ask(t, ada, "1"))
	if err != nil || j.Decision.Verdict != tallystick.Pass || j.Decision.Rules[0].Status != policy.Waived {
		t.Errorf("with the waiver: %+v, %v", j.Decision, err)
	}
	b.must(t, bob, func(tx *state.Tx) (trail.Change, error) { return b.RevokeWaiver(tx, id, "over") })
	if j, err = b.Ponder(t.Context(), release.Asking{Model: "credit", Version: "1", Environment: "production"}); err != nil || j.Decision.Verdict != tallystick.Fail {
		t.Errorf("without it: %+v, %v", j.Decision, err)
	}
	waiving.Rule = "test.aproved"
	_, err = b.as(t, ada, one(func(tx *state.Tx) (trail.Change, error) { return b.RequestWaiver(tx, waiving) }))
	wantCode(t, err, tallystick.Invalid, "no rule")
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}

// TestDecisionReplays takes a decision again from its stored input.
func TestDecisionReplays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.version(t, root, "1")
	j, err := b.Ponder(t.Context(), release.Asking{Model: "credit", Version: "1", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) { return b.Record(tx, j) })
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Replay(t.Context(), receipt.ID)
	if err != nil || !reflect.DeepEqual(again, j.Decision) {
		t.Errorf("again %+v, %v; first %+v", again, err, j.Decision)
	}
	files, err := policy.Kept(t.Context(), b.store, j.Decision.Policy)
	if err != nil || len(files) == 0 {
		t.Fatalf("the policy is not in the store: %d files, %v", len(files), err)
	}
	later := release.New(b.config(policy.Packs("")))
	if again, err := later.Again(t.Context(), receipt.ID); err != nil || !again.Same || again.Decision.Policy != j.Decision.Policy {
		t.Errorf("by another policy now: %+v, %v", again, err)
	}
	b.enclosed(t, receipt.ID, j)
}

// enclosed looks at where the document of a decision lies: with its event, and, of an older release, in a file.
func (b bench) enclosed(t *testing.T, id string, j release.Judgement) {
	t.Helper()
	document, err := b.store.Enclosed(t.Context(), b.db, j.Decision.Input)
	if err != nil || b.store.Has(t.Context(), j.Decision.Input) {
		t.Fatalf("the event does not enclose the document, or it is in a file too: %v", err)
	}
	put := func(query string, args ...any) {
		t.Helper()
		if err := b.db.Write(t.Context(), func(tx *state.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	put("UPDATE enclosed_evidence SET body = ? WHERE digest = ?", []byte("{}"), string(j.Decision.Input))
	if _, err := b.Replay(t.Context(), id); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a document that was changed replays: %v", err)
	}
	put("DELETE FROM enclosed_evidence WHERE digest = ?", string(j.Decision.Input))
	_, err = b.Replay(t.Context(), id)
	wantCode(t, err, tallystick.NotFound, "")
	if _, err := b.store.Put(t.Context(), document); err != nil {
		t.Fatal(err)
	}
	if again, err := b.Replay(t.Context(), id); err != nil || !reflect.DeepEqual(again, j.Decision) {
		t.Errorf("from the file of an older release: %+v, %v", again, err)
	}
}
