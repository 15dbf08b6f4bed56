package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/workspace"
)

func (a *app) user() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Add people and services, and say what they may do",
		Long: `A user is a person or a service. What a user may do follows from roles:

` + rolesHelp(),
	}
	cmd.AddCommand(a.userBootstrap(), a.userAdd(), a.userList(), a.userGrant(), a.userRevoke(), a.userDisable(), a.userEnrol(), a.userRedeem())
	return cmd
}

func rolesHelp() string {
	var b strings.Builder
	_ = printColumns(&b, func(w io.Writer) {
		for _, role := range access.Roles() {
			fmt.Fprintf(w, "  %s\t%s\n", role, role.Doc())
		}
	})
	return strings.TrimRight(b.String(), "\n")
}

func roleNames() string {
	var names []string
	for _, role := range access.Roles() {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

func (a *app) userBootstrap() *cobra.Command {
	var secretPath, passphrasePath string
	var renew bool
	cmd := &cobra.Command{
		Use:   "bootstrap NAME",
		Short: "Become the first administrator of a server",
		Long: `Bootstrap exchanges the secret that a new server has left in its workspace for the first
administrator's name and passphrase, once, within an hour. After that, --renew in the workspace of the server,
which must not run meanwhile, leaves a new secret, as long as there is no administrator.`,
		Example: `  tallystick user bootstrap ana --server http://127.0.0.1:8750
  tallystick user bootstrap ana --secret-file bootstrap-secret --passphrase-file /dev/fd/3 3< passphrase
  tallystick user bootstrap --renew`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&renew, "renew", false, "leave a new secret instead")
	cmd.Flags().StringVar(&secretPath, "secret-file", "", "`file` with the secret (default: bootstrap-secret in the workspace)")
	passphraseFlag(cmd, &passphrasePath)
	acts(a, cmd, command[access.User]{
		do: func(ctx context.Context, s *session, args []string) (u access.User, _ client.Receipt, err error) {
			if secretPath == "" {
				place, err := a.place(true)
				if err != nil {
					return u, client.Receipt{}, err
				}
				secretPath = filepath.Join(place.Dir, "bootstrap-secret")
			}
			secret, err := secretFile(secretPath)
			if err != nil {
				return u, client.Receipt{}, err
			}
			passphrase, err := a.newPassphrase(passphrasePath)
			if err != nil {
				return u, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/bootstrap", map[string]string{"secret": secret, "name": args[0], "passphrase": passphrase}, &u)
			return u, receipt, err
		},
		text: func(w io.Writer, u access.User) {
			fmt.Fprintf(w, "%s is an administrator; sign in: tallystick login %s\n", u.Name, u.Name)
		},
		mustExist: true, unsaid: true,
	})
	exchange := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case renew && (len(args) > 0 || a.serverURL() != ""):
			return usageError(cmd, "--renew takes no name and no server")
		case renew:
			return a.renewBootstrap(cmd.Context())
		case len(args) == 0:
			return usageError(cmd, "the name of the administrator is missing")
		}
		return exchange(cmd, args)
	}
	return cmd
}

// renewBootstrap leaves a new secret for the first administrator in the workspace.
func (a *app) renewBootstrap(ctx context.Context) error {
	return a.withWorkspace(ctx, func(w *workspace.Workspace) error {
		if err := a.house(w).access.RenewBootstrap(ctx, w.Actor()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.Out, "the secret is in %s, for an hour\n", filepath.Join(w.Dir(), "bootstrap-secret"))
		return err
	})
}

func passphraseFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "passphrase-file", "", "`file` with the passphrase (default: asked for on the terminal)")
}

func secretOutput(cmd *cobra.Command, path *string, what string) {
	cmd.Flags().StringVarP(path, "output", "o", "", "new `file` for "+what+", which you alone can read; - is standard output")
}

func (a *app) userAdd() *cobra.Command {
	var roles []string
	var output string
	cmd := &cobra.Command{
		Use:   "add NAME --role ROLE",
		Short: "Add a person, or a service with --role service",
		Long: `Add makes a user. For a person there is a link, good once and for a day, by which they set
their passphrase: hand it over on a way that others cannot read. A service acts by tokens.

` + rolesHelp(),
		Example: `  tallystick user add bo --role scientist -o bo.link
  tallystick user add pipeline --role service`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringSliceVar(&roles, "role", nil, "what the user may do: "+roleNames())
	secretOutput(cmd, &output, "the link")
	return acts(a, cmd, command[api.Invitation]{
		do: func(ctx context.Context, s *session, args []string) (i api.Invitation, _ client.Receipt, err error) {
			if len(roles) == 0 {
				return i, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "--role is missing").WithHint("give one of %s", roleNames())
			}
			return a.invite(output, !slices.Equal(roles, []string{string(access.Service)}), func(i *api.Invitation) (client.Receipt, error) {
				return s.Post(ctx, "/users", map[string]any{"name": args[0], "roles": roles}, i)
			})
		},
		text: func(w io.Writer, i api.Invitation) { printInvitation(w, i, output) }, unsaid: true, secret: &output,
	})
}

// invite makes a link for a person and hands it over.
func (a *app) invite(output string, person bool, ask func(*api.Invitation) (client.Receipt, error)) (i api.Invitation, receipt client.Receipt, err error) {
	if person {
		if err := a.checkSecretOutput(output); err != nil {
			return i, receipt, err
		}
	}
	if receipt, err = ask(&i); err != nil || i.Link == "" {
		return i, receipt, err
	}
	link := i.Link
	i.Link = ""
	return i, receipt, a.handOver(output, link)
}

func printInvitation(w io.Writer, i api.Invitation, output string) {
	printUsers(w, []access.User{i.User})
	if i.User.Kind == access.KindService {
		fmt.Fprintf(w, "make a token for it: tallystick token create --user %s\n", i.User.Name)
		return
	}
	if output == "" || output == "-" {
		output = "LINK"
	}
	fmt.Fprintf(w, "the link is good once, for a day: tallystick user redeem --link-file %s\n", output)
}

func (a *app) userEnrol() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "enrol NAME",
		Short:   "Make another link for a person who lost theirs, or their passphrase",
		Example: `  tallystick user enrol bo -o bo.link`,
		Args:    cobra.ExactArgs(1),
	}
	secretOutput(cmd, &output, "the link")
	return acts(a, cmd, command[api.Invitation]{
		do: func(ctx context.Context, s *session, args []string) (api.Invitation, client.Receipt, error) {
			return a.invite(output, true, func(i *api.Invitation) (client.Receipt, error) {
				return s.Post(ctx, "/users/"+url.PathEscape(args[0])+"/enrolment", nil, i)
			})
		},
		text: func(w io.Writer, i api.Invitation) { printInvitation(w, i, output) }, mustExist: true, unsaid: true, secret: &output,
	})
}

func (a *app) userRedeem() *cobra.Command {
	var link, passphrase string
	cmd := &cobra.Command{
		Use:   "redeem",
		Short: "Set your passphrase by the link that you were given",
		Example: `  tallystick user redeem --link-file bo.link
  tallystick login bo`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&link, "link-file", "", "`file` with the link (default: asked for on the terminal)")
	passphraseFlag(cmd, &passphrase)
	return acts(a, cmd, command[access.User]{
		do: func(ctx context.Context, s *session, _ []string) (u access.User, _ client.Receipt, err error) {
			secret, err := a.readSecret("link", "--link-file", link)
			if err != nil {
				return u, client.Receipt{}, err
			}
			words, err := a.newPassphrase(passphrase)
			if err != nil {
				return u, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/enrolments/redemption", map[string]string{"link": secret, "passphrase": words}, &u)
			return u, receipt, err
		},
		text: func(w io.Writer, u access.User) {
			fmt.Fprintf(w, "the passphrase of %s is set; sign in: tallystick login %s\n", u.Name, u.Name)
		},
		mustExist: true, unsaid: true,
	})
}

func (a *app) userList() *cobra.Command {
	var role, state string
	cmd := &cobra.Command{
		Use: "list", Short: "List people and services, with their roles", Args: cobra.NoArgs,
		Example: `  tallystick user list --role approver`,
	}
	cmd.Flags().StringVar(&role, "role", "", "those with this role")
	cmd.Flags().StringVar(&state, "state", "", "those that are invited, active or disabled")
	return asks(a, cmd, question[[]access.User]{
		ask: func(ctx context.Context, s *session, _ []string) ([]access.User, error) {
			return client.List[access.User](ctx, s.Client, "/users", chosen("role", role, "state", state), 0)
		},
		text: printUsers,
	})
}

func printUsers(w io.Writer, users []access.User) {
	fmt.Fprintln(w, "NAME\tKIND\tSTATE\tROLES\tID")
	for _, u := range users {
		var roles []string
		for _, r := range u.Roles {
			roles = append(roles, string(r))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", orDash(u.Name), u.Kind, u.State, orDash(strings.Join(roles, ", ")), u.ID)
	}
}

func (a *app) userGrant() *cobra.Command {
	return a.userRole("grant", "Grant a role to a user", func(ctx context.Context, s *session, path string, u *access.User) (client.Receipt, error) {
		return s.Put(ctx, path, nil, u)
	})
}

func (a *app) userRevoke() *cobra.Command {
	return a.userRole("revoke", "Take a role from a user", func(ctx context.Context, s *session, path string, u *access.User) (client.Receipt, error) {
		return s.Delete(ctx, path, u)
	})
}

func (a *app) userRole(verb, short string, do func(ctx context.Context, s *session, path string, u *access.User) (client.Receipt, error)) *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use: verb + " NAME --role ROLE", Short: short, Args: cobra.ExactArgs(1),
		Example: "  tallystick user " + verb + " bo --role validator",
	}
	cmd.Flags().StringVar(&role, "role", "", "the role: "+roleNames())
	return acts(a, cmd, command[access.User]{
		do: func(ctx context.Context, s *session, args []string) (u access.User, _ client.Receipt, err error) {
			if role == "" {
				return u, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "--role is missing").WithHint("give one of %s", roleNames())
			}
			receipt, err := do(ctx, s, "/users/"+url.PathEscape(args[0])+"/roles/"+url.PathEscape(role), &u)
			return u, receipt, err
		},
		text: func(w io.Writer, u access.User) { printUsers(w, []access.User{u}) }, mustExist: true,
	})
}

func (a *app) userDisable() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "disable NAME", Short: "Shut a user out for good", Args: cobra.ExactArgs(1),
		Long: `Disable ends the user's sessions and tokens at once, and the tokens that they made for
services. It cannot be undone: add the person again under another name.`,
		Example: `  tallystick user disable bo`,
	}, command[access.User]{
		do: func(ctx context.Context, s *session, args []string) (u access.User, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, "/users/"+url.PathEscape(args[0])+"/disablement", nil, &u)
			return u, receipt, err
		},
		text: func(w io.Writer, u access.User) { printUsers(w, []access.User{u}) }, mustExist: true,
	})
}

// chosen returns the query of the pairs of a name and a value that have a value.
func chosen(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
