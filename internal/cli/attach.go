package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/release"
)

const maxEvidence = 64 << 20 // bytes of one piece

func (a *app) evidence() *cobra.Command {
	cmd := &cobra.Command{Use: "evidence", Short: "Attach evidence to models and versions, and list it"}
	cmd.AddCommand(a.evidenceAttach(), a.evidenceList())
	return cmd
}

func (a *app) evidenceAttach() *cobra.Command {
	var d catalog.EvidenceDetails
	var kind, digest, subject, verdict, until, produced string
	var sign bool
	cmd := &cobra.Command{
		Use:     "attach MODEL[@VERSION] [FILE] --kind KIND",
		Aliases: []string{"add"},
		Short:   "Put a piece of evidence on record, and its bytes into the store",
		Long: `Attach keeps FILE in the store of evidence and records its digest with the version, or with the model as
a whole. A ticket or a note needs no file; evidence that must stay elsewhere is given by its --digest.

Nothing counts for the gate that somebody registered has not signed. FILE can be a signed in-toto statement (DSSE or a
Sigstore bundle), which says itself what it is about and how it came out. --sign makes one of any other FILE: the key of
your workspace, which an admin of the server lets count (tallystick signer add), answers for it. The rest is a claim.

Kinds: evaluation, data_check, criteria, scan, vulnerabilities, signature, baseline, supplier, document, ticket, note.`,
		Example: `  tallystick evidence attach credit@3 card.md --kind document --name model-card --sign
  tallystick evidence attach credit@3 --kind ticket --system jira --reference RISK-12`,
		Args: cobra.RangeArgs(1, 2),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&kind, "kind", "", "what it is about, see above")
	flags.StringVar(&d.Name, "name", "", "which document, such as impact-assessment")
	flags.StringVar(&digest, "digest", "", "`digest` of evidence that lies elsewhere")
	flags.StringVar(&subject, "subject", "", "`digest` of what it is about: the version's, or its OpenSSF root")
	flags.StringVar(&verdict, "verdict", "", "pass, warn, fail, inconclusive or insufficient")
	flags.StringVar(&d.PredicateType, "predicate-type", "", "in-toto predicate type, if it is a statement")
	flags.StringVar(&d.Signer, "signer", "", "id of the key that signed it")
	flags.StringVar(&produced, "produced", "", "when it was produced, a `time` (default: now)")
	flags.StringVar(&until, "until", "", "until when it counts, a `time`")
	flags.StringVar(&d.System, "system", "", "system in which a ticket lies")
	flags.StringVar(&d.Reference, "reference", "", "id or address of the ticket or document there")
	flags.StringVar(&d.Note, "note", "", "what a reviewer notes")
	flags.BoolVar(&sign, "sign", false, "answer for it with the key of your workspace")
	return acts(a, cmd, command[release.Attached]{
		do: func(ctx context.Context, s *session, args []string) (on release.Attached, _ client.Receipt, err error) {
			d.Kind, d.Digest, d.Subject, d.Verdict = catalog.EvidenceKind(kind), tallystick.Digest(digest), tallystick.Digest(subject), tallystick.Verdict(verdict)
			if kind == "" {
				return on, client.Receipt{}, usageError(cmd, "--kind is missing")
			}
			for flag, at := range map[string]*struct {
				given string
				into  *int64
			}{"--produced": {produced, &d.ProducedMS}, "--until": {until, &d.UntilMS}} {
				t, err := parseTime(flag, at.given)
				if err != nil {
					return on, client.Receipt{}, err
				}
				if !t.IsZero() {
					*at.into = t.UnixMilli()
				}
			}
			var body []byte
			if len(args) == 2 {
				if body, err = readFile(args[1], maxEvidence); err != nil {
					return on, client.Receipt{}, err
				}
				if got := tallystick.DigestOf(body); d.Digest != "" && d.Digest != got {
					return on, client.Receipt{}, tallystick.Errorf(tallystick.Conflict, "%s has the digest %s, not %s", args[1], got.Short(), d.Digest.Short())
				}
			}
			if sign && body == nil {
				return on, client.Receipt{}, usageError(cmd, "--sign needs a FILE")
			}
			if sign {
				if d, body, err = a.vouch(ctx, s, args[0], d, body); err != nil {
					return on, client.Receipt{}, err
				}
			}
			return attach(ctx, s, args[0], d, body)
		},
		text: func(w io.Writer, d release.Attached) {
			printFields(w, "kind", string(d.Kind), "name", d.Name, "digest", string(d.Digest), "verdict", string(d.Verdict), "subject", string(d.Subject), "standing", d.Words)
		},
		mustExist: true,
	})
}

// attach keeps body, if there is one, and puts what is said of it on record.
func attach(ctx context.Context, s *session, name string, d catalog.EvidenceDetails, body []byte) (on release.Attached, _ client.Receipt, err error) {
	model, version, err := catalog.ParseVersionName(name)
	if err != nil {
		return on, client.Receipt{}, err
	}
	if body != nil {
		d.Digest = tallystick.DigestOf(body)
		if err := putEvidence(ctx, s, body); err != nil {
			return on, client.Receipt{}, err
		}
	}
	path := modelPath(model) + "/evidence"
	if version != "" {
		path = versionPath(model, version) + "/evidence"
	}
	receipt, err := s.Post(ctx, path, d, &on)
	return on, receipt, err
}

// vouch keeps body and returns the statement by which the key of the workspace here answers for it.
func (a *app) vouch(ctx context.Context, s *session, name string, d catalog.EvidenceDetails, body []byte) (_ catalog.EvidenceDetails, _ []byte, err error) {
	says := evidence.Vouched{Kind: string(d.Kind), Name: d.Name, Evidence: tallystick.DigestOf(body), Verdict: d.Verdict}
	if says.Model, says.Version, err = catalog.ParseVersionName(name); err != nil {
		return d, nil, err
	}
	var v catalog.Version
	if says.Version != "" {
		if err := s.Get(ctx, versionPath(says.Model, says.Version), &v); err != nil {
			return d, nil, err
		}
	}
	if d.ProducedMS == 0 {
		d.ProducedMS = producedNow()
	}
	says.Produced = evidence.Timestamp(time.UnixMilli(d.ProducedMS))
	if d.UntilMS != 0 {
		says.Until = evidence.Timestamp(time.UnixMilli(d.UntilMS))
	}
	statement, err := says.Statement(v.Digest)
	if err != nil {
		return d, nil, err
	}
	if err := putEvidence(ctx, s, body); err != nil {
		return d, nil, err
	}
	w := s.local
	if w == nil {
		if w, err = a.open(ctx, false); err != nil {
			return d, nil, err
		}
		defer func() { err = errors.Join(err, w.Close()) }()
	}
	signer, err := w.Signer(ctx)
	if err != nil {
		return d, nil, err
	}
	envelope, _, err := signer.Sign(statement)
	d.Digest = "" // that of the statement from now on
	return d, envelope, err
}

// putEvidence keeps bytes in the store of evidence.
func putEvidence(ctx context.Context, s *session, body []byte) error {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return s.Upload(ctx, "/evidence/"+string(tallystick.DigestOf(body)), int64(len(body)), open, nil)
}

func (a *app) evidenceList() *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "list MODEL[@VERSION]", Short: "List the evidence of a model, newest first", Args: cobra.ExactArgs(1),
		Example: `  tallystick evidence list credit@3 --kind evaluation`,
	}
	cmd.Flags().StringVar(&kind, "kind", "", "of this kind")
	return asks(a, cmd, question[[]release.StandingEvidence]{
		ask: func(ctx context.Context, s *session, args []string) ([]release.StandingEvidence, error) {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return nil, err
			}
			return client.List[release.StandingEvidence](ctx, s.Client, modelPath(model)+"/evidence", chosen("version", version, "kind", kind), 0)
		},
		text: func(w io.Writer, all []release.StandingEvidence) {
			fmt.Fprintln(w, "RECORDED\tOF\tKIND\tNAME\tVERDICT\tSTANDING\tDIGEST\tEVENT")
			for _, e := range all {
				of := e.Model
				if e.Version != "" {
					of += "@" + e.Version
				}
				standing := strings.ReplaceAll(string(e.Standing), "_", " ")
				if e.Standing == catalog.Present {
					standing = "verified"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", moment(e.Recorded), of, e.Kind, orDash(e.Name), orDash(string(e.Verdict)), standing, orDash(e.Digest.Short()), e.Event)
			}
		},
	})
}

// producedNow stamps evidence that this command has produced.
func producedNow() int64 { return time.Now().UnixMilli() }
