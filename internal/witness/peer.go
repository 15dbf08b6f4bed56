package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

const (
	maxAnswer = 64 << 10 // bytes of a witness's answer
	maxAsks   = 3        // of one witness about one checkpoint: its size may change under us
)

// Peer is a witness as a log sees it.
type Peer struct {
	URL  string `json:"url"`  // submission prefix
	VKey string `json:"vkey"` // C2SP verifier key of type 0x04
}

// ParsePeer reads URL=VKEY.
func ParsePeer(s string) (Peer, error) {
	address, vkey, ok := strings.Cut(s, "=")
	p := Peer{URL: strings.TrimSuffix(address, "/"), VKey: vkey}
	if !ok {
		return p, tallystick.Errorf(tallystick.Invalid, "witness %.200q is not URL=VKEY", s).WithHint("its operator sees the key with: tallystick witness status")
	}
	_, err := p.verifier()
	return p, err
}

// verifier checks the peer and returns what checks its cosignatures.
func (p Peer) verifier() (note.Verifier, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "witness address %.200q is no plain http or https URL", p.URL)
	}
	v, err := cosignature.NewVerifierForCosignatureV1(p.VKey)
	if err == nil && !strings.HasPrefix(p.VKey, fmt.Sprintf("%s+%08x+", v.Name(), v.KeyHash())) {
		err = errors.New("it is no key of the type cosignature/v1")
	}
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "witness key %.200q: %w", p.VKey, err).WithHint("its operator sees it with: tallystick witness status")
	}
	return v, nil
}

// Doer sends requests.
type Doer interface {
	// Do sends a request and follows no redirects.
	Do(*http.Request) (*http.Response, error)
}

// Ledger is a log as of one published checkpoint.
type Ledger interface {
	Checkpoint() []byte
	Size() uint64
	// ConsistencyProof returns the RFC 6962 proof from a tree of one size to that of another, at most Size.
	ConsistencyProof(ctx context.Context, from, to uint64) ([][]byte, error)
}

// Source returns the log as it is published now.
type Source func() (Ledger, error)

// asking is one peer with what is known of it.
type asking struct {
	Peer
	verifier note.Verifier
	client   Doer
	size     uint64 // of the checkpoint that it cosigned last, as far as is known
}

// cosign returns the witness's signature line under the checkpoint of l.
func (a *asking) cosign(ctx context.Context, l Ledger, source Source) ([]byte, error) {
	for range maxAsks {
		if a.size > l.Size() {
			return nil, a.behind(ctx, l, source)
		}
		request := Request{Old: a.size, Checkpoint: l.Checkpoint()}
		if a.size > 0 {
			hashes, err := l.ConsistencyProof(ctx, a.size, l.Size())
			if err != nil {
				return nil, err
			}
			for _, hash := range hashes {
				request.Proof = append(request.Proof, [sha256.Size]byte(hash))
			}
		}
		status, kind, body, err := a.post(ctx, request)
		if err != nil {
			return nil, err
		}
		switch status {
		case http.StatusOK:
			line, err := a.read(request.Checkpoint, body)
			if err == nil {
				a.size = l.Size()
			}
			return line, err
		case http.StatusConflict:
			held, err := parseSize(strings.TrimSuffix(string(body), "\n"))
			if err != nil || kind != sizeType {
				return nil, fmt.Errorf("witness %s answers 409 without a size", a.verifier.Name())
			}
			a.size = held
		default:
			return nil, a.refused(status, body)
		}
	}
	return nil, fmt.Errorf("witness %s goes on changing the size that it holds", a.verifier.Name())
}

// errOvertaken says that a newer checkpoint was cosigned meanwhile, by another process.
var errOvertaken = errors.New("a newer checkpoint was cosigned meanwhile")

// behind finds out why the witness holds a larger checkpoint than l: because l was overtaken, or
// because the ledger was put back. Then it says so to the witness, whose alarm should not depend on
// how patient an operator is.
func (a *asking) behind(ctx context.Context, l Ledger, source Source) error {
	held := a.size
	a.size = 0 // whatever this comes to, ask again next time
	now, err := source()
	if err != nil {
		return err
	}
	if now.Size() >= held {
		return errOvertaken
	}
	refusal := refuse(Stale, "witness %s has cosigned %d entries of this ledger, which now has %d", a.verifier.Name(), held, l.Size())
	refusal.Held = held
	if _, _, _, err := a.post(ctx, Request{Old: held, Checkpoint: l.Checkpoint()}); err != nil {
		return errors.Join(refusal, err)
	}
	return refusal
}

func (a *asking) post(ctx context.Context, request Request) (status int, kind string, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL+"/add-checkpoint", bytes.NewReader(request.Marshal()))
	if err != nil {
		return 0, "", nil, err
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("witness %s answers more than %d bytes", a.verifier.Name(), maxAnswer)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), body, err
}

// read takes the peer's own signature out of an answer. Those of unknown keys are ignored.
func (a *asking) read(checkpoint, answer []byte) ([]byte, error) {
	h, err := parseHead(checkpoint)
	if err != nil {
		return nil, err
	}
	n, err := note.Open([]byte(h.text+"\n"+string(answer)), note.VerifierList(a.verifier))
	if err != nil {
		return nil, fmt.Errorf("witness %s answers without a good signature: %w", a.verifier.Name(), err)
	}
	if at, err := cosignature.CoSigV1Timestamp(n.Sigs[0]); err != nil || at.Unix() <= 0 {
		return nil, fmt.Errorf("witness %s answers without a time", a.verifier.Name())
	}
	return signatureLine(n.Sigs[0]), nil
}

// refused is the error of a status that is no success. Those of the protocol are refusals, the others
// may pass.
func (a *asking) refused(status int, body []byte) error {
	detail := strings.TrimSpace(string(body[:min(len(body), 300)]))
	for _, fault := range []Fault{Malformed, Unsigned, UnknownLog, Inconsistent} {
		if faults()[fault] == status {
			return refuse(fault, "witness %s answers %d: %q", a.verifier.Name(), status, detail)
		}
	}
	return fmt.Errorf("witness %s answers %d: %q", a.verifier.Name(), status, detail)
}
