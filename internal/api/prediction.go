package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// PredictionBatch is what POST /predictions takes when it is an object of several records.
type PredictionBatch struct {
	BatchID string              `json:"batch_id,omitempty" maxLength:"256" doc:"makes it safe to send the batch again; the header Batch-Id does too"`
	Records []prediction.Record `json:"records" minItems:"1" maxItems:"5000"`
}

// RefusedBatch is the answer if no record of a batch was taken.
type RefusedBatch struct {
	Problem
	Rejected []capture.Rejection `json:"rejected,omitempty" doc:"what is wrong with each record"`
}

// predictions takes predictions in. The bodies are read here and not by huma, which would look at every
// value of every record twice, and would refuse a batch for one of them.
func (s *server) predictions(mux *http.ServeMux) {
	s.intake = newIntake()
	registry := s.huma.OpenAPI().Components.Schemas
	schema := func(of reflect.Type) *huma.Schema { return registry.Schema(of, true, of.Name()) }
	batch, record := schema(reflect.TypeFor[PredictionBatch]()), schema(reflect.TypeFor[prediction.Record]())
	problem := func(says string, of reflect.Type) *huma.Response {
		return &huma.Response{Description: says, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema(of)}}}
	}
	taken := func(says string) *huma.Response {
		return &huma.Response{Description: says, Content: map[string]*huma.MediaType{"application/json": {Schema: schema(reflect.TypeFor[capture.Answer]())}}}
	}
	text, plain := &huma.Schema{Type: huma.TypeString}, reflect.TypeFor[Problem]()
	s.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "record-predictions", Method: http.MethodPost, Path: Prefix + "/predictions", Summary: "Record predictions: one, or a batch",
		Description: "Takes one record, an array of them, an object with `records`, or, as application/x-ndjson, a record on each line. What is answered by 200 or 207 is durable. " +
			"Two more doors are beside the API, with the formats of others: events of KServe at /cloudevents, and OTLP at ports of its own; docs/predictions.md describes them.",
		Tags: []string{"predictions"},
		Parameters: []*huma.Param{
			{Name: headerBatch, In: "header", Description: "the sender's own name for the batch, up to 256 bytes: sent again with the same records it is kept once, and answered again", Schema: text},
			{Name: "Idempotency-Key", In: "header", Description: "names the batch if nothing else does", Schema: text},
			{Name: "Content-Encoding", In: "header", Description: "gzip, zstd or identity", Schema: text},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{batch, {Type: huma.TypeArray, Items: record}, record}}},
			mediaLines:         {Schema: text},
		}},
		Responses: map[string]*huma.Response{
			"200": taken("every record was taken"),
			"207": taken("some records were taken; `rejected` says which were not, and why"),
			"422": problem("no record was taken; `rejected` says why", reflect.TypeFor[RefusedBatch]()),
			"400": problem("the body cannot be read as records", plain), "401": problem("nobody has proved who they are", plain), "403": problem("the caller may not", plain),
			"409": problem("the name of the batch has come before, with other records", plain), "413": problem("the body is too large", plain),
			"415": problem("the body is of another type or encoding", plain), "503": problem("there is no room just now; Retry-After says when to come again", plain),
		},
	})
	mux.HandleFunc("POST "+Prefix+"/predictions", s.recordPredictions)
}

func (s *server) recordPredictions(w http.ResponseWriter, r *http.Request) {
	answer, err := s.takePredictions(w, r)
	switch {
	case err != nil:
		s.refusePredictions(w, err)
	case len(answer.Rejected) == len(answer.IDs):
		err := tallystick.Errorf(tallystick.Invalid, "none of %d records was taken; the first: %s", len(answer.IDs), answer.Rejected[0].Message).
			WithHint("rejected says what is wrong with each; send them again once it is put right")
		p := s.explain(err)
		p.Status, p.Title = http.StatusUnprocessableEntity, http.StatusText(http.StatusUnprocessableEntity)
		s.tell(w, p.Status, "application/problem+json", RefusedBatch{*p, answer.Rejected})
	case len(answer.Rejected) > 0:
		s.tell(w, http.StatusMultiStatus, "application/json", answer)
	default:
		s.tell(w, http.StatusOK, "application/json", answer)
	}
}

func (s *server) tell(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may have gone
}

// refusePredictions answers a batch of which nothing was looked at, or nothing taken for want of room.
func (s *server) refusePredictions(w http.ResponseWriter, err error) {
	p := s.explain(err)
	if full := (*journal.FullError)(nil); errors.As(err, &full) {
		p.headers.Set("Retry-After", itoa(int64(math.Ceil(full.RetryAfter.Seconds()))))
	}
	if of := (*bodyError)(nil); errors.As(err, &of) {
		p.Status, p.Title = of.status, http.StatusText(of.status)
		if of.status == http.StatusUnsupportedMediaType {
			p.headers.Set("Accept-Encoding", "gzip, zstd") // RFC 9110 section 12.5.3
		}
	}
	s.write(w, p)
}

// takePredictions reads the body of a request and takes its records in.
func (s *server) takePredictions(w http.ResponseWriter, r *http.Request) (capture.Answer, error) {
	if err := unknown(r.Context()); err != nil {
		return capture.Answer{}, err
	}
	if err := s.may(r.Context(), access.PredictionRecord, whole, ""); err != nil {
		return capture.Answer{}, err
	}
	if s.Predictions == nil {
		return capture.Answer{}, tallystick.Errorf(tallystick.Unavailable, "no predictions are taken in here").WithHint("send them to `tallystick serve`")
	}
	body, release, err := s.intake.read(w, r)
	defer release()
	if err != nil {
		return capture.Answer{}, err
	}
	room := min(int64(len(body)), maxTaken)
	if err := s.intake.taking.Acquire(r.Context(), room); err != nil {
		return capture.Answer{}, err
	}
	defer s.intake.taking.Release(room)
	var sent sentBatch
	if isLines(r) {
		sent, err = splitLines(body)
	} else {
		sent, err = splitBody(body)
	}
	if err != nil {
		return capture.Answer{}, err
	}
	id, err := batchID(r, sent)
	if err != nil {
		return capture.Answer{}, err
	}
	if n := len(sent.records); n == 0 || n > capture.MaxRecords {
		return capture.Answer{}, tallystick.Errorf(tallystick.Invalid, "the batch has %d records", n).WithHint("send 1 to %d at once", capture.MaxRecords)
	}
	records := s.intake.borrow(len(sent.records))
	defer s.intake.giveBack(records)
	return takeRecords(r.Context(), s.Predictions, capture.Batch{Sender: caller(r.Context()).ID, ID: id, Records: *records}, sent.records)
}

const headerBatch = "Batch-Id"

// batchID returns what the sender calls the batch. The key that names a request names a batch that has no
// name of its own.
func batchID(r *http.Request, sent sentBatch) (string, error) {
	header := r.Header.Get(headerBatch)
	switch {
	case header != "" && sent.id != "" && header != sent.id:
		return "", tallystick.Errorf(tallystick.Invalid, "the batch has two ids, %.64q in the header %s and %.64q as batch_id", header, headerBatch, sent.id).WithHint("give one")
	case header != "":
		return header, nil
	case sent.id != "":
		return sent.id, nil
	}
	return r.Header.Get("Idempotency-Key"), nil
}

// accepter is what takes batches in.
type accepter interface {
	Accept(ctx context.Context, b capture.Batch) (capture.Answer, error)
}

// takeRecords reads the records of a batch, which has room for them, and hands on those that can be read. What cannot
// be is rejected by its place, like what is found wrong later.
func takeRecords(ctx context.Context, to accepter, b capture.Batch, raw []string) (capture.Answer, error) {
	var faults []capture.Rejection
	n := 0
	for i, text := range raw {
		if err := b.Records[n].ReadJSON(text); err != nil {
			message, hint := tallystick.Words(err)
			faults = append(faults, capture.Rejection{Index: i, Code: tallystick.Invalid, Message: message, Hint: hint})
			continue
		}
		n++
	}
	b.Records = b.Records[:n]
	if n == 0 {
		return capture.Answer{IDs: make([]prediction.ID, len(raw)), Rejected: faults}, nil
	}
	answer, err := to.Accept(ctx, b)
	if err != nil || len(faults) == 0 {
		return answer, err
	}
	return spread(answer, faults, len(raw)), nil
}

// spread gives the answer for the records that could be read the places that they had among all.
func spread(answer capture.Answer, faults []capture.Rejection, total int) capture.Answer {
	whole := capture.Answer{Receipt: answer.Receipt, Repeated: answer.Repeated, IDs: make([]prediction.ID, total)}
	rejected, unread, n := answer.Rejected, faults, 0
	for i := range total {
		if len(unread) > 0 && unread[0].Index == i {
			whole.Rejected, unread = append(whole.Rejected, unread[0]), unread[1:]
			continue
		}
		whole.IDs[i] = answer.IDs[n]
		if len(rejected) > 0 && rejected[0].Index == n {
			moved := rejected[0]
			moved.Index = i
			whole.Rejected, rejected = append(whole.Rejected, moved), rejected[1:]
		}
		n++
	}
	return whole
}
