package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

type verifyFlags struct {
	trust           string
	keys            []string
	witnesses       int
	format, extract string
}

func (a *app) verify() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify [FILE [FILE]]",
		Short: "Check evidence, a proof, two checkpoints, or the whole ledger",
		Long: `Verify checks, line by line, and says what the check does not prove.

  tallystick verify evidence.tally      an evidence bundle, offline; or a package for an auditor
  tallystick verify event.tlog-proof    the proof of one event
  tallystick verify x.prediction-proof  the proof of one prediction, offline
  tallystick verify OLD NEW             that one checkpoint continues the other
  tallystick verify                     the workspace's ledger against its database

Believed are the keys of --trust and --key, or else those of the local workspace. A
signer whom nobody told you to believe makes the verdict "unknown signer". Which witnesses
you believe is for you to say: give their keys with --key, beside --trust or alone.

Exit code: 0 verified, 1 anything else, 2 wrong flags or no such file.`,
		Example: `  tallystick verify evidence.tally --trust trust.json
  tallystick verify evidence.tally --key log.vkey --key statements.pem
  tallystick verify evidence.tally --trust trust.json --key witness.vkey --require-witnesses 1`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", f.format, "text", "json"); err != nil {
				return err
			}
			if len(args) == 0 {
				return a.verifyLedger(cmd.Context(), f)
			}
			return a.verifyFiles(cmd.Context(), f, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.trust, "trust", "", "trust.json of the signer, from a source that you believe")
	flags.StringSliceVar(&f.keys, "key", nil, "public `key` files: a C2SP verifier key, or a PEM key of statements")
	flags.IntVar(&f.witnesses, "require-witnesses", 0, "refuse checkpoints that fewer than `N` trusted witnesses have cosigned")
	flags.StringVar(&f.extract, "extract", "", "`directory` that gets the files of a bundle, once it is verified")
	flags.StringVar(&f.format, "format", "text", "text or json")
	return cmd
}

func (a *app) verifyFiles(ctx context.Context, f *verifyFlags, args []string) error {
	trust, err := a.trusted(ctx, f)
	if err != nil {
		return err
	}
	var result verify.Result
	if len(args) == 2 {
		result, err = a.verifyCheckpoints(ctx, args, trust, f)
	} else {
		result, err = verifyFile(args[0], trust, f)
	}
	if err != nil {
		return err
	}
	if result.Verdict != verify.Verified {
		a.code = exitRefused
	}
	if f.extract != "" && result.Verdict == verify.Verified {
		if err := result.Extract(f.extract); err != nil {
			return err
		}
	}
	return a.print(f.format, result, result)
}

// trusted returns whom the user believes. Beside a trust.json, --key names witnesses.
func (a *app) trusted(ctx context.Context, f *verifyFlags) (verify.Trust, error) {
	if f.trust != "" {
		trust, err := readTrust(f.trust)
		if err != nil {
			return verify.Trust{}, err
		}
		return f.withWitnesses(trust)
	}
	files, err := f.readKeys()
	if err != nil {
		return verify.Trust{}, err
	}
	if len(files) > 0 {
		return verify.TrustFromKeys(files...)
	}
	w, err := a.open(ctx, true)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return verify.Trust{}, nil
	}
	if err != nil {
		return verify.Trust{}, err
	}
	trust, err := w.WitnessedTrust()
	return trust, errors.Join(err, w.Close())
}

func readTrust(path string) (verify.Trust, error) {
	data, err := readFile(path, 1<<20)
	if err != nil {
		return verify.Trust{}, err
	}
	trust, err := verify.ParseTrust(data)
	if err != nil {
		return verify.Trust{}, fmt.Errorf("%s: %w", path, err)
	}
	return trust, nil
}

func (f *verifyFlags) readKeys() (files [][]byte, err error) {
	for _, path := range f.keys {
		data, err := readFile(path, 1<<20)
		if err != nil {
			return nil, err
		}
		files = append(files, data)
	}
	return files, nil
}

func (f *verifyFlags) withWitnesses(trust verify.Trust) (verify.Trust, error) {
	files, err := f.readKeys()
	if err == nil {
		trust, err = trust.WithWitnesses(files...)
	}
	if err != nil {
		return verify.Trust{}, fmt.Errorf("--key names witnesses here: %w", err)
	}
	return trust, nil
}

// verifyFile checks a bundle or a proof, whichever the file is.
func verifyFile(path string, trust verify.Trust, f *verifyFlags) (verify.Result, error) {
	file, err := openFile(path)
	if err != nil {
		return verify.Result{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return verify.Result{}, err
	}
	const proofHeader = "c2sp.org/tlog-proof@"
	head := make([]byte, len(proofHeader))
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return verify.Result{}, err
	}
	if string(head[:n]) == proofHeader {
		data, err := readFile(path, 1<<20)
		if err != nil {
			return verify.Result{}, err
		}
		return verify.Proof(data, trust, verify.ProofOptions{Witnesses: f.witnesses}), nil
	}
	if n > 0 && head[0] == '{' {
		data, err := readFile(path, 4<<20)
		if err != nil {
			return verify.Result{}, err
		}
		return verify.Prediction(data, trust, verify.ProofOptions{Witnesses: f.witnesses}), nil
	}
	return verify.Bundle(file, info.Size(), trust, verify.Options{Witnesses: f.witnesses})
}

// verifyCheckpoints checks that the second checkpoint continues the first, with a proof from the
// local ledger.
func (a *app) verifyCheckpoints(ctx context.Context, paths []string, trust verify.Trust, f *verifyFlags) (verify.Result, error) {
	in := verify.ConsistencyInput{Witnesses: f.witnesses}
	for i, to := range []*[]byte{&in.Older, &in.Newer} {
		data, err := readFile(paths[i], 1<<20)
		if err != nil {
			return verify.Result{}, err
		}
		*to = data
	}
	older, err := verify.ParseCheckpoint(in.Older)
	if err != nil {
		return verify.Result{}, notCheckpoint(paths[0], err)
	}
	newer, err := verify.ParseCheckpoint(in.Newer)
	if err != nil {
		return verify.Result{}, notCheckpoint(paths[1], err)
	}
	// Between others there is no proof: equal ones need none, and a smaller one continues nothing.
	if 0 < older.Size && older.Size < newer.Size {
		w, err := a.open(ctx, true)
		if err != nil {
			return verify.Result{}, err
		}
		defer func() { _ = w.Close() }() // read only
		reader, err := w.Ledger()
		if err != nil {
			return verify.Result{}, err
		}
		if in.Proof, err = consistency(ctx, reader, older.Size, newer.Size); err != nil {
			return verify.Result{}, err
		}
	}
	return verify.Consistency(in, trust), nil
}

func notCheckpoint(path string, err error) error {
	return tallystick.Errorf(tallystick.Invalid, "%s is no checkpoint: %w", path, err).WithHint("give two checkpoints, the older one first")
}

func consistency(ctx context.Context, reader *ledger.Reader, from, to uint64) (proof [][sha256.Size]byte, err error) {
	hashes, err := reader.ConsistencyProof(ctx, from, to)
	for _, hash := range hashes {
		proof = append(proof, [sha256.Size]byte(hash))
	}
	return proof, err
}

// verifyLedger checks the ledger of the workspace against its database, the state against the trail,
// and the ledger against what witnesses have cosigned.
func (a *app) verifyLedger(ctx context.Context, f *verifyFlags) error {
	return a.checkWorkspace(ctx, f.format, func(w *workspace.Workspace, ctx context.Context) (workspace.Check, error) {
		found, err := checkLedger(w, ctx)
		if err != nil {
			return found, err
		}
		trust, err := f.witnessTrust(w)
		if err == nil {
			w.CheckWitnesses(&found, trust, f.witnesses)
		}
		return found, err
	})
}

// witnessTrust returns the keys of the workspace with the witnesses that the user believes: those of
// --trust and --key, or else those that the workspace asks.
func (f *verifyFlags) witnessTrust(w *workspace.Workspace) (verify.Trust, error) {
	if f.trust == "" && len(f.keys) == 0 {
		return w.WitnessedTrust()
	}
	trust := w.Trust()
	if f.trust != "" {
		var err error
		if trust, err = readTrust(f.trust); err != nil {
			return trust, err
		}
	}
	return f.withWitnesses(trust)
}

func (a *app) checkWorkspace(ctx context.Context, format string, check func(*workspace.Workspace, context.Context) (workspace.Check, error)) (err error) {
	cfg, err := a.place(true)
	if err != nil {
		return err
	}
	w, err := workspace.Open(ctx, cfg)
	if err != nil {
		found, damaged := workspace.Unopened(cfg.Dir, err)
		if !damaged {
			return err
		}
		a.code = exitRefused
		return a.print(format, found, found)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	found, err := check(w, ctx)
	if err != nil {
		return err
	}
	if !found.OK() {
		a.code = exitRefused
	}
	return a.print(format, found, found)
}

// print writes a value as JSON, or what it writes of itself for people.
func (a *app) print(format string, value any, text io.WriterTo) error {
	if format == "json" {
		return a.printJSON(value)
	}
	_, err := text.WriteTo(a.Out)
	return err
}
