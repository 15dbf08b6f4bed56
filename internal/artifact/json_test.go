package artifact

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`{}`, `[]`, `1`, `"a"`, `null`, ` {"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a"} `, `{"a":"a","b":"b"}`, `[["a","a"],{"x":["x"],"y":null}]`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		if err := CheckJSON("it", []byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		``, `{`, `{"a":1}{}`, `{"a":1,"a":2}`, `{"b":[{"a":1,"\u0061":2}]}`, `{"a":{},"a":[]}`, `{"a":[1],"b":"x","a":0}`, "\"\xff\"", `[1,]`, `{"a"}`, `01`, `tru`,
		strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("[", 1<<20),
	} {
		if err := CheckJSON("it", []byte(bad)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%.40q: %v, want an invalid error", bad, err)
		}
	}
}
