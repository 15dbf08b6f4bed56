package expectation

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/tallystick/tallystick/internal/prediction"
)

// putExtra puts a value into what was sent beside the record; the name is a path with dots.
func (p *made) putExtra(name string, v prediction.Value) error {
	root := map[string]any{}
	if len(p.Extra) > 0 {
		if err := json.Unmarshal(p.Extra, &root); err != nil {
			return fmt.Errorf("extra.%s: %w", name, err)
		}
	}
	path := strings.Split(name, ".")
	object := root
	for _, key := range path[:len(path)-1] {
		inner, is := object[key].(map[string]any)
		if !is {
			inner = map[string]any{}
			object[key] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = json.RawMessage(v.AppendJSON(nil))
	data, err := json.Marshal(root)
	if err == nil {
		p.Extra, err = jcs.Transform(data)
	}
	if err != nil {
		return fmt.Errorf("extra.%s: %w", name, err)
	}
	return nil
}
