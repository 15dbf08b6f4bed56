package cloudevents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
)

// key is what the halves of a request have in common.
type key struct{ sender, source, namespace, service, component, endpoint, id string }

// half is an event that waits for the other.
type half struct {
	key
	event  event
	digest [sha256.Size]byte
	since  time.Time
}

// size is about what it takes in memory.
func (h *half) size() int { return len(h.event.Data) + 1024 }

func (h *half) pair() both {
	if h.event.Type == typeRequest {
		return both{request: &h.event}
	}
	return both{response: &h.event}
}

// ring remembers the newest halves that are on record, so that one that is sent again is not taken for another.
type ring struct {
	has  map[[sha256.Size]byte]bool
	all  [][sha256.Size]byte
	next int
}

func newRing() ring { return ring{has: map[[sha256.Size]byte]bool{}} }

func (r *ring) add(d [sha256.Size]byte) {
	switch {
	case r.has[d]:
		return
	case len(r.all) < remembered:
		r.all = append(r.all, d)
	default:
		delete(r.has, r.all[r.next])
		r.all[r.next] = d
		r.next = (r.next + 1) % remembered
	}
	r.has[d] = true
}

// take pairs an event with its other half, or lets it wait for it. The answer counts if it waits no more.
func (r *Receiver) take(ctx context.Context, sender string, e event) (answer capture.Answer, waits bool, err error) {
	h := &half{key: key{sender, e.Source, e.Namespace, e.Service, e.Component, e.Endpoint, e.ID}, event: e, digest: e.digest(), since: r.config.Now()}
	for range remembered {
		other, repeated := r.meet(h)
		switch {
		case repeated:
			r.counts.events.WithLabelValues("repeated").Inc()
			return answer, false, nil
		case other == nil:
			r.counts.events.WithLabelValues("waiting").Inc()
			return answer, true, nil
		case other.key == h.key && other.event.Type != e.Type:
			p := both{request: &other.event, response: &h.event}
			if e.Type == typeRequest {
				p = both{request: &h.event, response: &other.event}
			}
			if answer, err = r.record(ctx, sender, p, "paired"); err != nil {
				r.keep(other)
				return answer, false, err
			}
			r.remember(other, h)
			return answer, false, nil
		}
		// It is in the way: of the same id, but of another call, or the oldest where there is no room.
		if err := r.alone(ctx, other); err != nil {
			return answer, false, err
		}
	}
	return answer, false, tallystick.Errorf(tallystick.Unavailable, "too many events wait for their other halves").WithHint("send it again in a while")
}

// meet returns what h has to do with first, which then waits no more; nil if h itself waits now.
func (r *Receiver) meet(h *half) (other *half, repeated bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done.has[h.digest] {
		return nil, true
	}
	if other = r.waiting[h.key]; other != nil {
		if other.digest == h.digest {
			return nil, false
		}
		r.remove(other)
		return other, false
	}
	if r.bytes+h.size() > maxWaiting {
		if other = r.oldest(); other != nil {
			r.remove(other)
			return other, false
		}
	}
	r.insert(h)
	return nil, false
}

func (r *Receiver) insert(h *half) {
	r.waiting[h.key] = h
	r.order = append(r.order, h)
	r.bytes += h.size()
}

func (r *Receiver) remove(h *half) {
	delete(r.waiting, h.key)
	r.bytes -= h.size()
	if len(r.order) > 2*len(r.waiting)+64 {
		r.order = slices.DeleteFunc(r.order, func(h *half) bool { return r.waiting[h.key] != h })
	}
}

// oldest returns what waits longest, nil if nothing does.
func (r *Receiver) oldest() *half {
	for len(r.order) > 0 {
		if h := r.order[0]; r.waiting[h.key] == h {
			return h
		}
		r.order = r.order[1:]
	}
	return nil
}

// keep puts back what could not be recorded, before all others.
func (r *Receiver) keep(h *half) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting[h.key] == nil {
		r.waiting[h.key] = h
		r.order = slices.Insert(r.order, 0, h)
		r.bytes += h.size()
	}
}

func (r *Receiver) remember(halves ...*half) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range halves {
		r.done.add(h.digest)
	}
}

// alone records a half without its other.
func (r *Receiver) alone(ctx context.Context, h *half) error {
	answer, err := r.record(ctx, h.sender, h.pair(), "alone")
	if err != nil {
		r.keep(h)
		return err
	}
	r.remember(h)
	if len(answer.Rejected) > 0 {
		r.config.Logger.WarnContext(ctx, "a prediction whose other half never came was rejected", slog.String("cloudevent", h.id), slog.String("why", answer.Rejected[0].Message))
	}
	return nil
}

// record hands the records of a request on. The answer has what was rejected, by row.
func (r *Receiver) record(ctx context.Context, sender string, p both, outcome string) (all capture.Answer, err error) {
	called := sha256.New()
	for _, e := range []*event{p.request, p.response} {
		if e != nil {
			sum := e.digest()
			called.Write(sum[:])
		}
	}
	texts := p.records()
	for first := 0; first < len(texts); first += capture.MaxRecords {
		var records []prediction.Record
		var rows []int
		for i, text := range texts[first:min(first+capture.MaxRecords, len(texts))] {
			record, err := prediction.ParseJSON(text)
			if err != nil {
				message, hint := tallystick.Words(err)
				all.Rejected = append(all.Rejected, capture.Rejection{Index: first + i, Code: tallystick.Invalid, Message: message, Hint: hint})
				continue
			}
			records, rows = append(records, record), append(rows, first+i)
		}
		if len(records) == 0 {
			continue
		}
		answer, err := r.config.Recorder.Accept(ctx, capture.Batch{Sender: sender, ID: fmt.Sprintf("cloudevents %s %d", hex.EncodeToString(called.Sum(nil)), first), Records: records})
		if err != nil && tallystick.CodeOf(err) != tallystick.Conflict { // else it had come before
			return all, fmt.Errorf("record a request: %w", err)
		}
		for _, rejected := range answer.Rejected {
			rejected.Index = rows[rejected.Index]
			all.Rejected = append(all.Rejected, rejected)
		}
		all.IDs = append(all.IDs, slices.DeleteFunc(answer.IDs, prediction.ID.IsZero)...)
	}
	r.counts.events.WithLabelValues(outcome).Inc()
	return all, nil
}

// Run records what has waited too long until ctx ends, and then what still waits.
func (r *Receiver) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.Expire(ctx, r.config.Now().Add(-wait))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), bodyWait)
			defer cancel()
			r.Expire(last, r.config.Now().Add(time.Hour))
			return nil
		}
	}
}

// Expire records what waits since before a time. What cannot be recorded now waits on.
func (r *Receiver) Expire(ctx context.Context, before time.Time) {
	for {
		r.mu.Lock()
		h := r.oldest()
		if h == nil || !h.since.Before(before) {
			r.mu.Unlock()
			return
		}
		r.remove(h)
		r.mu.Unlock()
		if err := r.alone(ctx, h); err != nil {
			r.config.Logger.WarnContext(ctx, "a prediction whose other half never came is not recorded yet", slog.Any("error", err))
			return
		}
	}
}
