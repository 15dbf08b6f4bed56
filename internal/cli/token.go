package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
)

func (a *app) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke tokens, by which programs act",
		Long: `A token acts for the user for whom it was made, at most with that user's rights, until it ends.
Programs find it in TALLYSTICK_TOKEN, or in the file that TALLYSTICK_TOKEN_FILE names.`,
	}
	cmd.AddCommand(a.tokenCreate(), a.tokenList(), a.tokenRevoke())
	return cmd
}

func (a *app) tokenCreate() *cobra.Command {
	var user, label, output string
	var scopes []string
	var days int
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token for yourself, or for a service",
		Example: `  tallystick token create --label "my laptop" -o token
  tallystick token create --user pipeline --scope version.register,artifact.write --days 30 -o token
  TALLYSTICK_TOKEN_FILE=token tallystick status credit --server http://127.0.0.1:8750`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&user, "user", "", "the service for which it acts (default: you)")
	flags.StringSliceVar(&scopes, "scope", nil, "the `actions` that it is for, such as version.register (default: all that the roles allow)")
	flags.IntVar(&days, "days", 0, "for how many days it is good, at most 366 (default 90)")
	flags.StringVar(&label, "label", "", "what it is for, in words")
	secretOutput(cmd, &output, "the token")
	return acts(a, cmd, command[access.Token]{
		do: func(ctx context.Context, s *session, _ []string) (access.Token, client.Receipt, error) {
			if err := a.checkSecretOutput(output); err != nil {
				return access.Token{}, client.Receipt{}, err
			}
			for _, scope := range scopes {
				if _, err := access.ParseAction(scope); err != nil {
					return access.Token{}, client.Receipt{}, err
				}
			}
			var m api.Minted
			body := map[string]any{}
			for name, value := range map[string]string{"user": user, "label": label} {
				if value != "" {
					body[name] = value
				}
			}
			if len(scopes) > 0 {
				body["scopes"] = scopes
			}
			if days != 0 {
				body["days"] = days
			}
			receipt, err := s.Post(ctx, "/tokens", body, &m)
			if err != nil {
				return access.Token{}, receipt, err
			}
			return m.Token, receipt, a.handOver(output, m.Secret)
		},
		text: func(w io.Writer, t access.Token) { printTokens(w, []access.Token{t}) }, unsaid: true, secret: &output,
	})
}

func (a *app) tokenList() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List your tokens; of all users, if you may read them", Args: cobra.NoArgs,
		Example: `  tallystick token list --all --format json`,
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended too")
	return asks(a, cmd, question[[]access.Token]{
		ask: func(ctx context.Context, s *session, _ []string) ([]access.Token, error) {
			q := url.Values{}
			if !all {
				q.Set("live", "true")
			}
			return client.List[access.Token](ctx, s.Client, "/tokens", q, 0)
		},
		text: printTokens,
	})
}

func (a *app) tokenRevoke() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "revoke ID", Short: "End a token now, and those that were made by it", Args: cobra.ExactArgs(1),
		Example: `  tallystick token revoke tok_0198c5a2b3d47f21a0c1d2e3f4a5b6c7`,
	}, command[access.Token]{
		do: func(ctx context.Context, s *session, args []string) (t access.Token, _ client.Receipt, err error) {
			if !strings.HasPrefix(args[0], "tok_") {
				return t, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "that is no id of a token").WithHint("`tallystick token list` shows them; keep the token itself out of commands")
			}
			receipt, err := s.Delete(ctx, "/tokens/"+url.PathEscape(args[0]), &t)
			return t, receipt, err
		},
		text: func(w io.Writer, t access.Token) { printTokens(w, []access.Token{t}) }, mustExist: true,
	})
}

func printTokens(w io.Writer, tokens []access.Token) {
	fmt.Fprintln(w, "ID\tFOR\tMADE BY\tEXPIRES\tSTATE\tSCOPES\tLABEL")
	for _, t := range tokens {
		state := "live"
		if t.Revoked != nil {
			state = "revoked"
		}
		var scopes []string
		for _, s := range t.Scopes {
			scopes = append(scopes, string(s))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.User, t.Minter, t.Expires.Format("2006-01-02"), state,
			cmp.Or(strings.Join(scopes, ","), "all"), orDash(t.Label))
	}
}
