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
	aheadBytes = 1 << 20   // of frames that are written while the group before them is being synced

	idleTime = 5 * time.Millisecond // after which the mark is settled
)

// syncing is a commit that is written and is being made durable, beside the writing goroutine.
type syncing struct {
	head marked        // of the journal with it
	done chan struct{} // closed when its members are answered
}

// run is the writing goroutine. A group takes whoever waits and never waits for more: the time that one
// commit takes is the time in which the next group gathers. While a group is being made durable, the next is written if it is
// large: writing takes much of the time then. A small one waits, because a sync costs the same however few it is for.
func (j *Journal) run() {
	defer close(j.ended)
	j.options.begin()
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
		if closed := j.drain(); closed {
			j.settle()
			return
		}
	}
}

// drain commits groups until nobody waits and nothing is being synced, and reports whether nobody will come any more.
func (j *Journal) drain() (closed bool) {
	for {
		if j.syncing != nil && !j.plenty() {
			select {
			case <-j.syncing.done:
				j.syncing = nil
				j.gather()
			case <-j.wake: // there may be plenty now
			}
			continue
		}
		group, closed := j.take()
		if len(group) == 0 && j.syncing == nil {
			return closed
		}
		if len(group) > 0 {
			j.commit(group)
		}
		select { // a trim gets its turn among many writers
		case c := <-j.chores:
			j.await()
			c.done <- c.do()
		default:
		}
	}
}

// await returns when nothing is being synced.
func (j *Journal) await() {
	if j.syncing != nil {
		<-j.syncing.done
		j.syncing = nil
	}
}

// plenty reports whether enough waits to be worth a group of its own.
func (j *Journal) plenty() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queued >= aheadBytes
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

// take moves requests from the queue to a group.
func (j *Journal) take() (group []*request, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size, n := 0, 0
	for _, r := range j.queue {
		if size > 0 && size+len(r.frame) > groupBytes {
			break
		}
		n++
		j.queued -= int64(len(r.frame))
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

// commit writes a group behind the one that is being synced. When that is done, it begins to sync this one, after which
// its members are answered.
func (j *Journal) commit(group []*request) {
	if err := j.stopped(); err != nil {
		j.answer(group, err)
		return
	}
	started := time.Now()
	var head marked
	if j.syncing != nil {
		head = j.syncing.head
	} else {
		head = j.head // nobody else writes it now
	}
	size := j.pack(group, &head)
	var durable bool
	var err error
	if size > 0 { // the context is nobody's: a caller's would end everyone's commit
		durable, err = j.log.Append(context.Background(), j.packer.blocks)
	}
	j.await()
	if err == nil {
		err = j.stopped() // what this group follows on may be lost
	}
	if err == nil && size > 0 {
		err = j.note(&head, durable)
	}
	switch {
	case err != nil:
		j.answer(group, fmt.Errorf("%w: %w", ErrOutcomeUnknown, j.fail(err)))
		return
	case size == 0:
		j.answer(group, nil)
		return
	}
	s := &syncing{head: head, done: make(chan struct{})}
	j.syncing = s
	go func() {
		defer close(s.done)
		if err := j.sync(durable); err != nil {
			j.answer(group, fmt.Errorf("%w: %w", ErrOutcomeUnknown, j.fail(err)))
			return
		}
		j.mu.Lock()
		j.stored += size
		j.head = head
		j.pace = time.Since(started) * (1 << 20) / time.Duration(size)
		j.mu.Unlock()
		j.answer(group, nil)
	}()
}

// pack puts the frames of a group behind head, and returns their bytes. Those of batches that are known are left out.
func (j *Journal) pack(group []*request, head *marked) (size int64) {
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
	return p.size
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

// note writes the mark behind what the log was given. So a process that is killed never leaves a mark that is ahead. A loss of
// power can, because the two are synced at the same time, and then the mark says that it may be, by what was settled before.
// The mark before is durable by now: this one is written over the one before that.
func (j *Journal) note(head *marked, durable bool) error {
	if j.mark == nil {
		return nil
	}
	head.settled = j.head.sequence
	if durable {
		head.settled = head.sequence
	}
	return j.mark.write(*head)
}

// sync makes durable what was appended, unless it is, and at the same time the mark.
func (j *Journal) sync(durable bool) error {
	switch {
	case j.mark == nil && durable:
		return nil
	case j.mark == nil:
		return j.log.Sync()
	case durable:
		return j.mark.sync()
	}
	marked := make(chan error, 1)
	go func() { marked <- j.mark.sync() }()
	err := j.log.Sync()
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
