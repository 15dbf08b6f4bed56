package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Check is what a check of the whole workspace has found, in the order in which it looked. It goes
// on after a finding, so that one run names everything that is wrong.
type Check struct {
	Lines []verify.Check `json:"checks"`
	// Entries and Events count what was compared.
	Entries   uint64 `json:"entries"`
	Events    uint64 `json:"events"`
	Unsealed  uint64 `json:"unsealed"`
	Anchored  bool   `json:"anchored"`
	Witnessed bool   `json:"witnessed"` // by as many as were asked for, and at least one
}

// OK reports whether nothing is wrong.
func (c Check) OK() bool {
	for _, line := range c.Lines {
		if line.Status == verify.Failed {
			return false
		}
	}
	return true
}

// Add adds a line to the check: that subject holds, as detail says, or what is wrong with it.
func (c *Check) Add(check, subject, detail string, err error) {
	line := verify.Check{Check: check, Subject: subject, Status: verify.OK, Detail: detail}
	if err != nil {
		line.Status, line.Detail = verify.Failed, err.Error()
	}
	c.Lines = append(c.Lines, line)
}

// Unwitnessed is what a check of a ledger without witnesses cannot show.
const Unwitnessed = "unwitnessed: whoever holds the log key could have rewritten this ledger and its anchor together; only a witness or a copy of a checkpoint elsewhere would show it"

// Unopened is the check of a workspace that Open has refused; ok is false if the refusal is no sign of
// damage.
func Unopened(dir string, err error) (c Check, ok bool) {
	if difference := (*trail.Difference)(nil); errors.As(err, &difference) {
		c.Add("trail", stateFile, "", err)
		return c, true
	}
	switch code := tallystick.CodeOf(err); {
	case errors.Is(err, state.ErrDamaged), code == tallystick.Invalid, code == tallystick.Conflict:
		c.Add("workspace", dir, "", err)
		return c, true
	}
	return c, false
}

// CheckLedger recomputes the ledger from its entries, compares it with its checkpoint and its anchor,
// and compares every event of the database with its entry: present, in order, equal.
func (w *Workspace) CheckLedger(ctx context.Context) (Check, error) {
	var c Check
	err := w.checkLedger(ctx, &c)
	return c, err
}

func (w *Workspace) checkLedger(ctx context.Context, c *Check) error {
	reader, err := w.Ledger()
	if tallystick.CodeOf(err) == tallystick.NotFound {
		sealed, err := w.everSealed(ctx)
		if err == nil && sealed {
			err = tallystick.Errorf(tallystick.Invalid, "it is missing, but the database knows of sealed events")
		}
		c.Add("ledger", ledgerDir, "nothing has been sealed yet", err)
		return nil
	}
	if err != nil {
		c.Add("ledger", ledgerDir, "", err)
		return ctx.Err()
	}
	// One pass over the entries serves both comparisons: with the tree, and with the database.
	comparer := trail.NewComparer(ctx, trail.ComparerConfig{DB: w.DB, Origin: w.about.Origin, Prefix: w.about.Prefix})
	report, err := reader.Check(ctx, ledger.CheckOptions{Verifiers: logVerifiers{ctx, w}, Anchor: w.anchor(), Leaf: comparer.Leaf})
	var difference *trail.Difference
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.As(err, &difference) {
		c.Add("trail", w.stateName(), "", err)
		return nil
	}
	c.Entries, c.Anchored = report.Size, report.Anchor == ledger.AnchorHeld
	c.Add("ledger", ledgerDir, fmt.Sprintf("%d entries hash to the root of the signed checkpoint; %d files, %d bytes", report.Size, report.Files, report.Bytes), err)
	if err != nil {
		return nil
	}
	signed, err := verify.OpenCheckpoint(reader.Checkpoint(), w.Trust())
	c.Add("checkpoint", ledgerDir, fmt.Sprintf("signed by a log key that may speak for %d entries", signed.Size), err)
	err = nil
	if !c.Anchored {
		err = tallystick.Errorf(tallystick.Invalid, "%s is %s: nothing outside the workspace says how far the ledger had come", w.anchor(), report.Anchor)
	}
	c.Add("anchor", w.anchor(), "the newest checkpoint kept outside the workspace is part of this ledger", err)
	comparison, err := comparer.Finish()
	c.Events = comparison.Events
	c.Add("trail", w.stateName(), fmt.Sprintf("%d events are in the ledger, in order and equal", comparison.Events-comparison.Beyond), err)
	if n, _, err := w.Trail.Unsealed(ctx); err != nil || n > 0 {
		c.Unsealed = n
		c.Add("sealing", w.stateName(), fmt.Sprintf("%d recorded events are not sealed yet", n), err)
	}
	return ctx.Err()
}

// CheckAll checks the database, the evidence and the ledger.
func (w *Workspace) CheckAll(ctx context.Context) (Check, error) {
	var c Check
	if err := w.refreshKeys(ctx); err != nil {
		c.Add("keys", keysDir, "", err)
		return c, ctx.Err()
	}
	c.Add("database", w.stateName(), "its pages, indexes and references are sound", w.DB.Check(ctx))
	n, err := trail.CheckEvents(ctx, w.Trail)
	c.Add("events", w.stateName(), fmt.Sprintf("%d leaves are canonical, their disclosures open them, no sequence is missing", n), err)
	c.Add("evidence", evidenceDir, "every file has the bytes that its name says", checkBlobs(ctx, blob.Config{Dir: w.path(evidenceDir)}))
	c.Add("artifacts", artifactDir, "every file has the bytes that its name says", checkBlobs(ctx, blob.Config{Dir: w.path(artifactDir), MaxSize: maxArtifact}))
	c.Add("predictions", predictions, "every file has the bytes that its name says", checkBlobs(ctx, blob.Config{Dir: w.path(predictions)}))
	c.Add("keys", keysDir+"/"+trustFile, "its keys, ranges and compromises are those of the trail", w.checkKeys(ctx))
	err = w.checkLedger(ctx, &c)
	return c, err
}

// checkBlobs reads every blob.
func checkBlobs(ctx context.Context, cfg blob.Config) error {
	store, err := blob.Open(cfg)
	if err != nil {
		return err
	}
	report, err := store.Check(ctx)
	switch {
	case err != nil:
		return err
	case len(report.Damaged) > 0:
		return tallystick.Errorf(tallystick.Invalid, "%d files are damaged, first %s", len(report.Damaged), report.Damaged[0])
	case len(report.Strange) > 0:
		return tallystick.Errorf(tallystick.Invalid, "%d files do not belong there, first %s", len(report.Strange), report.Strange[0])
	}
	return nil
}

// WriteTo writes the check for people: a line for each, the verdict, and what it does not prove.
func (c Check) WriteTo(out io.Writer) (int64, error) {
	var b strings.Builder
	width := 0
	for _, line := range c.Lines {
		width = max(width, len(line.Check))
	}
	verdict := "sound"
	for _, line := range c.Lines {
		detail := line.Detail
		if line.Status == verify.Failed && !strings.Contains(detail, line.Subject) {
			detail = line.Subject + ": " + detail
		}
		fmt.Fprintf(&b, "%-7s  %-*s  %s\n", line.Status, width, line.Check, detail)
		if line.Status == verify.Failed && verdict == "sound" {
			verdict = fmt.Sprintf("damaged: %s: %s", line.Check, detail)
			if line.Check == witnessCheck && line.Subject == witnessDir { // there are too few; nothing is wrong
				verdict = "refused: " + line.Detail
			}
		}
	}
	limit := Unwitnessed
	if c.Witnessed {
		limit = "anything about entries that no witness has cosigned yet, or beyond the word of those that have cosigned"
	}
	fmt.Fprintf(&b, "\nverdict: %s\n\nThis does not prove:\n- %s\n", verdict, limit)
	n, err := io.WriteString(out, b.String())
	return int64(n), err
}
