package witness

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	maxPeers  = 32
	peerWait  = 5 * time.Second // for one witness
	lastWait  = time.Second     // for the others, once there are enough
	firstRest = time.Second     // after a failure, doubled up to longRest
	longRest  = time.Minute
	tellAgain = 10 * time.Minute // after which the same refusal is news, if there were cosignatures between
)

// Policy says who cosigns a log, and how many of them it takes.
type Policy struct {
	Quorum int    `json:"quorum"`
	Peers  []Peer `json:"witnesses"`
}

// Validate returns an Invalid error unless p can be kept.
func (p Policy) Validate() error {
	if len(p.Peers) > maxPeers {
		return tallystick.Errorf(tallystick.Invalid, "%d witnesses are more than %d", len(p.Peers), maxPeers)
	}
	if p.Quorum < min(1, len(p.Peers)) || p.Quorum > len(p.Peers) {
		return tallystick.Errorf(tallystick.Invalid, "a quorum of %d of %d witnesses cannot be", p.Quorum, len(p.Peers))
	}
	names := map[string]bool{}
	for _, peer := range p.Peers {
		v, err := peer.verifier()
		if err != nil {
			return err
		}
		if names[v.Name()] {
			return tallystick.Errorf(tallystick.Invalid, "witness %s is named twice", v.Name())
		}
		names[v.Name()] = true
	}
	return nil
}

// Group asks the witnesses of a policy. It is safe for concurrent use.
type Group struct {
	policy  Policy
	metrics groupMetrics

	turn sync.Mutex // held for a round
	all  []*asking

	mu     sync.Mutex
	status Status
}

// Status is how a log stands with its witnesses.
type Status struct {
	Quorum int
	Size   uint64    // of the newest checkpoint with a quorum of cosignatures; 0 before the first
	Time   time.Time // when it had them
	Peers  []PeerStatus
}

// PeerStatus is how a log stands with one witness.
type PeerStatus struct {
	Name     string
	Size     uint64    // of the newest checkpoint that it has cosigned for this process
	Time     time.Time // when that was
	Failures int       // since then
	Err      error     // why
	due      time.Time // of the next attempt after a failure
	told     map[Fault]time.Time
}

// NewGroup returns a group that has asked nobody yet.
func NewGroup(policy Policy, client Doer) (*Group, error) {
	if err := policy.Validate(); err != nil {
		return nil, err
	}
	g := &Group{policy: policy, metrics: newGroupMetrics(), status: Status{Quorum: policy.Quorum}}
	for _, peer := range policy.Peers {
		v, err := peer.verifier()
		if err != nil {
			return nil, err
		}
		g.all = append(g.all, &asking{Peer: peer, verifier: v, client: client})
		g.status.Peers = append(g.status.Peers, PeerStatus{Name: v.Name(), told: map[Fault]time.Time{}})
	}
	return g, nil
}

// Policy returns the policy.
func (g *Group) Policy() Policy { return g.policy }

// Status returns how things stand.
func (g *Group) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.status
	s.Peers = slices.Clone(s.Peers)
	return s
}

// Round is what came of asking the witnesses about one checkpoint.
type Round struct {
	Size       uint64
	Checkpoint []byte // with the cosignatures that were given
	Cosigned   int
	Quorum     bool // there are enough of them
	// Refusals are those that say something new: each fault once, until the witness cosigns again. They
	// become events, and events become checkpoints that are refused again.
	Refusals []PeerRefusal
	// Next is when a witness that has failed is to be asked again; zero if none has.
	Next time.Time
}

// PeerRefusal is a refusal with the name of the witness.
type PeerRefusal struct {
	Witness string
	*Refusal
}

// Cosign asks every witness that is not resting from a failure for its cosignature under the newest
// checkpoint, all at once. What they answer is in the round; an error is one of the source or of ctx.
func (g *Group) Cosign(ctx context.Context, source Source) (Round, error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	ledger, err := source()
	if err != nil {
		return Round{}, err
	}
	lines, errs := g.ask(ctx, ledger, source)
	if ctx.Err() != nil {
		return Round{}, ctx.Err()
	}
	round := Round{Size: ledger.Size(), Checkpoint: slices.Concat(ledger.Checkpoint(), bytes.Join(lines, nil))}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for i := range g.all {
		if refusal := g.note(i, round.Size, lines[i], errs[i], now); refusal != nil {
			round.Refusals = append(round.Refusals, PeerRefusal{g.status.Peers[i].Name, refusal})
		}
		if lines[i] != nil {
			round.Cosigned++
		}
		if due := g.status.Peers[i].due; !due.IsZero() && (round.Next.IsZero() || due.Before(round.Next)) {
			round.Next = due
		}
	}
	round.Quorum = round.Cosigned >= g.policy.Quorum
	if round.Quorum && round.Size >= g.status.Size {
		g.status.Size, g.status.Time = round.Size, now
	}
	return round, nil
}

// errResting stands for a witness that was not asked.
var errResting = errors.New("resting after a failure")

// ask asks everybody at once. Once there is a quorum the others get a moment more.
func (g *Group) ask(ctx context.Context, ledger Ledger, source Source) (lines [][]byte, errs []error) {
	ctx, cancel := context.WithTimeout(ctx, peerWait)
	defer cancel()
	lines, errs = make([][]byte, len(g.all)), make([]error, len(g.all))
	status := g.Status()
	done := make(chan int, len(g.all))
	asked := 0
	for i, peer := range g.all {
		if time.Now().Before(status.Peers[i].due) {
			errs[i] = errResting
			continue
		}
		asked++
		go func() {
			lines[i], errs[i] = peer.cosign(ctx, ledger, source)
			done <- i
		}()
	}
	cosigned := 0
	for range asked {
		if i := <-done; errs[i] != nil {
			continue
		}
		if cosigned++; cosigned == g.policy.Quorum {
			defer time.AfterFunc(lastWait, cancel).Stop()
		}
	}
	return lines, errs
}

// note keeps what one witness has answered, and returns a refusal that it has not made before. Its
// caller holds mu.
func (g *Group) note(i int, size uint64, line []byte, err error, now time.Time) *Refusal {
	s := &g.status.Peers[i]
	if errors.Is(err, errResting) {
		return nil
	}
	if err == nil || errors.Is(err, errOvertaken) {
		s.Failures, s.Err, s.due = 0, nil, time.Time{}
		if line != nil {
			s.Size, s.Time = size, now
			maps.DeleteFunc(s.told, func(_ Fault, at time.Time) bool { return now.Sub(at) > tellAgain })
			g.metrics.asked.WithLabelValues(s.Name, "cosigned").Inc()
		}
		return nil
	}
	s.due = now.Add(min(longRest, firstRest<<min(s.Failures, 10)))
	s.Failures++
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		g.metrics.asked.WithLabelValues(s.Name, "failed").Inc()
		if before := (*Refusal)(nil); !errors.As(s.Err, &before) { // silence takes nothing back of a refusal
			s.Err = err
		}
		return nil
	}
	g.metrics.asked.WithLabelValues(s.Name, "refused").Inc()
	s.Err = err
	if _, known := s.told[refusal.Fault]; known {
		return nil
	}
	s.told[refusal.Fault] = now
	return refusal
}
