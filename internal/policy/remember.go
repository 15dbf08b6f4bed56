package policy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"github.com/open-policy-agent/opa/v1/rego"
)

// While a version waits for its approvals the gate is asked about the same facts again and again, and past decisions are about
// the same reports. What a rule answered is kept by the bytes of all that it can read, unless that includes the time.

const (
	maxAnswered = 4096 // answers
	maxSets     = 64   // queries of several rules
)

// answered are answers by the digest of what they follow from. It forgets everything when it is full.
type answered struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]answer
}

func (a *answered) get(key [sha256.Size]byte) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, there := a.kept[key]
	return kept, there
}

func (a *answered) put(key [sha256.Size]byte, value answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil || len(a.kept) >= maxAnswered {
		a.kept = map[[sha256.Size]byte]answer{}
	}
	a.kept[key] = value
}

// key is the digest of a rule and all that it reads of a document.
func (p *Pack) key(rule int, f *facts) [sha256.Size]byte {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(rule)))
	for _, path := range p.reads[rule].paths {
		bytes := f.piece(path)
		h.Write(binary.AppendUvarint(nil, uint64(len(bytes))))
		h.Write(bytes)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// ask puts the answers of the rules, given by their places, into answers: what is remembered, and of the others all at once;
// only if that ends in an error, one by one.
func (p *Pack) ask(ctx context.Context, f *facts, rules []int, answers []answer) {
	var open []int
	keys := map[int][sha256.Size]byte{}
	for _, i := range rules {
		if p.reads[i].steady() {
			keys[i] = p.key(i, f)
			if kept, there := p.answered.get(keys[i]); there {
				answers[i] = kept
				continue
			}
		}
		open = append(open, i)
	}
	if len(open) == 0 {
		return
	}
	found, ok := p.together(ctx, open, f)
	for n, i := range open {
		if !ok {
			input, err := f.input(p.pathsOf(i))
			if err != nil {
				answers[i] = answer{err: err}
				continue
			}
			answers[i] = p.questions.alone(ctx, p.rules[i].ID, input)
			continue
		}
		answers[i] = found[n]
		if key, steady := keys[i]; steady && ctx.Err() == nil {
			p.answered.put(key, found[n])
		}
	}
}

// pathsOf returns the paths that the rules read, nil if there could be others.
func (p *Pack) pathsOf(rules ...int) []string {
	paths := []string{}
	for _, i := range rules {
		if p.reads[i].any {
			return nil
		}
		paths = append(paths, p.reads[i].paths...)
	}
	return paths
}

// together asks several rules by one query, so that the engine works out once what they share. It returns false if one of them
// ended in an error or all of them took too many steps, so that each has to be asked by itself.
func (p *Pack) together(ctx context.Context, rules []int, f *facts) ([]answer, bool) {
	query, err := p.questions.of(p.rules, rules)
	if err != nil || query == nil {
		return nil, false
	}
	input, err := f.input(p.pathsOf(rules...))
	if err != nil {
		return nil, false
	}
	return several(ctx, *query, input)
}

// of returns the query of several rules, nil if there are too many such queries.
func (q *questions) of(all []Definition, rules []int) (*rego.PreparedEvalQuery, error) {
	var set []byte
	for _, i := range rules {
		set = binary.AppendUvarint(set, uint64(i))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if query, there := q.sets[string(set)]; there {
		return query, nil
	}
	if len(q.sets) >= maxSets {
		return nil, nil
	}
	query, err := q.prepare(all, rules)
	if err == nil {
		q.sets[string(set)] = &query
	}
	return &query, err
}
