package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
)

const (
	// MaxRequest bounds the body of a request in bytes.
	MaxRequest = 80 << 10

	maxProof      = 63       // hashes, by the protocol
	maxCheckpoint = 64 << 10 // bytes of a signed checkpoint
	hashLine      = 44       // characters of a hash in base64
)

// Request is the body of an add-checkpoint call.
type Request struct {
	Old        uint64              // size of the checkpoint that the witness cosigned last, as the log believes
	Proof      [][sha256.Size]byte // RFC 6962 section 2.1.2, from Old to the checkpoint
	Checkpoint []byte              // signed note
}

// ParseRequest reads the body of an add-checkpoint call, in its one encoding. The checkpoint is cut
// off and not looked into.
func ParseRequest(body []byte) (Request, error) {
	if len(body) > MaxRequest {
		return Request{}, tallystick.Errorf(tallystick.Invalid, "request is longer than %d bytes", MaxRequest)
	}
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok || len(checkpoint) == 0 || len(checkpoint) > maxCheckpoint {
		return Request{}, tallystick.Errorf(tallystick.Invalid, "request is not an old size, a proof, an empty line and a checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	old, ok := strings.CutPrefix(lines[0], "old ")
	size, err := parseSize(old)
	if !ok || err != nil {
		return Request{}, tallystick.Errorf(tallystick.Invalid, "request does not begin with an old size: %.40q", lines[0])
	}
	r := Request{Old: size, Checkpoint: checkpoint}
	if len(lines)-1 > maxProof {
		return Request{}, tallystick.Errorf(tallystick.Invalid, "consistency proof has %d hashes, more than %d", len(lines)-1, maxProof)
	}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(line) != hashLine || len(hash) != sha256.Size {
			return Request{}, tallystick.Errorf(tallystick.Invalid, "consistency proof: %.60q is no hash in base64", line)
		}
		r.Proof = append(r.Proof, [sha256.Size]byte(hash))
	}
	return r, nil
}

// Marshal returns the body of the call.
func (r Request) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", r.Old)
	for _, hash := range r.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(hash[:]))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(r.Checkpoint)
	return b.Bytes()
}

// parseSize reads an ASCII decimal without leading zeroes.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, tallystick.Errorf(tallystick.Invalid, "%.40q is no tree size", s)
	}
	return n, nil
}
