package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/modelsign"
)

const (
	maxKeyFile       = 64 << 10
	defaultSignature = "model.sig" // as the reference tool has it
)

func (a *app) modelSign() *cobra.Command {
	var key, signature, of, format string
	var hashing artifact.HashOptions
	cmd := &cobra.Command{
		Use:   "sign PATH --key FILE",
		Short: "Sign the files of a model as OpenSSF Model Signing 1.0 says",
		Long: `Sign writes a Sigstore bundle that the reference tool (model_signing of Python) verifies too. The
key is ECDSA on P-256, P-384 or P-521 in PEM. With --model the signature goes on record with the version,
which must have been registered with these files; the gate lets it count once an admin has added the public
key (tallystick signer add).`,
		Example: `  openssl ecparam -name prime256v1 -genkey -noout -out key.pem
  tallystick model sign model/ --key key.pem --model credit@3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			if key == "" {
				return usageError(cmd, "--key is missing")
			}
			pem, err := readFile(key, maxKeyFile)
			if err != nil {
				return err
			}
			private, err := modelsign.ParsePrivateKey(pem)
			if err != nil {
				return fmt.Errorf("--key %s: %w", key, err)
			}
			progress := a.progress()
			defer progress.done()
			hashing.Progress = func(done, total int64) { progress.show("hashing", done, total) }
			bundle, manifest, err := modelsign.Sign(cmd.Context(), modelsign.Model{Path: args[0], SignaturePath: signature, Hash: hashing}, private, rand.Reader)
			if err != nil {
				return err
			}
			err = durable.WriteFile(signature, 0o644, func(w io.Writer) error {
				_, err := w.Write(bundle)
				return err
			})
			if err != nil {
				return err
			}
			progress.done()
			hint, err := modelsign.KeyHint(&private.PublicKey)
			if err != nil {
				return err
			}
			out := a.Out
			if format == "json" {
				out = io.Discard // the answer holds it all
			}
			fmt.Fprintf(out, "%d files signed: %s\n", manifest.Len(), signature)
			var receipt client.Receipt
			if of != "" {
				receipt, err = a.attachAbout(cmd.Context(), out, of, manifest, catalog.EvidenceDetails{Kind: catalog.SignatureEvidence, ProducedMS: producedNow()}, bundle, false)
			}
			if err != nil || format != "json" {
				return err
			}
			return a.printJSON(done[signed]{receipt.Event, receipt.Sequence, signed{signature, hint, manifest.Len(), of}})
		},
	}
	signatureFlags(cmd, &key, &signature, "private key, a PEM `file`")
	cmd.Flags().StringVar(&of, "model", "", "`MODEL@VERSION` with which the signature goes on record")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	addHashFlags(cmd, &hashing)
	return cmd
}

// signed is what was signed.
type signed struct {
	Signature string `json:"signature"` // file
	Signer    string `json:"signer"`    // hint of the key, as in the signature
	Files     int    `json:"files"`
	Version   string `json:"version,omitempty"` // with which it is on record
}

func signatureFlags(cmd *cobra.Command, key, signature *string, usage string) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(key, "key", "", usage)
	cmd.Flags().StringVar(signature, "signature", defaultSignature, "`file` of the signature")
}

// attachAbout attaches evidence about files to the version that was registered with them, and tells out.
func (a *app) attachAbout(ctx context.Context, out io.Writer, name string, files artifact.Manifest, d catalog.EvidenceDetails, body []byte, vouched bool) (receipt client.Receipt, err error) {
	model, version, err := versionName(name)
	if err != nil {
		return receipt, err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return receipt, err
	}
	err = func() error {
		var v catalog.Version
		if err := s.Get(ctx, versionPath(model, version), &v); err != nil {
			return err
		}
		// A signature may leave its own file out, and a version keep it: the root is compared then too.
		digest, err := files.Digest()
		if err != nil {
			return err
		}
		if v.Digest != "" && v.Digest != digest {
			return tallystick.Errorf(tallystick.Conflict, "these files are not those of version %s: %s, not %s", name, digest.Short(), v.Digest.Short()).
				WithHint("`tallystick version show %s` lists its files; --ignore leaves out what is no part of it", name)
		}
		d.Subject = digest
		if vouched {
			if d, body, err = a.vouch(ctx, s, name, d, body); err != nil {
				return err
			}
		}
		on, got, err := attach(ctx, s, name, d, body)
		if err != nil {
			return err
		}
		receipt = got
		fmt.Fprintf(out, "evidence of %s, kind %s, %s\n", name, d.Kind, on.Words)
		printReceipt(out, receipt)
		return nil
	}()
	return receipt, errors.Join(err, s.Close(ctx, err == nil))
}

func (a *app) modelVerify() *cobra.Command {
	var key, signature string
	var hashing artifact.HashOptions
	cmd := &cobra.Command{
		Use:   "verify PATH --key FILE",
		Short: "Check that a key signed these files, by whichever tool",
		Long: `Verify checks a signature of OpenSSF Model Signing 1.0 with the signer's public key: every file that was
signed is there as it was, and no other.

Exit code: 0 it holds, 1 a file differs or the signature is not the key's.`,
		Example: `  openssl ec -in key.pem -pubout -out public.pem
  tallystick model verify model/ --key public.pem`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return usageError(cmd, "--key is missing")
			}
			pem, err := readFile(key, maxKeyFile)
			if err != nil {
				return err
			}
			public, err := modelsign.ParsePublicKey(pem)
			if err != nil {
				return fmt.Errorf("--key %s: %w", key, err)
			}
			bundle, err := readFile(signature, modelsign.MaxBundle)
			if err != nil {
				return err
			}
			progress := a.progress()
			defer progress.done()
			hashing.Progress = func(done, total int64) { progress.show("hashing", done, total) }
			if !exists(args[0]) {
				return tallystick.Errorf(tallystick.Invalid, "%s: no such file or directory", args[0]).WithHint("check the path")
			}
			statement, manifest, err := modelsign.Verify(cmd.Context(), modelsign.Model{Path: args[0], SignaturePath: signature, Hash: hashing}, bundle, public)
			if code := tallystick.CodeOf(err); code == tallystick.Invalid || code == tallystick.Conflict {
				progress.done()
				a.code = exitRefused
				_, err = fmt.Fprintf(a.Out, "refused: %s\n", oneLine(err))
				return err
			}
			if err != nil {
				return err
			}
			progress.done()
			_, err = fmt.Fprintf(a.Out, "verified: %d files, root %s\nit says nothing about these paths, and always: %v\n", manifest.Len(), statement.Root, statement.Ignored)
			return err
		},
	}
	signatureFlags(cmd, &key, &signature, "public key of the signer, a PEM `file`")
	addHashFlags(cmd, &hashing)
	return cmd
}
