package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data, err := f.trust.Marshal()
	f.check(err)
	var indented bytes.Buffer
	f.check(json.Indent(&indented, data, "", "\t"))
	for _, form := range [][]byte{data, indented.Bytes()} {
		got, err := ParseTrust(form)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f.trust, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestParseTrustRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data, err := f.trust.Marshal()
	f.check(err)
	good := string(data)
	statement, logKey := f.key(RoleStatement), f.key(RoleLog)
	for name, tc := range map[string]struct{ from, to string }{
		"unknown member":          {`{"keys"`, `{"comment":"","keys"`},
		"unknown member of key":   {`{"algorithm"`, `{"comment":"","algorithm"`},
		"repeated member":         {`{"keys"`, `{"origin":"x","keys"`},
		"other case":              {`"origin"`, `"Origin"`},
		"schema":                  {`trust/v1`, `trust/v2`},
		"no origin":               {`"origin":"` + testOrigin + `"`, `"origin":""`},
		"null keys":               {good[strings.Index(good, `[{`) : strings.LastIndex(good, `}]`)+2], `null`},
		"role":                    {`"role":"log"`, `"role":"root"`},
		"role of another key":     {`"role":"log"`, `"role":"witness"`},
		"status":                  {`"status":"active"`, `"status":"fine"`},
		"retired without end":     {`"status":"active"`, `"status":"retired"`},
		"compromised without end": {`"status":"active"`, `"status":"compromised"`},
		"index as a text":         {`"from_index":0`, `"from_index":"1"`},
		"algorithm":               {AlgorithmECDSA, AlgorithmEd25519},
		"id of another key":       {`"id":"` + statement.ID, `"id":"` + logKey.ID},
		"empty predicate type":    {PredicateReport, ``},
		"missing until_index":     {`,"until_index":null`, ``},
		"negative index":          {`"from_index":0`, `"from_index":-1`},
		"number for a text":       {`"role":"log"`, `"role":1`},
		"vkey without hash":       {logKey.PublicKey, testOrigin},
		"trailing data":           {`trust/v1"}`, `trust/v1"}{}`},
	} {
		changed := strings.Replace(good, tc.from, tc.to, 1)
		if changed == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseTrust([]byte(changed)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseTrust = %v, want Invalid", name, err)
		}
	}
	for name, change := range map[string]func(*Trust){
		"key twice":                     func(t *Trust) { t.Keys = append(t.Keys, t.Keys[0]) },
		"range backwards":               func(t *Trust) { t.Keys[0].FromIndex, t.Keys[0].UntilIndex = 3, ptr[uint64](2) },
		"predicate types of a log key":  func(t *Trust) { t.Keys[0].PredicateTypes = []string{PredicateReport} },
		"statement key for nothing":     func(t *Trust) { t.Keys[1].PredicateTypes = nil },
		"log key of another origin":     func(t *Trust) { t.Origin = "example.org/other" },
		"too many keys":                 func(t *Trust) { t.Keys = make([]Key, maxKeys+1) },
		"compromised_from of an active": func(t *Trust) { t.Keys[0].CompromisedFrom = ptr[uint64](2) },
		"P-384":                         func(t *Trust) { t.Keys[1] = otherCurve() },
	} {
		trust := f.trust
		trust.Keys = append([]Key{}, f.trust.Keys...)
		change(&trust)
		if err := trust.Validate(); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: Validate = %v, want Invalid", name, err)
		}
		if _, err := trust.Marshal(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func otherCurve() Key {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		panic(err)
	}
	id, err := KeyID(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return Key{ID: id, Role: RoleStatement, Algorithm: AlgorithmECDSA, PredicateTypes: []string{AnyPredicate}, Status: StatusActive}
}

func TestTrustFromKeysRefuses(t *testing.T) {
	t.Parallel()
	f, other := newFixture(t), newFixture(t)
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	f.check(err)
	statement := publicPEM(t, &f.statement.PublicKey)
	otherOrigin := strings.Replace(other.logVKey, testOrigin, "example.org/other", 1) // its hash is wrong then, too
	for name, files := range map[string][][]byte{
		"none":             {},
		"no log key":       {statement},
		"key twice":        {[]byte(f.logVKey), []byte(f.logVKey)},
		"two PEM blocks":   {[]byte(f.logVKey), append(bytes.Clone(statement), statement...)},
		"private key":      {[]byte(f.logVKey), bytes.ReplaceAll(statement, []byte("PUBLIC"), []byte("PRIVATE"))},
		"Ed25519 in PEM":   {[]byte(f.logVKey), publicPEM(t, pub)},
		"wrong hash":       {[]byte(otherOrigin)},
		"not a key":        {[]byte("hello")},
		"empty":            {nil},
		"two lines":        {[]byte(f.logVKey + "\n" + other.logVKey)},
		"PEM with rubbish": {[]byte(f.logVKey), []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")},
		"signer key":       {[]byte("PRIVATE+KEY+" + f.logVKey)},
		"P-384 in PEM":     {[]byte(f.logVKey), p384PEM(t)},
	} {
		if _, err := TrustFromKeys(files...); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: TrustFromKeys = %v, want Invalid", name, err)
		}
	}
}

func p384PEM(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return publicPEM(t, &key.PublicKey)
}

// FuzzTrust: what is accepted has one canonical form, which is accepted too.
func FuzzTrust(f *testing.F) {
	data, err := newFixture(f).trust.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"` + TrustSchema + `","origin":"o","keys":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := ParseTrust(data)
		if err != nil {
			return
		}
		again, err := trust.Marshal()
		if err != nil {
			t.Fatalf("accepted but not written: %v", err)
		}
		trust2, err := ParseTrust(again)
		if err != nil || !cmp.Equal(trust, trust2) {
			t.Fatalf("round trip: %v\n%s", err, cmp.Diff(trust, trust2))
		}
	})
}
