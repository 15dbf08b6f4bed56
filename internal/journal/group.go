package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	groupBytes = 8 << 20   // of frames in one commit, unless a single one is larger
	blockBytes = 256 << 10 // of frames in one block, likewise: what a reader holds in memory

	idleTime = 5 * time.Millisecond // after which the mark is settled
)

// run is the writing goroutine. A group takes whoever waits and never waits for more: the time that one
// commit takes is the time in which the next group gathers.
func (j *Journal) run() {
	defer close(j.ended)
	j.options.begin()
	var group []*request
	for {
		var idle <-chan time.Time
		if j.mark != nil && j.head.settled != j.head.sequence {
			idle = time.After(idleTime)
		}
		select {
		case <-j.wake:
		case <-idle:
			j.settle()
		case c := <-j.chores:
			c.done <- c.do()
		}
		for {
			var closed bool
			if group, closed = j.take(group[:0]); len(group) == 0 {
				if closed {
					j.settle()
					return
				}
				break
			}
			j.commit(group)
			clear(group)
			select { // a trim gets its turn among many writers
			case c := <-j.chores:
				c.done <- c.do()
			default:
			}
			j.gather()
		}
	}
}

// gather lets the callers that a commit has woken queue again, while they keep coming: a group costs the same
// however large it is.
func (j *Journal) gather() {
	for before := -1; ; {
		runtime.Gosched()
		j.mu.Lock()
		n := len(j.queue)
		j.mu.Unlock()
		if n <= before || n == 0 {
			return
		}
		before = n
	}
}

// take moves requests from the queue to the group.
func (j *Journal) take(group []*request) (_ []*request, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size, n := 0, 0
	for _, r := range j.queue {
		if size > 0 && size+len(r.frame) > groupBytes {
			break
		}
		n++
		if !r.state.CompareAndSwap(waiting, taken) {
			j.waiting -= int64(len(r.frame))
			continue
		}
		size += len(r.frame)
		group = append(group, r)
	}
	j.queue = append(j.queue[:0], j.queue[n:]...)
	clear(j.queue[len(j.queue):cap(j.queue)])
	return group, j.closed && len(j.queue) == 0
}

// commit writes a group and answers its members.
func (j *Journal) commit(group []*request) {
	if err := j.stopped(); err != nil {
		j.answer(group, err)
		return
	}
	started := time.Now()
	head := j.head // nobody else writes it
	now := j.options.Now()
	p := &j.packer
	p.reset()
	for _, r := range group {
		if known, ok := j.memory.get(r.id); ok {
			r.receipt = known
			continue
		}
		head.sequence++
		head.hash = place(r.frame, head.shard, head.sequence, now, head.hash)
		r.receipt = Receipt{head.shard, head.sequence, head.hash}
		j.memory.add(r.id, r.receipt)
		p.add(r.frame, head.position)
	}
	if len(p.blocks) > 0 {
		if err := j.write(p.blocks, head); err != nil {
			j.answer(group, fmt.Errorf("%w: %w", ErrOutcomeUnknown, j.fail(err)))
			return
		}
		j.mu.Lock()
		j.stored += p.size
		j.head = head
		j.pace = time.Since(started) * (1 << 20) / time.Duration(p.size)
		j.mu.Unlock()
	}
	j.answer(group, nil)
}

// answer lets the members of a group go, and the room that they took.
func (j *Journal) answer(group []*request, err error) {
	var size int64
	for _, r := range group {
		size += int64(len(r.frame))
	}
	j.mu.Lock()
	j.waiting -= size
	j.mu.Unlock()
	for _, r := range group {
		if r.err = err; err != nil {
			r.receipt = Receipt{}
		}
		r.frame = nil
		r.done <- struct{}{}
	}
}

// write makes blocks durable, and the mark that says so. What the engine has not yet synced is synced at the
// same time as the mark, which is written behind it: so a process that is killed never leaves a mark that
// is ahead. A loss of power can, and then the mark says that it may be, by what was settled before. The
// context is nobody's: a caller's would end everyone's commit.
func (j *Journal) write(blocks []Block, head marked) error {
	durable, err := j.log.Append(context.Background(), blocks)
	if err != nil {
		return err
	}
	if j.mark == nil {
		return j.log.Sync()
	}
	head.settled = j.head.sequence
	if durable {
		head.settled = head.sequence
	}
	if err := j.mark.write(head); err != nil {
		return err
	}
	if durable {
		return j.mark.sync()
	}
	marked := make(chan error, 1)
	go func() { marked <- j.mark.sync() }()
	err = j.log.Sync()
	return errors.Join(err, <-marked)
}

// settle tells the mark that what it speaks of is durable.
func (j *Journal) settle() {
	if j.mark == nil || j.stopped() != nil || j.head.settled == j.head.sequence {
		return
	}
	if err := j.mark.settle(j.head); err != nil {
		_ = j.fail(err) // the next Append gets it
		return
	}
	j.mu.Lock()
	j.head.settled = j.head.sequence
	j.mu.Unlock()
}

// fail stops the journal for good and returns why.
func (j *Journal) fail(cause error) error {
	var known *tallystick.Error
	if !errors.As(cause, &known) {
		known = tallystick.Errorf(tallystick.Unavailable, "the journal %q has stopped: %w", j.options.Dir, cause).
			WithHint("check the disk, and whether it is full, and start again; what was acknowledged is kept")
	}
	if j.fatal.CompareAndSwap(nil, known) {
		j.options.Logger.Error("the journal has stopped", slog.String("journal", j.options.Dir), slog.Any("error", cause))
	}
	return j.fatal.Load()
}
