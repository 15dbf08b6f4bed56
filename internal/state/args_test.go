package state

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tallystick/tallystick"
)

// TestValues writes values of every type that an argument may have, and reads them back into every
// type that fits.
func TestValues(t *testing.T) { databases(t, testValues) }

func testValues(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	type named string
	digest := tallystick.DigestOf([]byte("x"))
	err := db.Write(t.Context(), func(tx *Tx) error {
		return create(tx, "CREATE TABLE cells (id INTEGER NOT NULL PRIMARY KEY, t TEXT, n INTEGER, r REAL, b BLOB) STRICT")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *Tx) error {
		for i, row := range [][]any{
			{"text'?\"", 7, 1.5, []byte{0, 255}},
			{named("named"), int64(-1 << 62), float64(2), []byte{}},
			{digest, true, 0.1, []byte("x")},
			{"", uint64(1 << 40), -1e300, []byte("y")},
			{nil, nil, nil, nil},
			{(*string)(nil), false, nil, []byte(nil)},
		} {
			if _, err := tx.Exec("INSERT INTO cells (id, t, n, r, b) VALUES (?, ?, ?, ?, ?)", append([]any{i}, row...)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		T, N, R, B any
	}
	var got []row
	err = db.Read(t.Context(), func(tx *Tx) error {
		got = nil
		rows, err := tx.Query("SELECT t, n, r, b FROM cells ORDER BY id")
		if err != nil {
			return err
		}
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.T, &r.N, &r.R, &r.B); err != nil {
				return err
			}
			got = append(got, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var n named
		var d tallystick.Digest
		var yes, exists bool
		var u uint64
		var i int
		var b []byte
		var sum int64
		err = tx.QueryRow(`SELECT (SELECT t FROM cells WHERE id = 1), (SELECT t FROM cells WHERE id = 2), (SELECT n FROM cells WHERE id = 2),
			EXISTS (SELECT 1 FROM cells WHERE n = ?), (SELECT n FROM cells WHERE id = 3), count(*), (SELECT b FROM cells WHERE id = 0),
			sum(n) FROM cells WHERE id IN (0, 2)`, 7).Scan(&n, &d, &yes, &exists, &u, &i, &b, &sum)
		if err != nil || n != "named" || d != digest || !yes || !exists || u != 1<<40 || i != 2 || string(b) != "\x00\xff" || sum != 8 {
			t.Errorf("%v: %q %q %t %t %d %d %q %d", err, n, d, yes, exists, u, i, b, sum)
		}
		return nil
	})
	want := []row{
		{"text'?\"", int64(7), 1.5, []byte{0, 255}},
		{"named", int64(-1 << 62), float64(2), []byte{}},
		{string(digest), int64(1), 0.1, []byte("x")},
		{"", int64(1 << 40), -1e300, []byte("y")},
		{},
		{N: int64(0)},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestValuesRefused(t *testing.T) { databases(t, testValuesRefused) }

func testValuesRefused(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	for name, arg := range map[string]any{"U+0000": "a\x00b", "not UTF-8": "a\xffb", "a time": time.Now(), "too large": uint64(1) << 63, "a struct": struct{}{}} {
		err := db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO notes (note) VALUES (?)", arg)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "argument 1") {
			t.Errorf("%s: %v", name, err)
		}
		err = db.Read(t.Context(), func(tx *Tx) error {
			_, err := tx.Query("SELECT id FROM notes WHERE note = ?", arg)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "argument 1") {
			t.Errorf("%s in a query: %v", name, err)
		}
	}
	err := db.Write(t.Context(), insert("a\x00b"))
	if tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("U+0000 is %v", err)
	}
	if err := db.Write(t.Context(), insert("sound")); err != nil {
		t.Error(err)
	}
}

// TestPortableSQL runs what the comment of the package allows.
func TestPortableSQL(t *testing.T) { databases(t, testPortableSQL) }

func testPortableSQL(t *testing.T, fresh func(testing.TB) Config) {
	db := open(t, fresh(t))
	err := db.Write(t.Context(), func(tx *Tx) error {
		return create(tx, "CREATE TABLE edges (source TEXT NOT NULL, target TEXT NOT NULL, weight INTEGER, PRIMARY KEY (source, target)) STRICT, WITHOUT ROWID")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *Tx) error {
		for _, e := range [][2]string{{"a", "b"}, {"b", "C"}, {"C", "é"}, {"Z", "b"}} {
			for range 2 {
				var weight int
				err := tx.QueryRow("INSERT INTO edges (source, target, weight) VALUES (?, ?, 1) ON CONFLICT (source, target) DO UPDATE SET weight = edges.weight + excluded.weight RETURNING weight", e[0], e[1]).Scan(&weight)
				if err != nil {
					return err
				}
			}
		}
		result, err := tx.Exec("INSERT INTO edges (source, target) SELECT source, target FROM edges WHERE true ON CONFLICT DO NOTHING")
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n != 0 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
		_, err = tx.Exec("INSERT INTO edges (source, target) VALUES (?, ?)", "x", "y")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT source FROM edges ORDER BY source", nil, "C Z a b x"},
		{"SELECT source FROM edges WHERE source > ? ORDER BY source LIMIT ?", []any{"Z", 2}, "a b"},
		{"SELECT source FROM edges ORDER BY weight NULLS FIRST, source", nil, "x C Z a b"},
		{"WITH RECURSIVE up (id) AS (SELECT source FROM edges WHERE target = ? UNION SELECT e.source FROM edges e JOIN up ON e.target = up.id) SELECT id FROM up ORDER BY id", []any{"é"}, "C Z a b"},
		{"SELECT target FROM edges WHERE lower(target) LIKE ? ESCAPE '\\' ORDER BY target", []any{"c%"}, "C"},
		{"SELECT source FROM edges WHERE (source, target) > (?, ?) ORDER BY source, target LIMIT 2", []any{"a", "a"}, "a b"},
		{"SELECT source FROM edges WHERE weight IS NOT DISTINCT FROM ?", []any{nil}, "x"},
		{"SELECT CAST(? AS TEXT) || '?' -- ?", []any{"what"}, "what?"},
		{"SELECT CASE WHEN weight = ? THEN 'two' ELSE source END FROM edges GROUP BY weight, source ORDER BY source", []any{2}, "two two two two x"},
		{"SELECT t.source FROM (SELECT source, count(*) AS n FROM edges GROUP BY source) AS t WHERE t.n = 1 AND t.source IN (?, ?) ORDER BY 1", []any{"a", "x"}, "a x"},
	} {
		var got []string
		err := db.Read(t.Context(), func(tx *Tx) error {
			got = nil
			rows, err := tx.Query(test.query, test.args...)
			if err != nil {
				return err
			}
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				got = append(got, s)
			}
			return rows.Err()
		})
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, %v, want %q", test.query, got, err, test.want)
		}
	}
}
