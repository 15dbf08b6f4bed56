package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/witness"
	"github.com/tallystick/tallystick/verify"
)

const (
	witnessDir     = "witness"
	witnessCheck   = "witnesses" // name of the check
	policyFile     = "policy.json"
	cosignedFile   = "checkpoint"
	maxPolicy      = 64 << 10
	maxCosigned    = 64 << 10
	witnessConnect = 5 * time.Second
	witnessTotal   = 10 * time.Second
	cosignPause    = 200 * time.Millisecond // several checkpoints are one round
	cosignRetry    = 5 * time.Second        // after a round that the ledger or the disk spoiled
)

// SetWitnesses settles who is asked to cosign the ledger's checkpoints; an empty policy ends the
// asking. A change is an event.
func (w *Workspace) SetWitnesses(ctx context.Context, policy witness.Policy) error {
	if err := policy.Validate(); err != nil {
		return err
	}
	before, err := w.Witnesses()
	if err != nil || reflect.DeepEqual(before, policy) || len(before.Peers)+len(policy.Peers) == 0 {
		return err
	}
	keys := []string{}
	for _, peer := range policy.Peers {
		keys = append(keys, peer.VKey)
	}
	// First the event: who was to watch must not change unseen.
	_, err = w.Recorder.Record(context.WithoutCancel(ctx), trail.Entry{
		Type: trail.WitnessesChosen, Actor: w.cfg.Actor, Resource: trail.Resource{Type: "workspace", ID: w.about.Origin}, Outcome: tallystick.Success,
		Data: map[string]any{"witnesses": keys, "quorum": policy.Quorum},
	})
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		return err
	}
	return w.writeWitness(policyFile, append(data, '\n'))
}

// Witnesses returns who is asked to cosign the ledger's checkpoints; nobody unless somebody has said so.
func (w *Workspace) Witnesses() (policy witness.Policy, err error) {
	data, err := w.readWitness(policyFile, maxPolicy)
	if err != nil || data == nil {
		return policy, err
	}
	if err = json.Unmarshal(data, &policy); err == nil {
		err = policy.Validate()
	}
	if err != nil {
		return witness.Policy{}, tallystick.Errorf(tallystick.Invalid, "%s is damaged: %w", w.path(filepath.Join(witnessDir, policyFile)), err).
			WithHint("remove it and name the witnesses again")
	}
	return policy, nil
}

// WitnessGroup returns the witnesses as a group that can be asked, nil if there are none.
func (w *Workspace) WitnessGroup() (*witness.Group, error) {
	policy, err := w.Witnesses()
	if err != nil || len(policy.Peers) == 0 {
		return nil, err
	}
	allow, err := witnessHosts(policy)
	if err != nil {
		return nil, err
	}
	client := dial.New(dial.Config{Allow: allow, Connect: witnessConnect, TLS: witnessConnect, Header: witnessTotal, Total: witnessTotal, MaxBytes: 1 << 20})
	return witness.NewGroup(policy, client)
}

// witnessHosts allows the hosts of the witnesses and no others. Whoever runs the workspace has named
// them, so that their addresses may be private ones too; not those of this machine, unless the host
// says so, nor link-local ones, where clouds keep secrets.
func witnessHosts(policy witness.Policy) (dial.AllowList, error) {
	var entries []string
	for _, peer := range policy.Peers {
		u, err := url.Parse(peer.URL)
		if err != nil {
			return dial.AllowList{}, err
		}
		entry := u.Host
		if u.Scheme == "http" {
			entry = "http://" + u.Host
		}
		entries = append(entries, entry)
		switch at, err := netip.ParseAddr(u.Hostname()); {
		case err == nil:
			entries = append(entries, netip.PrefixFrom(at, at.BitLen()).String())
		case u.Hostname() == "localhost":
			entries = append(entries, "127.0.0.0/8", "::1/128")
		default:
			entries = append(entries, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
		}
	}
	return dial.ParseAllowList(entries)
}

// Cosign asks the witnesses for their cosignatures under the newest checkpoint and keeps what they
// give. What a witness refuses is an event. An error is one of this workspace; whether the witnesses
// answered is in the round.
func (w *Workspace) Cosign(ctx context.Context, group *witness.Group) (witness.Round, error) {
	round, err := group.Cosign(ctx, func() (witness.Ledger, error) { return w.Ledger() })
	if err != nil {
		return round, err
	}
	errs := []error{w.keepCosigned(group.Policy(), round)}
	for _, refusal := range round.Refusals {
		w.cfg.Logger.ErrorContext(ctx, "alarm: a witness refuses to cosign", slog.String("witness", refusal.Witness), slog.String("fault", string(refusal.Fault)),
			slog.String("detail", refusal.Detail), slog.Uint64("size", round.Size), slog.Uint64("held_size", refusal.Held))
		data := map[string]any{"witness": refusal.Witness, "fault": string(refusal.Fault), "size": round.Size, "detail": refusal.Detail}
		if refusal.Held > 0 {
			data["held_size"] = refusal.Held
		}
		_, err := w.Recorder.Record(ctx, trail.Entry{
			Type: trail.WitnessRefused, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Resource: trail.Resource{Type: "witness", ID: refusal.Witness},
			Outcome: tallystick.Denied, Data: data,
		})
		errs = append(errs, err)
	}
	return round, errors.Join(errs...)
}

// TryCosign is Cosign for whoever goes on without, if the workspace has witnesses at all. It takes
// seconds at most; failures are logged.
func (w *Workspace) TryCosign(ctx context.Context) {
	group, err := w.WitnessGroup()
	if err == nil && group != nil {
		var round witness.Round
		if round, err = w.Cosign(ctx, group); err == nil && !round.Quorum {
			err = fmt.Errorf("%d of %d witnesses have cosigned, fewer than %d", round.Cosigned, len(group.Policy().Peers), group.Policy().Quorum)
		}
	}
	if err != nil {
		w.cfg.Logger.WarnContext(ctx, "the newest checkpoint is not witnessed", slog.Any("error", err))
	}
}

// KeepCosigned has every checkpoint that this process publishes cosigned, or a newer one in its stead,
// until ctx ends. It holds nobody up, and no failure of a witness ends it: see the group's status.
func (w *Workspace) KeepCosigned(ctx context.Context, group *witness.Group) {
	for {
		round, err := w.Cosign(ctx, group)
		if ctx.Err() != nil {
			return
		}
		var wait time.Duration // 0: until the next checkpoint
		switch {
		case tallystick.CodeOf(err) == tallystick.NotFound: // nothing has been sealed yet
		case err != nil:
			w.cfg.Logger.WarnContext(ctx, "the newest checkpoint is not cosigned", slog.Any("error", err))
			wait = cosignRetry
		case !round.Next.IsZero():
			wait = max(time.Until(round.Next), cosignPause)
		}
		if !w.awaitPublished(ctx, wait) {
			return
		}
	}
}

// awaitPublished waits for a new checkpoint, or for that long if it is not 0, and a moment more. It
// reports whether ctx goes on.
func (w *Workspace) awaitPublished(ctx context.Context, atMost time.Duration) bool {
	var late <-chan time.Time
	if atMost > 0 {
		timer := time.NewTimer(atMost)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-w.published:
	case <-late:
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(cosignPause):
		return true
	}
}

// notePublished wakes KeepCosigned. It is called while a checkpoint is published and holds nothing up.
func (w *Workspace) notePublished() {
	select {
	case w.published <- struct{}{}:
	default:
	}
}

// keepCosigned keeps the checkpoint of a round, unless the one kept has a quorum and this one has none.
func (w *Workspace) keepCosigned(policy witness.Policy, round witness.Round) error {
	if round.Cosigned == 0 {
		return nil
	}
	kept, err := w.readWitness(cosignedFile, maxCosigned)
	if err != nil {
		return err
	}
	merged, err := witness.Merge(kept, round.Checkpoint)
	if err != nil {
		return err
	}
	if len(policy.Cosigners(merged)) < policy.Quorum && len(policy.Cosigners(kept)) >= policy.Quorum {
		return nil
	}
	return w.writeWitness(cosignedFile, merged)
}

// CosignedLedger returns a reader of the ledger as of the checkpoint that the witnesses have cosigned:
// NotFound if there is none, a Conflict if the ledger does not continue it.
func (w *Workspace) CosignedLedger() (*ledger.Reader, error) {
	reader, err := w.Ledger()
	if err != nil {
		return nil, err
	}
	return w.cosignedOf(reader)
}

func (w *Workspace) cosignedOf(published *ledger.Reader) (*ledger.Reader, error) {
	kept, err := w.readWitness(cosignedFile, maxCosigned)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		return nil, tallystick.Errorf(tallystick.NotFound, "no witness has cosigned this ledger")
	}
	return published.At(kept)
}

// Cosigned returns the newest checkpoint that witnesses have cosigned of those that this workspace believes;
// of size 0 and without signatures if there is none.
func (w *Workspace) Cosigned() (verify.Checkpoint, error) {
	kept, err := w.readWitness(cosignedFile, maxCosigned)
	if err != nil || kept == nil {
		return verify.Checkpoint{}, err
	}
	trust, err := w.WitnessedTrust()
	if err != nil {
		return verify.Checkpoint{}, err
	}
	return verify.OpenCheckpoint(kept, trust)
}

// readWitness reads a file about witnesses, nil if there is none.
func (w *Workspace) readWitness(name string, limit int64) ([]byte, error) {
	f, err := os.Open(w.path(filepath.Join(witnessDir, name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what witnesses have signed: %w", err)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

func (w *Workspace) writeWitness(name string, data []byte) error {
	if err := durable.MkdirAll(w.path(witnessDir), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(w.path(filepath.Join(witnessDir, name)), 0o600, func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// WitnessedTrust returns whom a verifier in this workspace believes: its own keys, and the witnesses
// that it has chosen.
func (w *Workspace) WitnessedTrust() (verify.Trust, error) {
	policy, err := w.Witnesses()
	if err != nil {
		return verify.Trust{}, err
	}
	var files [][]byte
	for _, peer := range policy.Peers {
		files = append(files, []byte(peer.VKey))
	}
	return w.Trust().WithWitnesses(files...)
}

// CheckWitnesses adds to a check what the witnesses of trust have cosigned: that the ledger continues
// it, and that at least required of them have.
func (w *Workspace) CheckWitnesses(c *Check, trust verify.Trust, required int) {
	kept, err := w.readWitness(cosignedFile, maxCosigned)
	if err == nil && kept == nil {
		c.notWitnessed(verify.WitnessedBy(verify.Checkpoint{}, trust), required)
		return
	}
	var signed verify.Checkpoint
	if err == nil {
		_, err = w.CosignedLedger()
	}
	if err == nil {
		signed, err = verify.OpenCheckpoint(kept, trust)
	}
	if err != nil {
		c.Add(witnessCheck, witnessDir+"/"+cosignedFile, "", err)
		return
	}
	names := signed.WitnessNames()
	if len(names) == 0 || len(names) < required {
		c.notWitnessed(verify.WitnessedBy(signed, trust), required)
		return
	}
	c.Witnessed = true
	c.Add(witnessCheck, witnessDir+"/"+cosignedFile, fmt.Sprintf("%s; up to %d entries", verify.WitnessedBy(signed, trust), signed.Size), nil)
}

func (c *Check) notWitnessed(line string, required int) {
	status := verify.Skipped
	if required > 0 {
		status, line = verify.Failed, fmt.Sprintf("%s; want at least %d", line, required)
	}
	c.Lines = append(c.Lines, verify.Check{Check: witnessCheck, Subject: witnessDir, Status: status, Detail: line})
}
