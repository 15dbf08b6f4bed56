package witness

import (
	"bytes"
	"testing"
)

// example is the request body that https://c2sp.org/tlog-witness@v1.0.0 shows.
const example = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`

func TestParseRequest(t *testing.T) {
	t.Parallel()
	r, err := ParseRequest([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseHead(r.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if r.Old != 20852014 || len(r.Proof) != 4 || h.origin != "example.com/behind-the-sofa" || h.size != 20852163 {
		t.Errorf("%+v, %+v", r, h)
	}
}

// FuzzRequest reads nothing that it would not write the same, and looks into what it reads without
// falling over.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(example))
	h := newHistory(f, testOrigin)
	h.grow(300, "entry")
	f.Add(h.request(0, 0).Marshal())
	f.Add(h.request(7, 300).Marshal())
	f.Add([]byte("old 0\n\nx\n"))
	f.Add([]byte("old 18446744073709551615\n\norigin\n18446744073709551615\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseRequest(body)
		if err != nil {
			return
		}
		if again := r.Marshal(); !bytes.Equal(again, body) {
			t.Errorf("%q is written as %q", body, again)
		}
		if head, err := parseHead(r.Checkpoint); err == nil && (head.origin == "" || !bytes.HasPrefix(r.Checkpoint, []byte(head.text))) {
			t.Errorf("%q is read as %+v", r.Checkpoint, head)
		}
	})
}
