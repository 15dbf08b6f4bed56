package witness

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const (
	alarmFile    = "alarms.jsonl"
	maxAlarms    = 32 << 20 // bytes of the file; what comes after is logged and counted only
	maxAlarmLine = 4 * maxCheckpoint
)

// AlarmKind says what a signed checkpoint did not fit.
type AlarmKind string

// The kinds of alarms. A fork is proved by the two checkpoints alone. The others call for a question
// to the log's operator, since anybody can pass on an old checkpoint or a wrong proof.
const (
	Fork     AlarmKind = "fork"     // two checkpoints of one size with two roots
	Rollback AlarmKind = "rollback" // smaller than the checkpoint that was cosigned
	Unproved AlarmKind = "unproved" // larger, and not shown to continue the one that was cosigned
)

// Alarm is one signed checkpoint that did not fit. Held and Submitted are signed notes.
type Alarm struct {
	Time      time.Time `json:"time"`
	Kind      AlarmKind `json:"kind"`
	Origin    string    `json:"origin"`
	HeldSize  uint64    `json:"held_size"`
	HeldRoot  string    `json:"held_root"` // base64, as in the checkpoint
	Size      uint64    `json:"size"`
	Root      string    `json:"root"`
	Held      string    `json:"held"`
	Submitted string    `json:"submitted"`
}

// newAlarm tells what does not fit between the checkpoint held and the one submitted.
func newAlarm(kind AlarmKind, at time.Time, held, submitted head, heldNote, submittedNote []byte) Alarm {
	return Alarm{
		Time: at.UTC().Truncate(time.Second), Kind: kind, Origin: held.origin,
		HeldSize: held.size, HeldRoot: base64.StdEncoding.EncodeToString(held.root[:]),
		Size: submitted.size, Root: base64.StdEncoding.EncodeToString(submitted.root[:]),
		Held: string(heldNote), Submitted: string(submittedNote),
	}
}

// alarmKey is what makes two alarms the same: a log that repeats itself is recorded once.
type alarmKey struct {
	kind         AlarmKind
	origin, root string
	size         uint64
}

func (a Alarm) key() alarmKey { return alarmKey{a.Kind, a.Origin, a.Root, a.Size} }

// alarms is the file of alarms. It is only ever appended to.
type alarms struct {
	mu    sync.Mutex
	file  *os.File
	size  int64
	known map[alarmKey]bool
}

// openAlarms opens the file of the witness in dir and cuts off an alarm that a crash left half
// written.
func openAlarms(dir string) (*alarms, error) {
	path := filepath.Join(dir, alarmFile)
	all, whole, err := readAlarms(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	created := err != nil
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open alarms: %w", err)
	}
	a := &alarms{file: f, size: whole, known: map[alarmKey]bool{}}
	for _, alarm := range all {
		a.known[alarm.key()] = true
	}
	if err = f.Truncate(whole); err == nil && created {
		err = durable.SyncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open alarms: %w", err), f.Close())
	}
	return a, nil
}

// readAlarms returns the alarms in the file and how many bytes they fill; after them there may be
// part of another.
func readAlarms(path string) (all []Alarm, whole int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.LimitReader(f, maxAlarms+maxAlarmLine), maxAlarmLine)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return all, whole, nil
		}
		var alarm Alarm
		if err == nil {
			err = json.Unmarshal(line, &alarm)
		}
		if err != nil {
			return nil, 0, tallystick.Errorf(tallystick.Invalid, "%s is damaged at alarm %d: %w", path, len(all)+1, err).
				WithHint("keep the file as evidence, and move it out of the way")
		}
		all, whole = append(all, alarm), whole+int64(len(line))
	}
}

// record makes an alarm durable and reports whether it is a new one.
func (a *alarms) record(alarm Alarm) (fresh bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[alarm.key()] {
		return false, nil
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(alarm); err != nil {
		return true, err
	}
	if a.size+int64(b.Len()) > maxAlarms {
		return true, fmt.Errorf("%s is full", alarmFile)
	}
	if _, err := a.file.WriteAt(b.Bytes(), a.size); err != nil {
		return true, fmt.Errorf("record alarm: %w", err)
	}
	if err := a.file.Sync(); err != nil {
		return true, fmt.Errorf("record alarm: %w", err)
	}
	a.size += int64(b.Len())
	a.known[alarm.key()] = true
	return true, nil
}

// Alarms returns the alarms of the witness in dir, oldest first.
func Alarms(dir string) ([]Alarm, error) {
	all, _, err := readAlarms(filepath.Join(dir, alarmFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}
