package cli

import (
	"context"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
)

// settling is what a command does to the one thing that its argument names.
type settling[T any] struct {
	of, path string // where such things are, and what lies below the one
	body     any    // points to what the flags fill in
	text     func(w io.Writer, all []T)
}

// settles makes cmd send the body, and print what has become of the thing.
func settles[T any](a *app, cmd *cobra.Command, p settling[T]) *cobra.Command {
	return acts(a, cmd, command[T]{
		do: func(ctx context.Context, s *session, args []string) (became T, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, p.of+url.PathEscape(args[0])+p.path, p.body, &became)
			return became, receipt, err
		},
		text:      func(w io.Writer, became T) { p.text(w, []T{became}) },
		mustExist: true,
	})
}

// listing is what a command lists.
type listing[T any] struct {
	path  string
	flags *releaseFlags
	open  string // what the flag --open chooses; empty: there is none
	text  func(w io.Writer, all []T)
}

// lists gives cmd the flags that choose rows, and makes it print those.
func lists[T any](a *app, cmd *cobra.Command, l listing[T]) *cobra.Command {
	l.flags.add(cmd, l.open)
	return asks(a, cmd, question[[]T]{
		ask: func(ctx context.Context, s *session, _ []string) ([]T, error) {
			return client.List[T](ctx, s.Client, l.path, l.flags.query(), l.flags.limit)
		},
		text: l.text,
	})
}
