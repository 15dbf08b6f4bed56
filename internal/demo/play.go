package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// Config says where a play happens.
type Config struct {
	Program  string    // the program that is played with, an executable
	Dir      string    // gets all that the play writes; one that a play made before is begun anew
	Listen   string    // address of the server, HOST:PORT
	Commands bool      // print each command too
	Stay     bool      // keep the server until the context ends
	Out      io.Writer // the narration
}

// act is one step of a play. It returns what happened in a sentence, and the page that shows it, if one does.
type act func(ctx context.Context) (sentence, page string, err error)

// release is the play: from nothing to a release, an attempt to go around it, a customer who complains of a
// decision, a pilot that drifts and goes back, and strangers who check.
func (s *stage) release() []act {
	return []act{
		s.people, s.registered, s.denied, s.withoutConsent, s.evidence, s.ownApproval, s.approvals, s.promoted,
		s.silentFailure, s.outOfBand, s.predicted, s.complaint, s.reviewed, s.answered, s.drifted, s.learned, s.exported, s.flipped,
	}
}

// marker is in a directory that a play has made.
const marker = ".tallystick-demo"

// Play plays the whole and returns an error at the first step that does not hold.
func Play(ctx context.Context, config Config) (err error) {
	if err := clear(config.Dir); err != nil {
		return err
	}
	s := &stage{Config: config}
	if s.told, err = receive(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.told.close()) }()
	begun := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	fmt.Fprintf(s.Out, "A made-up lender releases a scoring model. Everything happens through the program's own commands, at %s\n\n", s.url(""))
	for _, act := range s.release() {
		s.steps++
		sentence, page, err := act(ctx)
		if err != nil {
			return fmt.Errorf("step %d of the demo does not hold: %w", s.steps, err)
		}
		fmt.Fprintf(s.Out, "%2d  ✓ %s\n", s.steps, sentence)
		if page != "" {
			fmt.Fprintf(s.Out, "      %s\n", s.url(page))
		}
	}
	fmt.Fprintf(s.Out, "\nAll %d steps held, in %.0f s. Everything lies in %s, so do %s, %s and %s; `tallystick demo --commands` prints each command.\n",
		s.steps, time.Since(begun).Seconds(), s.Dir, packageFile, proofFile, letterFile)
	if !s.Stay {
		return nil
	}
	if err := s.invite(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// invite prints a link for each of those whom a visitor may want to be.
func (s *stage) invite(ctx context.Context) error {
	fmt.Fprintf(s.Out, "\nThe server stays up at %s until you press Ctrl-C. Choose a passphrase by a link, then sign in under that name:\n\n", s.url(""))
	for _, who := range []string{author, approver, auditor} {
		link := s.path("people", who, "link")
		if err := s.must(ctx, admin, nil, "user", "enrol", who, "-o", link); err != nil {
			return err
		}
		secret, err := os.ReadFile(link)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "  %-9s %s\n", who, s.url("/enrol?"+url.Values{"link": {strings.TrimSpace(string(secret))}}.Encode()))
	}
	_, err := fmt.Fprintln(s.Out, "\nLinks on one machine show the flow; separate people, each with their own machine and secret, prove it.")
	return err
}

// clear makes an empty directory of dir, and refuses to empty one that is not a play's.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "the directory %s is not empty, and no demo has made it", dir).WithHint("name another one")
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, marker), 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "made by tallystick demo, which begins anew here")
		return err
	})
}
