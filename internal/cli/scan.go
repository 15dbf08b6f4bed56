package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
)

const maxModelAudit = 64 << 20 // bytes of a report

// scanReport is what `model scan --format json` prints, and what goes into the store of evidence.
type scanReport struct {
	Verdict tallystick.Verdict   `json:"verdict"` // the worst of all
	Digest  tallystick.Digest    `json:"version_digest"`
	Own     artifact.Report      `json:"inspection"`
	Other   *artifact.ScanReport `json:"scanner,omitempty"`
}

func (a *app) modelScan() *cobra.Command {
	var other, of, format string
	var sign bool
	var hashing artifact.HashOptions
	cmd := &cobra.Command{
		Use:   "scan PATH...",
		Short: "Say whether loading the files of a model could run code",
		Long: `Scan reads the files without loading them: pickles by their opcodes against a list of what is allowed,
safetensors, ONNX, GGUF, NumPy and Keras by their headers, archives with all in them. With --modelaudit
the report of that scanner is taken as further evidence, if it has read these very files.

With --model the result goes on record. The gate lets it count if the installation has the files and sees the same itself
(tallystick register --upload), or if --sign signs it with a key that counts.

Exit code: 0 safe, or safe under conditions that are named; 1 not safe, or not read to its end.`,
		Example: `  tallystick model scan model/ --model credit@3
  modelaudit scan --format json model/ > report.json; tallystick model scan model/ --modelaudit report.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			progress := a.progress()
			defer progress.done()
			files, err := hashPaths(cmd.Context(), args, hashing, progress)
			if err != nil {
				return err
			}
			var report scanReport
			if report.Digest, err = files.Digest(); err != nil {
				return err
			}
			if report.Own, err = artifact.InspectFiles(cmd.Context(), args, hashing); err != nil {
				return err
			}
			progress.done()
			report.Verdict = report.Own.Verdict
			if other != "" {
				raw, err := readFile(other, maxModelAudit)
				if err != nil {
					return err
				}
				read, err := artifact.ParseModelAudit(raw)
				if err != nil {
					return fmt.Errorf("--modelaudit %s: %w", other, err)
				}
				if err := read.Covers(files); err != nil {
					return fmt.Errorf("--modelaudit %s: %w", other, err)
				}
				report.Other = &read
				report.Verdict = worse(report.Verdict, read.Verdict)
			}
			a.refuseUnless(report.Verdict == tallystick.Pass || report.Verdict == tallystick.Warn)
			if format == "json" {
				err = a.printJSON(report)
			} else {
				err = printColumns(a.Out, func(w io.Writer) { printScan(w, report) })
			}
			if err != nil || of == "" {
				return err
			}
			body, err := json.MarshalIndent(report, "", "  ")
			if err != nil {
				return err
			}
			out := a.Out
			if format == "json" {
				out = a.Err
			}
			_, err = a.attachAbout(cmd.Context(), out, of, files, catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Verdict: report.Verdict, ProducedMS: producedNow()}, body, sign)
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&of, "model", "", "`MODEL@VERSION` with which the result goes on record")
	flags.BoolVar(&sign, "sign", false, "answer for the result with the key of your workspace")
	flags.StringVar(&other, "modelaudit", "", "report of the modelaudit scanner, a JSON `file`")
	flags.StringVar(&format, "format", "text", "text or json")
	addHashFlags(cmd, &hashing)
	return cmd
}

// worse returns the verdict that lets less through.
func worse(a, b tallystick.Verdict) tallystick.Verdict {
	order := []tallystick.Verdict{tallystick.Pass, tallystick.Warn, tallystick.Inconclusive, tallystick.Insufficient, tallystick.Fail}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

func printScan(w io.Writer, r scanReport) {
	fmt.Fprintln(w, "VERDICT\tFILE\tFORMAT\tPARAMETERS")
	for _, f := range r.Own.Files {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", f.Verdict, f.Name, f.Format, f.Parameters)
	}
	var findings []artifact.Finding
	for _, f := range r.Own.Files {
		findings = append(findings, f.Findings...)
	}
	if r.Other != nil {
		fmt.Fprintf(w, "%s\t(all)\tas %s reports\t\n", r.Other.Verdict, r.Other.Scanner)
		findings = append(findings, r.Other.Findings...)
	}
	if len(findings) > 0 {
		fmt.Fprintln(w, "\nSEVERITY\tRULE\tWHERE\tWHAT")
	}
	for _, f := range findings {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Severity, f.Rule, f.Where, f.Message)
	}
	fmt.Fprintf(w, "verdict: %s\n", r.Verdict)
}
