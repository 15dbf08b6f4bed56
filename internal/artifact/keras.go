package artifact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// maxJSON bounds a JSON file that is read whole: a configuration. Larger ones are data.
const maxJSON = 16 << 20

// hdf5 recognises a file that Keras 2 writes. Its architecture is JSON text inside a container that
// is not read here, so only what stands in it in the clear is seen.
func (in *inspector) hdf5(src *input) {
	in.find(Low, "hdf5.format", src.where, "is HDF5, which can hold an architecture with code; it is searched, not read")
	in.search(src, []string{`"class_name": "Lambda"`, `"class_name":"Lambda"`, `"__lambda__"`}, func(offset int64) {
		in.find(Critical, "keras.lambda", place(src.where, offset), "holds a Lambda layer, which runs code of the file when it is loaded")
	})
}

// search reads src to its end and calls found for the first place of each word.
func (in *inspector) search(src *input, words []string, found func(offset int64)) {
	const overlap = 64
	buf := make([]byte, 256<<10)
	kept := 0
	seen := map[string]bool{}
	for {
		if in.ctx.Err() != nil {
			return
		}
		n, err := io.ReadFull(src, buf[kept:])
		window := buf[:kept+n]
		base := src.offset() - int64(len(window))
		for _, word := range words {
			if i := bytes.Index(window, []byte(word)); i >= 0 && !seen[word] {
				seen[word] = true
				found(base + int64(i))
			}
		}
		if err != nil {
			return
		}
		kept = copy(buf, window[len(window)-overlap:])
	}
}

// json looks into a configuration for what makes a loader import code. What cannot be read as JSON
// here may be JSON to a loader: Python takes NaN, and members twice. strict says that it is the
// configuration that a loader will read, so that there is no other harmless explanation.
func (in *inspector) json(src *input, strict bool) {
	severity := Low
	if strict {
		severity = Unjudged
	}
	data, err := io.ReadAll(io.LimitReader(src, maxJSON+1))
	if err != nil {
		in.unreadable("json", src, err)
		return
	}
	if len(data) > maxJSON {
		in.find(severity, "json.size", src.where, "is longer than the %d bytes of a configuration that are read", maxJSON)
		return
	}
	var value any
	if err := CheckJSON("it", data); err != nil {
		in.find(severity, "json.unreadable", src.where, "looks like json, but cannot be read as such: %v", err)
	}
	if json.Unmarshal(data, &value) == nil {
		in.jsonValue(src, value, 0)
	}
}

// jsonValue walks a configuration, as deep as CheckJSON allows; deeper ones have their finding.
func (in *inspector) jsonValue(src *input, value any, depth int) {
	if depth > maxJSONDepth {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			in.jsonValue(src, e, depth+1)
		}
	case map[string]any:
		in.jsonObject(src, v)
		for _, k := range sortedKeys(v) {
			in.jsonValue(src, v[k], depth+1)
		}
	}
}

func (in *inspector) jsonObject(src *input, v map[string]any) {
	if _, ok := v["auto_map"].(map[string]any); ok {
		in.find(Medium, "transformers.code", src.where, "names Python modules to load the model with (auto_map), which run if the loader trusts remote code")
	}
	class, ok := v["class_name"].(string)
	if !ok {
		return
	}
	if _, ok := v["config"]; !ok {
		return
	}
	module, _ := v["module"].(string)
	switch {
	case class == "Lambda" || class == "__lambda__":
		in.find(Critical, "keras.lambda", src.where, "holds a Lambda layer, which runs code of the file when it is loaded")
	case class == "TorchModuleWrapper":
		in.find(Critical, "keras.pickle", src.where, "holds a TorchModuleWrapper, which loads a pickle")
	case module == "builtins":
		in.find(Medium, "keras.function", src.where, "names the Python function %.80q", fmt.Sprint(v["config"]))
	case module != "" && module != "keras" && !strings.HasPrefix(module, "keras."):
		in.find(High, "keras.module", src.where, "imports %q of the module %q, which is not of Keras", class, module)
	}
}
