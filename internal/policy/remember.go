package policy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/rego"
)

// While a version waits for its approvals the gate is asked about the same facts again and again, and past decisions are about
// the same reports. What a rule answered is kept by the bytes of all that it can read. Of a rule that reads the time it is kept by what
// the rule makes of the time instead, if that is all in a document of its own: the day on which evidence ends, and not the moment at
// which somebody asks.

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

// key is the digest of a rule, all that it reads of a document, and what it makes of the time.
func (p *Pack) key(rule int, sums func(path string) [sha256.Size]byte, time string) [sha256.Size]byte {
	text := binary.AppendUvarint(nil, uint64(rule))
	for _, path := range p.reads[rule].steadily() {
		sum := sums(path)
		text = append(text, sum[:]...)
	}
	return sha256.Sum256(append(text, time...))
}

// sums returns the digests of pieces of the document, each made once.
func (f *facts) sums() func(path string) [sha256.Size]byte {
	made := map[string][sha256.Size]byte{}
	return func(path string) [sha256.Size]byte {
		sum, there := made[path]
		if !there {
			sum = sha256.Sum256(f.piece(path))
			made[path] = sum
		}
		return sum
	}
}

// ask puts the answers of the rules, given by their places, into answers: what is remembered, and of the others all at once;
// only if that ends in an error, one by one. Rules that read the time and are not in times are asked anew.
func (p *Pack) ask(ctx context.Context, f *facts, rules []int, times map[int]string, answers []answer) {
	var open []int
	keys, sums := map[int][sha256.Size]byte{}, f.sums()
	for _, i := range rules {
		if time, apart := times[i]; apart || p.reads[i].steady() {
			keys[i] = p.key(i, sums, time)
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

// times returns what the rules make of the time, in Rego's own words, by the places of those that keep it apart.
func (p *Pack) times(ctx context.Context, f *facts, rules []int) map[int]string {
	apart := slices.DeleteFunc(slices.Clone(rules), func(i int) bool { return !p.reads[i].apart() })
	if len(apart) == 0 {
		return nil
	}
	query, err := p.questions.of(&p.questions.times, apart)
	if err != nil || query == nil {
		return nil
	}
	paths := []string{}
	for _, i := range apart {
		paths = append(paths, p.reads[i].timed...)
	}
	input, err := f.input(paths)
	if err != nil {
		return nil
	}
	found, ok := ask(ctx, *query, input).value.([]any)
	if !ok {
		return nil // it ends in an error, as the rules may: they are asked afresh
	}
	times := make(map[int]string, len(apart))
	for n, i := range apart {
		times[i], _ = found[n].(string)
	}
	return times
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
	query, err := p.questions.of(&p.questions.results, rules)
	if err != nil || query == nil {
		return nil, false
	}
	input, err := f.input(p.pathsOf(rules...))
	if err != nil {
		return nil, false
	}
	return several(ctx, *query, input)
}

// of returns the query that asks for the terms of several rules, nil if there are too many such queries.
func (q *questions) of(of *terms, rules []int) (*rego.PreparedEvalQuery, error) {
	var set []byte
	for _, i := range rules {
		set = binary.AppendUvarint(set, uint64(i))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if query, there := of.sets[string(set)]; there {
		return query, nil
	}
	if len(of.sets) >= maxSets {
		return nil, nil
	}
	list := make([]string, len(rules))
	for n, i := range rules {
		list[n] = of.each[i]
	}
	query, err := q.one("[" + strings.Join(list, ", ") + "]")
	if err == nil {
		of.sets[string(set)] = &query
	}
	return &query, err
}
