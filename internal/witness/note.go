package witness

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// Merge returns the checkpoint fresh with the signatures that kept has besides, if both sign the same
// text; of two signatures of one key that of fresh counts. Of different texts it returns fresh.
func Merge(kept, fresh []byte) ([]byte, error) {
	into, err := unverified(fresh)
	if err != nil {
		return nil, err
	}
	from, err := unverified(kept)
	if err != nil || from.Text != into.Text {
		return fresh, nil // what was kept is no checkpoint, or of no use any more
	}
	type key struct {
		name string
		hash uint32
	}
	have := map[key]bool{}
	for _, s := range into.UnverifiedSigs {
		have[key{s.Name, s.Hash}] = true
	}
	for _, s := range from.UnverifiedSigs {
		if !have[key{s.Name, s.Hash}] {
			into.UnverifiedSigs = append(into.UnverifiedSigs, s)
		}
	}
	return note.Sign(into)
}

func unverified(signed []byte) (*note.Note, error) {
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(signed, note.VerifierList()); !errors.As(err, &unverified) {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return unverified.Note, nil
}

// Cosigners returns the names of the policy's witnesses whose good signatures are under a checkpoint.
func (p Policy) Cosigners(signed []byte) []string {
	var verifiers []note.Verifier
	for _, peer := range p.Peers {
		v, err := peer.verifier()
		if err != nil {
			return nil
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range n.Sigs {
		names = append(names, s.Name)
	}
	return names
}
