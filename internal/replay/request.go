package replay

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/prediction"
)

// Request is what is sent for one prediction.
type Request struct {
	Record *prediction.Record
	Type   string // media type
	Data   []byte
}

// NotKept is the error for a record that has no input in the form that is to be sent.
type NotKept struct{ Why string }

// Error implements error.
func (e *NotKept) Error() string { return e.Why }

// Request writes a record as a request. It is a *NotKept error where the record lacks what the format needs.
func (p *Plan) Request(r *prediction.Record) (Request, error) {
	if p.Format == Body {
		if r.RequestBody == nil || r.RequestBody.Data == nil {
			return Request{}, &NotKept{"the body was not kept"}
		}
		kind := r.RequestBody.Type
		if kind == "" {
			kind = "application/json"
		}
		return Request{r, kind, r.RequestBody.Data}, nil
	}
	if len(r.Features) == 0 {
		return Request{}, &NotKept{"the features were not kept"}
	}
	features := r.Features
	if len(p.Features) > 0 {
		features = make(prediction.Features, len(p.Features))
		for i, name := range p.Features {
			v, has := r.Features.Get(name)
			if !has {
				return Request{}, &NotKept{fmt.Sprintf("the feature %.80q was not kept", name)}
			}
			features[i] = prediction.Feature{Name: name, Value: v}
		}
	}
	var data []byte
	var err error
	switch p.Format {
	case MLflow:
		data, err = frame(features)
	case V2:
		data, err = p.tensors(r.ID, features)
	default:
		data, err = object(features)
	}
	return Request{r, "application/json", data}, err
}

// object writes features as an object, in their order.
func object(features prediction.Features) ([]byte, error) {
	data := []byte{'{'}
	for i, f := range features {
		if i > 0 {
			data = append(data, ',')
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return nil, err
		}
		data = f.Value.AppendJSON(append(append(data, name...), ':'))
	}
	return append(data, '}'), nil
}

// frame writes features as a table of one row, as MLflow's scoring server takes it: NaN is null there.
// https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/ (JSON input, dataframe_split).
func frame(features prediction.Features) ([]byte, error) {
	columns, row := make([]string, len(features)), make([]any, len(features))
	for i, f := range features {
		columns[i], row[i] = f.Name, f.Value
		if x, _ := f.Value.Float(); f.Value.IsNumber() && math.IsNaN(x) {
			row[i] = nil
		} else if math.IsInf(x, 0) {
			return nil, &NotKept{fmt.Sprintf("the feature %.80q is infinite, which the protocol cannot say", f.Name)}
		}
	}
	return json.Marshal(map[string]any{"dataframe_split": map[string]any{"columns": columns, "data": [][]any{row}}})
}

// tensor is an input of the Open Inference Protocol.
type tensor struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Type  string `json:"datatype"`
	Data  []any  `json:"data"`
}

// tensors writes features as inputs of one row, of https://github.com/open-inference/open-inference-protocol. A number is
// FP64, whole or not, so that a feature has the same type in every request. content_type pd is how servers that make a
// table of the inputs are told to; others pass it over.
func (p *Plan) tensors(id prediction.ID, features prediction.Features) ([]byte, error) {
	var inputs []tensor
	whole := tensor{p.Tensor, []int{1, len(features)}, "FP64", nil}
	for _, f := range features {
		t := tensor{f.Name, []int{1}, "FP64", []any{f.Value}}
		x, _ := f.Value.Float()
		switch {
		case f.Value.IsNumber() && !math.IsNaN(x) && !math.IsInf(x, 0):
		case f.Value.Kind() == prediction.Text:
			t.Type = "BYTES"
		case f.Value.Kind() == prediction.Bool:
			t.Type = "BOOL"
		default:
			return nil, &NotKept{fmt.Sprintf("the feature %.80q is null or not finite, which the protocol cannot say", f.Name)}
		}
		if p.Tensor != "" && t.Type != "FP64" {
			return nil, &NotKept{fmt.Sprintf("the feature %.80q is no number, which a tensor of numbers cannot say", f.Name)}
		}
		whole.Data = append(whole.Data, f.Value)
		inputs = append(inputs, t)
	}
	message := map[string]any{"id": id.String(), "inputs": inputs, "parameters": map[string]any{"content_type": "pd"}}
	if p.Tensor != "" {
		message["inputs"] = []tensor{whole}
		delete(message, "parameters")
	}
	return json.Marshal(message)
}
