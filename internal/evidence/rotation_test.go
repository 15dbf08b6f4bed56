package evidence

import (
	"bytes"
	"testing"

	"github.com/tallystick/tallystick/verify"
)

// FuzzRotation asks that what is accepted is written back as it was.
func FuzzRotation(f *testing.F) {
	r := Rotation{
		Statement:  RotationStatement{Schema: rotationSchema, Origin: testOrigin, Role: verify.RoleLog, Old: "a", New: "b", PublicKey: "c", FromIndex: 7},
		Signatures: []RotationSignature{{"a", "AA=="}, {"b", "AQ=="}},
	}
	data, err := r.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"signatures":null,"statement":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRotation(data)
		if err != nil {
			return
		}
		again, err := r.Marshal()
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("%q is written back as %q, %v", data, again, err)
		}
		if err := r.Verify(verify.Trust{}); err == nil {
			t.Error("a rotation verifies though nobody is trusted")
		}
	})
}
