package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
)

// Request is what every act takes besides its own.
type Request struct {
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"a repetition with the same key and the same request does nothing twice, for a week"`
	Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded, and open only to those to whom it is disclosed"`
}

// reply is the answer to an act, with its place on the trail.
type reply[T any] struct {
	Event    string `header:"Tallystick-Event" doc:"id of the event that recorded the act; absent if nothing changed"`
	Sequence string `header:"Tallystick-Sequence" doc:"place of the event on the trail"`
	Repeated string `header:"Tallystick-Repeated" doc:"true if the answer is that of an earlier request with the same key"`
	Body     T
}

// acting is the input of an act: its own fields, and those of every request.
type acting interface{ asked() Request }

func (r Request) asked() Request { return r }

// retry returns by what a repetition of a request is known.
func retry(operation string, in acting) (registry.Retry, error) {
	key := in.asked().Key
	if key == "" {
		return registry.Retry{}, nil
	}
	asked, err := json.Marshal(in)
	if err != nil {
		return registry.Retry{}, fmt.Errorf("digest of the request: %w", err)
	}
	return registry.Retry{Key: key, Request: tallystick.DigestOf(append([]byte(operation+"\n"), asked...))}, nil
}

// act registers an operation that changes the state. command says what is to be done; what answer
// reads, in the same transaction, becomes the body.
func act[I acting, T any](s *server, op huma.Operation, command func(ctx context.Context, in I) (registry.Command, func(tx *state.Tx) (T, error))) {
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*reply[T], error) {
		c, answer := command(ctx, *in)
		var err error
		if c.Retry, err = retry(op.OperationID, *in); err != nil {
			return nil, s.problem(err)
		}
		c.Principal, c.Purpose = caller(ctx), (*in).asked().Purpose
		var body *T // of the last run of the transaction, if it came to an answer
		c.Answer = func(tx *state.Tx) (any, error) {
			told, err := answer(tx)
			body = &told
			return told, err
		}
		done, err := s.Registry.Do(ctx, c)
		if err != nil {
			return nil, s.problem(err)
		}
		out := replied[T](done)
		if told, ok := done.Told.(T); ok {
			out.Body = told
		} else if !done.Repeated && body != nil {
			out.Body = *body
		} else if err := json.Unmarshal(done.Answer, &out.Body); err != nil {
			return nil, s.problem(fmt.Errorf("answer of %s: %w", op.OperationID, err))
		}
		return out, nil
	})
}

// replied returns the answer to an act but for its body.
func replied[T any](done registry.Done) *reply[T] {
	out := &reply[T]{Event: done.Receipt.ID}
	if done.Receipt.Sequence > 0 {
		out.Sequence = utoa(done.Receipt.Sequence)
	}
	if done.Repeated {
		out.Repeated = "true"
	}
	return out
}

// answer is the output of a question.
type answer[T any] struct {
	Body T
}

// ask registers an operation that only reads.
func ask[I, T any](s *server, op huma.Operation, question func(ctx context.Context, in *I) (T, error)) {
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*answer[T], error) {
		body, err := question(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return &answer[T]{Body: body}, nil
	})
}

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"pass it as after to get the next page; absent on the last"`
}

// Paging chooses a page of a list that is ordered by name.
type Paging struct {
	After string `query:"after" maxLength:"512" doc:"next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"999"`
}

// Newest chooses a page of a list that is ordered by event, newest first.
type Newest struct {
	After uint64 `query:"after" maximum:"9007199254740991" doc:"next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"999"`
}

// from returns where the page begins, as the catalog has it.
func (r Newest) from() string {
	if r.After == 0 {
		return ""
	}
	return utoa(r.After)
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }

// pageOf makes a page of a list that was read one longer than asked, which shows whether there is more.
func pageOf[T any](items []T, limit int, key func(T) string) page[T] {
	p := page[T]{Items: items}
	if len(items) > limit {
		p.Items = items[:limit]
		p.Next = key(p.Items[limit-1])
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	return p
}
