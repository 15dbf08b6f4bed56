package witness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	cosignature "github.com/transparency-dev/formats/note"
)

// LogHeld is what a witness holds of one log.
type LogHeld struct {
	Origin     string    `json:"origin"`
	Size       uint64    `json:"size"`
	Time       time.Time `json:"time"`       // when it was cosigned
	Checkpoint string    `json:"checkpoint"` // signed note
}

// Held returns what the witness in dir holds, by the hash of the origin. The witness may run meanwhile.
func Held(dir string) ([]LogHeld, error) {
	key, err := OpenKey(dir)
	if err != nil {
		return nil, err
	}
	own, err := cosignature.NewVerifierForCosignatureV1(key.VKey)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Join(dir, logsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read witness: %w", err)
	}
	logs := []LogHeld{}
	for _, file := range files {
		if filepath.Ext(file.Name()) != recordExt {
			continue // being written
		}
		data, err := readRecord(filepath.Join(dir, logsDir, file.Name()))
		if err != nil {
			return nil, fmt.Errorf("read witness: %w", err)
		}
		c, err := parseCosigned(data, own)
		if err != nil {
			return nil, damagedRecord(file.Name(), err)
		}
		logs = append(logs, LogHeld{c.origin, c.size, c.at.UTC(), string(c.note)})
	}
	return logs, nil
}
