package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
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
	cmd := &cobra.Command{
		Use:     "attach MODEL[@VERSION] [FILE] --kind KIND",
		Aliases: []string{"add"},
		Short:   "Put a piece of evidence on record, and its bytes into the store",
		Long: `Attach keeps FILE in the store of evidence and records its digest with the version, or with the model as
a whole. A ticket or a note needs no file; evidence that must stay elsewhere is given by its --digest.

Kinds: evaluation, data_check, criteria, scan, signature, baseline, supplier, document, ticket, note.`,
		Example: `  tallystick evidence attach credit@3 card.md --kind document --name model-card
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
	return acts(a, cmd, command[catalog.EvidenceDetails]{
		do: func(ctx context.Context, s *session, args []string) (catalog.EvidenceDetails, client.Receipt, error) {
			d.Kind, d.Digest, d.Subject, d.Verdict = catalog.EvidenceKind(kind), tallystick.Digest(digest), tallystick.Digest(subject), tallystick.Verdict(verdict)
			if kind == "" {
				return d, client.Receipt{}, usageError(cmd, "--kind is missing")
			}
			for flag, at := range map[string]*struct {
				given string
				into  *int64
			}{"--produced": {produced, &d.ProducedMS}, "--until": {until, &d.UntilMS}} {
				t, err := parseTime(flag, at.given)
				if err != nil {
					return d, client.Receipt{}, err
				}
				if !t.IsZero() {
					*at.into = t.UnixMilli()
				}
			}
			var body []byte
			if len(args) == 2 {
				var err error
				if body, err = readFile(args[1], maxEvidence); err != nil {
					return d, client.Receipt{}, err
				}
				if got := tallystick.DigestOf(body); d.Digest != "" && d.Digest != got {
					return d, client.Receipt{}, tallystick.Errorf(tallystick.Conflict, "%s has the digest %s, not %s", args[1], got.Short(), d.Digest.Short())
				}
			}
			return attach(ctx, s, args[0], d, body)
		},
		text: func(w io.Writer, d catalog.EvidenceDetails) {
			printFields(w, "kind", string(d.Kind), "name", d.Name, "digest", string(d.Digest), "verdict", string(d.Verdict), "subject", string(d.Subject))
		},
		mustExist: true,
	})
}

// attach keeps body, if there is one, and puts what is said of it on record.
func attach(ctx context.Context, s *session, name string, d catalog.EvidenceDetails, body []byte) (catalog.EvidenceDetails, client.Receipt, error) {
	model, version, err := catalog.ParseVersionName(name)
	if err != nil {
		return d, client.Receipt{}, err
	}
	if body != nil {
		d.Digest = tallystick.DigestOf(body)
		if err := putEvidence(ctx, s, body); err != nil {
			return d, client.Receipt{}, err
		}
	}
	path := modelPath(model) + "/evidence"
	if version != "" {
		path = versionPath(model, version) + "/evidence"
	}
	receipt, err := s.Post(ctx, path, d, nil)
	return d, receipt, err
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
	return asks(a, cmd, question[[]catalog.Evidence]{
		ask: func(ctx context.Context, s *session, args []string) ([]catalog.Evidence, error) {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return nil, err
			}
			return client.List[catalog.Evidence](ctx, s.Client, modelPath(model)+"/evidence", chosen("version", version, "kind", kind), 0)
		},
		text: func(w io.Writer, all []catalog.Evidence) {
			fmt.Fprintln(w, "RECORDED\tOF\tKIND\tNAME\tVERDICT\tDIGEST\tEVENT")
			for _, e := range all {
				of := e.Model
				if e.Version != "" {
					of += "@" + e.Version
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", moment(e.Recorded), of, e.Kind, orDash(e.Name), orDash(string(e.Verdict)), orDash(e.Digest.Short()), e.Event)
			}
		},
	})
}

// producedNow stamps evidence that this command has produced.
func producedNow() int64 { return time.Now().UnixMilli() }
