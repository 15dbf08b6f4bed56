package otlp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
)

const (
	// maxBatch bounds the JSON of the records that are handed on at once, in bytes. Encoded they are at most
	// half as long again.
	maxBatch = 8 << 20
	// maxRecords bounds that of all records of an export. What a resource says is in each of its records, so
	// that they can be many times as long as the export.
	maxRecords = 64 << 20
	maxMessage = 1024 // bytes of what a sender is told of what was rejected
	maxAsked   = 64   // models of one export of which it is asked whether they are registered
)

// result is what became of an export.
type result struct {
	recorded, repeated, rejected, ignored int
	message                               string // for the sender; empty if there is nothing to tell
}

// export is one on its way: its records are gathered to batches, each of which is handed on when it is full.
type export struct {
	*Receiver
	signal Signal
	sender string
	digest string // of the body
	reader *reader
	known  map[string]bool // models, as far as was asked

	records  []prediction.Record
	places   []int // of the records among the items
	size     int   // of their JSON
	total    int   // of that of all batches
	batches  int
	distinct bool // the records of the batch can be told from all others

	result result
}

// export takes an export in. It returns when its records are durable; after an error some may be, and the
// same body sent again keeps them once.
func (r *Receiver) export(ctx context.Context, sender string, s Signal, e encoding, body []byte) (result, error) {
	items, err := decode(s, e, body)
	if err != nil {
		return result{}, err
	}
	sum := sha256.Sum256(body)
	x := &export{Receiver: r, signal: s, sender: sender, digest: hex.EncodeToString(sum[:]), reader: newReader(), known: map[string]bool{}, distinct: true}
	place := -1
	for i := range items {
		place++
		if err := x.take(ctx, i, place); err != nil {
			return result{}, err
		}
	}
	if err := x.flush(ctx); err != nil {
		return result{}, err
	}
	r.counts.add(s, x.result)
	return x.result, nil
}

// take makes a record of an item, if it is one. An error is one of the export.
func (x *export) take(ctx context.Context, i item, place int) error {
	if !mayTell(i) {
		x.result.ignored++
		return nil
	}
	d := x.reader.read(i)
	generative := false
	if model, ok := x.reader.inference(i, d); ok {
		var err error
		if generative, err = x.registered(ctx, model); err != nil {
			return err
		}
	}
	if !d.ours && !generative {
		x.result.ignored++
		return nil
	}
	text, err := x.reader.record(i, d, generative)
	if err == nil && x.total+x.size+len(text) > maxRecords {
		err = tallystick.Errorf(tallystick.Invalid, "the records of the export take more than %d MiB", maxRecords>>20).WithHint("export fewer at once")
	}
	var record prediction.Record
	if err == nil {
		record, err = prediction.ParseJSON(text)
	}
	if err != nil {
		x.reject(place, err)
		return nil
	}
	if len(x.records) == capture.MaxRecords || x.size+len(text) > maxBatch {
		if err := x.flush(ctx); err != nil {
			return err
		}
	}
	x.records, x.places, x.size = append(x.records, record), append(x.places, place), x.size+len(text)
	x.distinct = x.distinct && distinct(i, &record)
	return nil
}

// distinct reports whether no other prediction can look as this one does. One that has only a time of
// milliseconds may be another that was made in the same.
func distinct(i item, r *prediction.Record) bool {
	return !r.ID.IsZero() || r.SpanID != (prediction.SpanID{}) && i.span || i.time%uint64(time.Millisecond) != 0
}

// registered reports whether a model is registered.
func (x *export) registered(ctx context.Context, model string) (bool, error) {
	is, asked := x.known[model]
	if asked {
		return is, nil
	}
	if len(x.known) == maxAsked {
		return false, nil
	}
	is, err := x.config.Models.HasModel(ctx, model)
	if err != nil {
		return false, fmt.Errorf("ask for the model of a span: %w", err)
	}
	x.known[model] = is
	return is, nil
}

// flush hands a batch on.
func (x *export) flush(ctx context.Context) error {
	if len(x.records) == 0 {
		return nil
	}
	b := capture.Batch{Sender: x.sender, Records: x.records}
	if x.distinct {
		b.ID = fmt.Sprintf("otlp %s %s %d", x.signal, x.digest, x.batches)
	}
	answer, err := x.config.Recorder.Accept(ctx, b)
	switch {
	case err != nil && b.ID != "" && tallystick.CodeOf(err) == tallystick.Conflict:
		// The id is made of the body, so it has come before; only what would be said of each record now cannot be told.
		x.result.repeated += len(x.records)
		x.tell("had come before; what was rejected then was not taken now either")
	case err != nil:
		return err
	default:
		for _, r := range answer.Rejected {
			x.reject(x.places[r.Index], &tallystick.Error{Code: r.Code, Message: r.Message, Hint: r.Hint})
		}
		taken := len(x.records) - len(answer.Rejected)
		if answer.Repeated {
			x.result.repeated += taken
		} else {
			x.result.recorded += taken
		}
	}
	x.batches++
	x.total += x.size
	x.records, x.places, x.size, x.distinct = nil, nil, 0, true
	return nil
}

func (x *export) reject(place int, err error) {
	x.result.rejected++
	message, hint := tallystick.Words(err)
	if hint != "" {
		message += " (" + hint + ")"
	}
	x.tell(fmt.Sprintf("%s %d: %s", x.signal.noun(), place, message))
}

// tell adds to the message to the sender, as long as there is room.
func (x *export) tell(what string) {
	const more = "; and more"
	switch m := x.result.message; {
	case m == "":
		x.result.message = strings.ToValidUTF8(what[:min(len(what), maxMessage)], "")
	case strings.HasSuffix(m, more):
	case len(m)+len(what)+2 > maxMessage:
		x.result.message += more
	default:
		x.result.message += "; " + what
	}
}
