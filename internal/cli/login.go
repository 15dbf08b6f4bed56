package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
)

func (a *app) login() *cobra.Command {
	var passphrase, format string
	cmd := &cobra.Command{
		Use:   "login NAME",
		Short: "Sign in to a server",
		Long: `Login opens a session and keeps its secret in a file that you alone can read, in your state
directory. The commands that follow use it for the same --server. Programs use tokens instead.`,
		Example: `  tallystick login ana --server http://127.0.0.1:8750
  tallystick login ana --passphrase-file /dev/fd/3 3< passphrase`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			server, err := a.theServer("login")
			if err != nil {
				return err
			}
			words, err := a.readSecret("passphrase", "--passphrase-file", passphrase)
			if err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			var opened api.Opened
			if _, err := s.Post(cmd.Context(), "/sessions", map[string]string{"name": args[0], "passphrase": words}, &opened); err != nil {
				return err
			}
			if err := keepSession(server, opened.Secret); err != nil {
				return err
			}
			if format == "json" { // without the secret, which stays in its file
				return a.printJSON(map[string]string{"server": server, "name": args[0], "user": opened.User})
			}
			_, err = fmt.Fprintf(a.Out, "signed in to %s as %s\n", server, args[0])
			return err
		},
	}
	passphraseFlag(cmd, &passphrase)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) logout() *cobra.Command {
	return &cobra.Command{
		Use:     "logout",
		Short:   "Sign out of a server",
		Example: `  tallystick logout --server http://127.0.0.1:8750`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := a.theServer("logout")
			if err != nil {
				return err
			}
			kept, err := keptSession(server)
			if err != nil {
				return err
			}
			if kept == "" {
				_, err := fmt.Fprintf(a.Out, "there is no session with %s\n", server)
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			_, err = s.Delete(cmd.Context(), "/sessions/current", nil)
			if code := tallystick.CodeOf(err); code == tallystick.Unauthorized { // it has ended already
				err = nil
			}
			if err := errors.Join(err, forgetSession(server)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "signed out of %s\n", server)
			return err
		},
	}
}

// theServer returns the server that a command needs.
func (a *app) theServer(command string) (string, error) {
	if server := a.serverURL(); server != "" {
		return server, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "%s needs a server", command).
		WithHint("give --server URL, or set TALLYSTICK_SERVER; in your own workspace nobody signs in")
}

// serverURL returns the server to talk to, empty for the workspace.
func (a *app) serverURL() string {
	if a.server != "" {
		return a.server
	}
	return os.Getenv("TALLYSTICK_SERVER")
}
