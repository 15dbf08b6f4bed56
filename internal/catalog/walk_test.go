package catalog_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestRandomActsAreReplayed walks at random through all that can be done to models, versions and evidence; refusals are part of it.
// Then the trail must make the same tables, and must not agree once any column of any row has been touched.
func TestRandomActsAreReplayed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const seed = 7
	random := rand.New(rand.NewPCG(seed, seed))
	pick := func(names ...string) string { return names[random.IntN(len(names))] }
	model := func() string { return pick("a", "b", "c", "d") }
	version := func() string { return pick("1", "2", "3") }
	details := func() catalog.ModelDetails {
		d := catalog.ModelDetails{
			State: catalog.ModelState(pick("", "active", "experimental")), Owner: pick("", "alice", "bob"), SREOwner: pick("", "carol"),
			PhaseOwners: map[string]string{"training": pick("erin", "frank")}, Purpose: pick("", "x"), AcceptableUse: pick("", "y"), Summary: pick("", "z"), TierStated: tallystick.Tier(pick("", "low", "limited", "high")),
			Answers: harmless(map[string]string{"safety": pick("none", "indirect", "direct"), "reach": pick("team", "public")}),
			Labels:  map[string]string{"team": pick("r", "s")},
		}
		if d.ThirdParty = random.IntN(4) == 0; d.ThirdParty {
			d.Supplier, d.SupplierContract = "s", pick("", "contract 9")
		}
		return d
	}
	acts := []func() proposal{
		func() proposal {
			return b.register(catalog.ModelRegistration{Name: model(), ModelDetails: details(), Reason: pick("", "needed")})
		},
		func() proposal {
			fields := []string{"state", "tier_stated", "answers", "owner", "sre_owner", "phase_owners", "intended_purpose", "acceptable_use", "summary", "labels"}
			random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
			return b.update(catalog.ModelUpdate{Model: model(), Fields: fields[:random.IntN(4)], Details: details(), IfRevision: int64(random.IntN(3))})
		},
		func() proposal { return b.retire(model(), pick("", "old"), pick("", "b", "d")) },
		func() proposal { return b.audited(model(), tallystick.Tier(pick("", "limited", "high")), "") },
		func() proposal { return b.version(model(), version()) },
		func() proposal {
			r := catalog.VersionRegistration{Model: model(), Version: version(), Details: complete()}
			if random.IntN(3) > 0 {
				r.Manifest = manifestOf(t, map[string]string{"w": pick("1", "2")})
			}
			return b.registerVersion(r)
		},
		func() proposal {
			return b.mark(model(), version(), catalog.VersionState(pick("registered", "deprecated", "withdrawn")), pick("", "leaks"))
		},
		func() proposal {
			return b.attach(model(), pick("", version()), catalog.EvidenceDetails{
				Kind: catalog.EvidenceKind(pick("evaluation", "scan", "ticket", "note", "document")), Name: pick("", "model-card"), Note: pick("", "n"),
				System: pick("", "tracker"), Reference: pick("", "R-1"), Digest: tallystick.Digest(pick("", string(digest("e")))), Verdict: tallystick.Verdict(pick("", "pass", "fail")),
			})
		},
		func() proposal { return b.criteria(pick("x", "y", "z")) },
		func() proposal {
			m, v := model(), version()
			return func(tx *state.Tx) (trail.Change, error) {
				if change, err := b.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: m, Version: v, Draft: true}); change != nil || err != nil {
					return change, err
				}
				change := catalog.AuditCompleted{
					Model: m, Version: v, Data: digest(pick("p", "q")), Policy: digest("policy"), Report: digest("report"),
					Verdict: tallystick.Verdict(pick("pass", "fail")), Signer: "key", Contract: tallystick.Digest(pick("", string(digest("c")))),
				}
				change.Criteria = change.Contract
				return &change, nil
			}
		},
	}
	done, refused := 0, map[tallystick.Code]int{}
	for range 700 {
		switch changed, err := b.do(t, acts[random.IntN(len(acts))]()); {
		case err != nil:
			refused[tallystick.CodeOf(err)]++
		case changed:
			done++
		}
	}
	if done < 100 || refused[tallystick.Invalid] == 0 || refused[tallystick.NotFound] == 0 || refused[tallystick.Conflict] == 0 || refused[tallystick.Internal] > 0 {
		t.Errorf("%d acts done, refused %v: the walk does not try what it should", done, refused)
	}
	if changes, err := b.replay(t); err != nil || changes != uint64(done) {
		t.Fatalf("%d of %d changes: %v", changes, done, err)
	}
	for _, table := range catalog.Tables() {
		switch table.Name {
		case "models", "versions", "manifests", "evaluations", "criteria", "evidence":
		default:
			continue
		}
		columns := slices.Concat(table.Columns, table.Sealed)
		for _, i := range random.Perm(len(columns))[:min(3, len(columns))] {
			t.Run(table.Name+"."+columns[i], func(t *testing.T) { touchOne(t, b, table, columns[i]) })
		}
	}
}

// neverWalked are the columns that the walk leaves empty.
func neverWalked() []string {
	return []string{"models.acceptable_use", "models.supplier", "models.supplier_contract", "evidence.predicate_type", "evidence.subject"}
}

// touchOne alters one value of a column, expects to be found out, and puts it back.
func touchOne(t *testing.T, b bench, table trail.Table, column string) {
	key := strings.Join(table.Key, " || '@' || ")
	var row string
	var was any
	err := b.db.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow(fmt.Sprintf("SELECT %s, %s FROM %s WHERE CAST(%s AS TEXT) <> '' ORDER BY %s DESC LIMIT 1", key, column, table.Name, column, column)).Scan(&row, &was)
	})
	if errors.Is(err, sql.ErrNoRows) && slices.Contains(neverWalked(), table.Name+"."+column) {
		return
	}
	if err != nil {
		t.Fatalf("no row has a value there: %v", err)
	}
	set := fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table.Name, column, key)
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec(set, anotherValue(table, column, was), row)
		return err
	})
	if err != nil {
		if !strings.Contains(strings.ToLower(err.Error()), "foreign key") {
			t.Errorf("%s of %s cannot be touched, and not because of what it refers to: %v", column, row, err)
		}
		return
	}
	if _, err := b.replay(t); tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), column) {
		t.Errorf("%v was altered: %v", was, err)
	}
	b.touch(t, set, was, row)
}

// anotherValue returns a value that the column can hold and does not.
func anotherValue(table trail.Table, column string, was any) any {
	among := map[string][]string{
		"models.state": {"experimental", "active"}, "models.tier": {"low", "high"}, "versions.state": {"deprecated", "withdrawn"},
		"evaluations.verdict": {"pass", "fail"}, "evaluations.model": {"a", "b"}, "evidence.model": {"a", "b"},
	}
	for _, value := range among[table.Name+"."+column] {
		if value != was {
			return value
		}
	}
	switch v := was.(type) {
	case int64:
		switch column {
		case "third_party":
			return 1 - v
		case "event", "created":
			return 2 - v%2 // events that are always there
		}
		return v + 1
	default:
		return fmt.Sprint(v, "x")
	}
}
