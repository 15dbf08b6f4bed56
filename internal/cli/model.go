package cli

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) model() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Register models and say what is known of them"}
	cmd.AddCommand(a.modelRegister(), a.modelShow())
	return cmd
}

func (a *app) modelRegister() *cobra.Command {
	var r catalog.ModelRegistration
	cmd := &cobra.Command{
		Use: "register NAME", Short: "Register a model", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			r.Name = args[0]
			s, err := a.dial(cmd.Context(), false)
			if err != nil {
				return err
			}
			var m catalog.Model
			receipt, err := s.Post(cmd.Context(), "/models", r, &m)
			if err := s.Close(cmd.Context(), err == nil); err != nil {
				return err
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "%s %s tier %s\nevent %s\n", m.Name, m.State, m.Tier, receipt.Event)
			return nil
		},
	}
	cmd.Flags().StringVar(&r.Owner, "owner", "", "who answers for the model")
	return cmd
}

func (a *app) modelShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a model", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer s.Close(cmd.Context(), false)
			var m catalog.Model
			if err := s.Get(cmd.Context(), "/models/"+url.PathEscape(args[0]), &m); err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "%+v\n", m)
			return nil
		},
	}
}
