package cloudevents

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/tallystick/tallystick"
)

// The types of events that KServe's logger sends.
const (
	typeRequest  = "org.kubeflow.serving.inference.request"
	typeResponse = "org.kubeflow.serving.inference.response"
)

// event is what of a CloudEvent is looked at. The names are those of its attributes.
type event struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Source    string `json:"source"`
	Spec      string `json:"specversion"`
	Time      string `json:"time"`
	Service   string `json:"inferenceservicename"`
	Namespace string `json:"namespace"`
	Component string `json:"component"`
	Endpoint  string `json:"endpoint"`
	Trace     string `json:"traceparent"`

	Data    json.RawMessage `json:"data"`
	Encoded *string         `json:"data_base64"`
}

// parse reads an event in binary or structured mode (CloudEvents HTTP binding, section 3).
func parse(header http.Header, body []byte) (e event, err error) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch kind {
	case "application/cloudevents+json":
		if err := json.Unmarshal(body, &e); err != nil {
			return e, tallystick.Errorf(tallystick.Invalid, "the body is not a CloudEvent: %w", err)
		}
		if e.Encoded != nil {
			if e.Data, err = base64.StdEncoding.DecodeString(*e.Encoded); err != nil {
				return e, tallystick.Errorf(tallystick.Invalid, "data_base64 is not base64")
			}
		}
		var text string // data of another type than JSON is a text
		if json.Unmarshal(e.Data, &text) == nil && e.Encoded == nil {
			e.Data = []byte(text)
		}
	default:
		for name, into := range map[string]*string{
			"Id": &e.ID, "Type": &e.Type, "Source": &e.Source, "Specversion": &e.Spec, "Time": &e.Time, "Inferenceservicename": &e.Service,
			"Namespace": &e.Namespace, "Component": &e.Component, "Endpoint": &e.Endpoint, "Traceparent": &e.Trace,
		} {
			*into = header.Get("Ce-" + name)
			if plain, err := url.PathUnescape(*into); err == nil {
				*into = plain
			}
		}
		e.Data = body
	}
	for name, text := range map[string]string{"id": e.ID, "type": e.Type, "source": e.Source} {
		if text == "" || len(text) > maxAttribute {
			return e, tallystick.Errorf(tallystick.Invalid, "the CloudEvent has no %s, or one of more than %d bytes", name, maxAttribute).
				WithHint("send it in binary mode, with headers Ce-Id, Ce-Type and Ce-Source, or as application/cloudevents+json")
		}
	}
	if e.Spec != "1.0" && e.Spec != "0.3" {
		return e, tallystick.Errorf(tallystick.Invalid, "the specversion %.16q is not 1.0", e.Spec)
	}
	return e, nil
}

const maxAttribute = 1024 // bytes

// at returns when the event was, zero if it does not say.
func (e *event) at() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, e.Time) // without one the time of receipt is taken
	return at
}

// digest tells an event from all others, of the same id too.
func (e *event) digest() [sha256.Size]byte {
	h := sha256.New()
	for _, text := range []string{e.ID, e.Type, e.Source, e.Time, e.Service, e.Namespace, e.Component, e.Endpoint, string(e.Data)} {
		sum := sha256.Sum256([]byte(text))
		h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}
