package verify

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/tallystick/tallystick"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   any
		want string
	}{
		// RFC 8785 section 3.2.3: the example of sorting, in its order.
		{map[string]any{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
			"1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"},
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\"," +
				"\"\u20ac\":\"Euro Sign\",\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		// RFC 8785 section 3.2.2: the example's text and literals.
		{"\u20ac$\u000f\nA'B\"\\\\\"/", "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""},
		{[]any{nil, true, false}, `[null,true,false]`},
		{"\u2028\u007f<>&", "\"\u2028\u007f<>&\""},
		{int64(maxSafeInteger), `9007199254740991`},
		{int64(-maxSafeInteger), `-9007199254740991`},
		{int64(maxSafeInteger + 1), `"9007199254740992"`},
		{int64(math.MinInt64), `"-9223372036854775808"`},
		{uint64(math.MaxUint64), `"18446744073709551615"`},
		{json.Number("9007199254740993"), `"9007199254740993"`},
		{json.Number("1.50"), `1.5`},
		{json.Number("-0"), `0`},
		{tallystick.Pass, `"pass"`},
		{struct {
			B int    `json:"b"`
			A uint64 `json:"a"`
		}{1, math.MaxUint64}, `{"a":"18446744073709551615","b":1}`},
		{map[string]string{"b": "1", "a": "2"}, `{"a":"2","b":"1"}`},
		{json.RawMessage(`{"b":1, "a":2}`), `{"a":2,"b":1}`},
		{[]string{}, `[]`},
	} {
		got, err := Canonical(tc.in)
		if err != nil || string(got) != tc.want {
			t.Errorf("Canonical(%v) = %s, %v; want %s", tc.in, got, err, tc.want)
		}
	}
}

// RFC 8785 appendix B: numbers by their bits.
func TestCanonicalNumbers(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000", 0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21", 0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325",
		0x41b3de4355555555: "333333333.3333333", 0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343", 0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := Canonical(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("Canonical(%#x) = %s, %v; want %s", bits, got, err, want)
		}
	}
}

// FuzzCanonical compares our writer with another implementation on any JSON that both read.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"b":[1,2.5,-0,1e-7,1e21],"a":"\u20ac\n\u0001"}`, `"\ud83d\ude00"`, `{"\ue000":1,"\ud83d\ude00":2}`, `[[[]]]`, `123456789012345680000`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := jcs.Transform(data)
		if err != nil {
			return
		}
		var v any
		if json.Unmarshal(data, &v) != nil {
			return // a number beyond float64
		}
		got, err := Canonical(v)
		if err == nil && string(got) != string(want) {
			t.Fatalf("Canonical = %s, jcs.Transform = %s", got, want)
		}
	})
}

// FuzzParseCanonical: the parser accepts exactly the documents that encoding/json reads and our
// writer writes again byte for byte, and reads them alike.
func FuzzParseCanonical(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[true,false,null,"x"],"c":{}}`, `{"b":1,"a":2}`, `{"a":1,"a":1}`, ` 1`, `1 `, `1.0`, `-0`, `1e21`, `1e+21`, `01`, `+1`, `.5`, `Infinity`, `0x1`, `1_0`,
		`"\u0001\u001f\n\"\\"`, `"\u000a"`, `"\u001F"`, `"\u0020"`, `"\/"`, `"\ud800"`, `"€😀"`, "\"\xff\"", "\"\x01\"", `"\u00`, `"\`, `"`, `[1,]`, `{"a"}`, `[1`, `nul`, ``,
		`{"😀":1,"\ue000":2}`, `{"\ue000":1,"😀":2}`, strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 66) + strings.Repeat("]", 66),
	} {
		f.Add([]byte(strings.ReplaceAll(seed, `\ue000`, "\ue000")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want any
		wanted := json.Unmarshal(data, &want) == nil
		if wanted {
			again, err := Canonical(want)
			wanted = err == nil && string(again) == string(data)
		}
		got, err := parseCanonical(string(data))
		if (err == nil) != wanted {
			t.Fatalf("%q: accepted %v (%v), want %v", data, err == nil, err, wanted)
		}
		if wanted && !reflect.DeepEqual(want, got) { // package cmp takes 2^depth steps for nested arrays
			t.Fatalf("%q: read as %v, want %v", data, got, want)
		}
	})
}

// FuzzCanonicalNumber does the same for every number.
func FuzzCanonicalNumber(f *testing.F) {
	f.Add(uint64(0x3eb0c6f7a0b5ed8c))
	f.Fuzz(func(t *testing.T, bits uint64) {
		want, wantErr := jcs.NumberToJSON(math.Float64frombits(bits))
		got, err := appendFloat(nil, math.Float64frombits(bits))
		if (err == nil) != (wantErr == nil) || err == nil && string(got) != want {
			t.Fatalf("%#x: %s, %v; want %s, %v", bits, got, err, want, wantErr)
		}
	})
}
