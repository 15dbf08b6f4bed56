package openlineage

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
)

// Handler returns what answers POST /api/v1/lineage, with one event, and POST /api/v1/lineage/batch,
// with an array of them. record puts a batch on the trail; it is called once for each event and
// must be safe to call again with the same. Whoever mounts the handler has authenticated the sender.
//
// One event is answered by 200, a batch by 204 if all of its events were recorded and else by 200
// with a summary and what was wrong with each of the others, as the specification says.
func Handler(record func(context.Context, lineage.Batch) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/lineage", func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err == nil {
			var b lineage.Batch
			if b, err = Parse(body); err == nil {
				err = record(r.Context(), b)
			}
		}
		if err != nil {
			writeProblem(w, err)
		}
	})
	mux.HandleFunc("POST /api/v1/lineage/batch", func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		var results []Result
		if err == nil {
			results, err = ParseBatch(body)
		}
		if err != nil {
			writeProblem(w, err)
			return
		}
		for i := range results {
			if results[i].Err == nil {
				results[i].Err = record(r.Context(), results[i].Batch)
			}
		}
		writeSummary(w, results)
	})
	return mux
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, tallystick.Errorf(tallystick.Invalid, "the body is not application/json")
	}
	var from io.Reader = http.MaxBytesReader(w, r.Body, maxBody)
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "the body is no gzip: %w", err)
		}
		from = unpacked
	default:
		return nil, tallystick.Errorf(tallystick.Invalid, "the body is encoded in a way that is not known").WithHint("send it plain or as gzip")
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(io.LimitReader(from, maxBody+1)); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "read the body: %w", err)
	}
	if body.Len() > maxBody {
		return nil, tallystick.Errorf(tallystick.Invalid, "the body is longer than %d bytes", maxBody)
	}
	return body.Bytes(), nil
}

// summary is the answer to a batch of which an event failed.
type summary struct {
	Status  string `json:"status"` // "partial_success" or "failure"
	Summary struct {
		Received     int `json:"received"`
		Successful   int `json:"successful"`
		Failed       int `json:"failed"`
		Retriable    int `json:"retriable"`
		NonRetriable int `json:"non_retriable"`
	} `json:"summary"`
	Failed []failure `json:"failed_events"`
}

type failure struct {
	Index     int    `json:"index"`
	Reason    string `json:"reason"`
	Retriable bool   `json:"retriable"`
}

func writeSummary(w http.ResponseWriter, results []Result) {
	var s summary
	s.Summary.Received = len(results)
	for i, r := range results {
		if r.Err == nil {
			s.Summary.Successful++
			continue
		}
		s.Summary.Failed++
		_, _, reason := describe(r.Err)
		f := failure{Index: i, Reason: reason}
		switch tallystick.CodeOf(r.Err) {
		case tallystick.Unavailable, tallystick.Internal:
			f.Retriable = true
			s.Summary.Retriable++
		default:
			s.Summary.NonRetriable++
		}
		s.Failed = append(s.Failed, f)
	}
	switch {
	case s.Summary.Failed == 0:
		w.WriteHeader(http.StatusNoContent)
		return
	case s.Summary.Successful == 0:
		s.Status = "failure"
	default:
		s.Status = "partial_success"
	}
	writeJSON(w, http.StatusOK, "application/json", s)
}

// problem is a problem document of RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func writeProblem(w http.ResponseWriter, err error) {
	status, title, detail := describe(err)
	writeJSON(w, status, "application/problem+json", problem{title, status, detail})
}

// describe returns what is shown of an error. A fault of ours is not.
func describe(err error) (status int, title, detail string) {
	status = http.StatusInternalServerError
	switch tallystick.CodeOf(err) {
	case tallystick.Invalid:
		status = http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
	case tallystick.Unauthorized:
		status = http.StatusUnauthorized
	case tallystick.Forbidden:
		status = http.StatusForbidden
	case tallystick.NotFound:
		status = http.StatusNotFound
	case tallystick.Conflict:
		status = http.StatusConflict
	case tallystick.Unavailable:
		status = http.StatusServiceUnavailable
	default:
		return status, http.StatusText(status), "the event could not be recorded"
	}
	return status, http.StatusText(status), err.Error()
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the sender is gone; nobody else can be told
}
