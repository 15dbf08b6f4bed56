package cli

import (
	"errors"
	"io"
	"net/url"

	"github.com/spf13/cobra"
)

// maxPredictionProof bounds the proof of one prediction, in bytes.
const maxPredictionProof = 1 << 20

func (a *app) provePrediction() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "prediction ID",
		Short: "Write the proof of one prediction, which holds the prediction",
		Long: `Write the proof of one prediction: the record, its place in the tree of its segment, and the event
that registered the root of that tree, with its own proof under a signed checkpoint. The file is all that
anybody needs who believes the log key; nothing of it can be changed unnoticed.

It shows what was recorded, so give it only to those who may see that. That it was read is recorded.`,
		Example: `  tallystick prove prediction 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001 -o one.prediction-proof
  tallystick verify one.prediction-proof --trust trust.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(cmd.Context(), true)) }()
			body, err := s.Download(cmd.Context(), "/predictions/"+url.PathEscape(args[0])+"/proof")
			if err != nil {
				return err
			}
			proof, err := io.ReadAll(io.LimitReader(body, maxPredictionProof))
			if err = errors.Join(err, body.Close()); err != nil {
				return err
			}
			return a.write(output, proof)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is standard output")
	return cmd
}
