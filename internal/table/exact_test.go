package table

import (
	"slices"
	"strings"
	"testing"
)

// TestExact: what a number or a time does not hold keeps its digits as text, and what it holds stays as it was.
func TestExact(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "wide.csv", "id,small,mixed,text,gap\n9007199254740993,1,9007199254740993,a,NA\n-9223372036854775808,2,0.5,b,9007199254740995\n")
	plain, exact := mustOpen(t, Options{}, path), mustOpen(t, Options{Exact: true}, path)
	for name, want := range map[string]Column{
		"id":    {Name: "id", Kind: Text, Physical: "string", Integer: true, Was: Number},
		"gap":   {Name: "gap", Kind: Text, Physical: "string", Integer: true, Was: Number},
		"small": {Name: "small", Kind: Number, Physical: "int64", Integer: true},
		"mixed": {Name: "mixed", Kind: Number, Physical: "double"},
		"text":  {Name: "text", Kind: Category, Physical: "string"},
	} {
		if got, err := exact.Column(name); err != nil || got != want {
			t.Errorf("%+v, want %+v, %v", got, want, err)
		}
	}
	if got := mustRead(t, exact, "id"); !slices.Equal(got, []any{"9007199254740993", "-9223372036854775808"}) {
		t.Errorf("digits are lost: %v", got)
	}
	if c, err := plain.Column("id"); err != nil || c.Kind != Number || c.Was != "" {
		t.Errorf("without the option: %+v, %v", c, err)
	}
	if w := strings.Join(exact.Warnings(), "\n"); strings.Contains(w, `"id"`) || !strings.Contains(w, `"mixed"`) {
		t.Errorf("warnings %q", w)
	}

	file := mustOpen(t, Options{Exact: true, Categories: []string{"i64"}}, "testdata/plain-none-v1.parquet")
	for name, was := range map[string]Kind{"u64": Number, "last": Number, "ms": Time, "date": Time, "i32": "", "f64": "", "money": "", "i64": "", "text": ""} {
		if c, err := file.Column(name); err != nil || c.Was != was || (c.Kind == Text) != (was != "") {
			t.Errorf("%+v, want %q, %v", c, was, err)
		}
	}
	if got := mustRead(t, file, "u64"); got[0] != "9223372036854775808" {
		t.Errorf("digits are lost: %v", got[0])
	}
}

// TestMoments: times that nanoseconds in 64 bits do not reach are written as they are.
func TestMoments(t *testing.T) {
	t.Parallel()
	day, ms := leaf{meaning: meansTime, unit: 24 * 3600 * 1e9}, leaf{meaning: meansTime, unit: 1e6}
	for want, got := range map[string][]byte{
		"0001-01-01T00:00:00Z":           day.appendInt(nil, -719162),
		"9999-12-31T00:00:00Z":           day.appendInt(nil, 2932896),
		"1969-12-31T23:59:59.999Z":       ms.appendInt(nil, -1),
		"9999-12-31T23:59:59.999Z":       ms.appendInt(nil, 253402300799999),
		"292278994-08-17T07:12:55.807Z":  ms.appendInt(nil, 1<<63-1), // as java.time.Instant has it
		"-292275055-05-16T16:47:04.192Z": ms.appendInt(nil, -1<<63),
	} {
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
