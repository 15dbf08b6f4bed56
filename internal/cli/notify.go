package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/notify"
)

const (
	maxTemplateFile = 16 << 10
	testWait        = 60 * time.Second // for the receiver of a test
	testPoll        = 200 * time.Millisecond
)

func (a *app) notify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Tell people and programs of events: webhooks, e-mail, chat",
		Long: `A subscription tells somebody of events from its creation on, in order, each at least once. A server
delivers; this command says who is told of what, and shows how it goes.`,
	}
	cmd.AddCommand(a.notifyAdd(), a.notifyList(), a.notifyShow(), a.notifyUpdate(), a.notifyMark("pause", "Hold back what is to be told", notify.Paused),
		a.notifyMark("resume", "Go on with what was held back", notify.Active), a.notifyRotate(), a.notifyRemove(), a.notifyTest(), a.notifyRetry(),
		a.notifyDeliveries(), a.notifyTopics())
	return cmd
}

// addressFlags say where a subscription is told. What may carry a secret comes from a file.
type addressFlags struct {
	url, urlFile, authorizationFile string
	to                              []string
}

func (f *addressFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.urlFile, "url-file", "", "a `file` with the URL that is spoken to: of a chat it is a secret")
	flags.StringVar(&f.url, "url", "", "the `URL`, if it is no secret")
	flags.StringVar(&f.authorizationFile, "authorization-file", "", "a `file` with the value of the header Authorization, for ticket systems")
	flags.StringSliceVar(&f.to, "to", nil, "e-mail `addresses`")
}

// read returns the address, nil if none is given.
func (f *addressFlags) read() (*api.NotifyAddress, error) {
	if f.url != "" && f.urlFile != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "--url and --url-file are both given")
	}
	address := api.NotifyAddress{URL: f.url, To: f.to}
	var err error
	if f.urlFile != "" {
		if address.URL, err = secretFile(f.urlFile); err != nil {
			return nil, err
		}
	}
	if f.authorizationFile != "" {
		if address.Authorization, err = secretFile(f.authorizationFile); err != nil {
			return nil, err
		}
	}
	if address.URL == "" && len(address.To) == 0 {
		if address.Authorization != "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "--authorization-file needs the URL too: an address is given as a whole")
		}
		return nil, nil
	}
	return &address, nil
}

// termFlags say of what a subscription tells.
type termFlags struct {
	topics, models, environments []string
	template                     string
}

func (f *termFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.topics, "topic", nil, "`topics`, types of events, families such as model.*, or *; `tallystick notify topics` lists them")
	flags.StringSliceVar(&f.models, "model", nil, "`models` of which it is told (default: all)")
	flags.StringSliceVar(&f.environments, "env", nil, "`environments` of which it is told (default: all)")
	flags.StringVar(&f.template, "template", "", "a `file` with a text/template of the body, such as a ticket's JSON")
}

// into puts what was given into a body of the API.
func (f *termFlags) into(cmd *cobra.Command, body map[string]any) error {
	for name, value := range map[string]*[]string{"topic": &f.topics, "model": &f.models, "env": &f.environments} {
		if cmd.Flags().Changed(name) {
			list := []string{}
			for _, item := range *value {
				if item != "" {
					list = append(list, item)
				}
			}
			body[map[string]string{"topic": "topics", "model": "models", "env": "environments"}[name]] = list
		}
	}
	if cmd.Flags().Changed("template") {
		text := []byte{}
		if f.template != "" {
			var err error
			if text, err = readFile(f.template, maxTemplateFile); err != nil {
				return err
			}
		}
		body["template"] = string(text)
	}
	return nil
}

func (a *app) notifyAdd() *cobra.Command {
	var address addressFlags
	var terms termFlags
	var channel, output string
	cmd := &cobra.Command{
		Use:   "add NAME --channel CHANNEL --topic TOPIC",
		Short: "Tell somebody of events from now on",
		Long: `Add makes a subscription. A webhook is signed as Standard Webhooks has it; its secret is made by the
server and shown once. A chat's URL is its secret: give it in a file.`,
		Example: `  tallystick notify add tickets --channel webhook --url https://hooks.example.org/x --topic finding,refused -o secret
  tallystick notify add risk --channel email --to risk@example.org --topic out-of-band --env production
  tallystick notify add ops --channel slack --url-file slack-url --topic serving,finding --model credit`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&channel, "channel", "", "webhook, email, slack or teams")
	terms.add(cmd)
	address.add(cmd)
	secretOutput(cmd, &output, "the secret of a webhook")
	return acts(a, cmd, command[notify.Subscription]{
		do: func(ctx context.Context, s *session, args []string) (n notify.Subscription, _ client.Receipt, err error) {
			if channel == "" || len(terms.topics) == 0 {
				return n, client.Receipt{}, usageError(cmd, "--channel or --topic is missing")
			}
			if _, err := notify.ParseChannel(channel); err != nil {
				return n, client.Receipt{}, err
			}
			if channel == string(notify.Webhook) {
				if err := a.checkSecretOutput(output); err != nil {
					return n, client.Receipt{}, err
				}
			}
			to, err := address.read()
			if err != nil {
				return n, client.Receipt{}, err
			}
			if to == nil {
				return n, client.Receipt{}, usageError(cmd, "there is no address: --url-file, --url or --to is missing")
			}
			body := map[string]any{"name": args[0], "channel": channel, "address": to}
			if err := terms.into(cmd, body); err != nil {
				return n, client.Receipt{}, err
			}
			var made api.Subscribed
			receipt, err := s.Post(ctx, "/subscriptions", body, &made)
			if err != nil || made.Secret == "" {
				return made.Subscription, receipt, err
			}
			return made.Subscription, receipt, a.handOver(output, made.Secret)
		},
		text: printSubscription, secret: &output,
	})
}

func (a *app) notifyUpdate() *cobra.Command {
	var address addressFlags
	var terms termFlags
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Change what a subscription tells, or where",
		Example: `  tallystick notify update tickets --topic finding,refused,key.*
  tallystick notify update ops --url-file slack-url --model ""`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().SortFlags = false
	terms.add(cmd)
	address.add(cmd)
	return acts(a, cmd, command[notify.Subscription]{
		do: func(ctx context.Context, s *session, args []string) (n notify.Subscription, _ client.Receipt, err error) {
			body := map[string]any{}
			if err := terms.into(cmd, body); err != nil {
				return n, client.Receipt{}, err
			}
			to, err := address.read()
			if err != nil {
				return n, client.Receipt{}, err
			}
			if to != nil {
				body["address"] = to
			}
			if len(body) == 0 {
				return n, client.Receipt{}, usageError(cmd, "nothing is to be changed")
			}
			var made api.Subscribed
			receipt, err := s.Patch(ctx, subscriptionPath(args[0]), body, &made)
			return made.Subscription, receipt, err
		},
		text: printSubscription, mustExist: true,
	})
}

func (a *app) notifyMark(verb, short string, to notify.State) *cobra.Command {
	return acts(a, &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1), Example: "  tallystick notify " + verb + " tickets",
	}, command[notify.Subscription]{
		do: func(ctx context.Context, s *session, args []string) (notify.Subscription, client.Receipt, error) {
			var made api.Subscribed
			receipt, err := s.Patch(ctx, subscriptionPath(args[0]), map[string]any{"state": to}, &made)
			return made.Subscription, receipt, err
		},
		text: printSubscription, mustExist: true,
	})
}

func (a *app) notifyRotate() *cobra.Command {
	var output string
	var hours int
	cmd := &cobra.Command{
		Use:     "rotate NAME",
		Short:   "Sign a webhook with another secret, and for a while with both",
		Example: `  tallystick notify rotate tickets --overlap-hours 48 -o secret.new`,
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().IntVar(&hours, "overlap-hours", 24, "for how long the secret before signs too")
	secretOutput(cmd, &output, "the new secret")
	return acts(a, cmd, command[notify.Subscription]{
		do: func(ctx context.Context, s *session, args []string) (n notify.Subscription, _ client.Receipt, err error) {
			if err := a.checkSecretOutput(output); err != nil {
				return n, client.Receipt{}, err
			}
			var made api.Subscribed
			receipt, err := s.Post(ctx, subscriptionPath(args[0])+"/secret", map[string]any{"hours": hours}, &made)
			if err != nil {
				return n, receipt, err
			}
			return made.Subscription, receipt, a.handOver(output, made.Secret)
		},
		text: printSubscription, mustExist: true, secret: &output,
	})
}

func (a *app) notifyRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Tell a subscription no more", Args: cobra.ExactArgs(1), Example: `  tallystick notify remove tickets`,
	}, command[api.Unsubscribed]{
		do: func(ctx context.Context, s *session, args []string) (gone api.Unsubscribed, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, subscriptionPath(args[0]), &gone)
			return gone, receipt, err
		},
		text: func(w io.Writer, gone api.Unsubscribed) { fmt.Fprintln(w, "removed "+gone.Removed) }, mustExist: true,
	})
}

func (a *app) notifyTest() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "test NAME", Short: "Tell a subscription of this test, and wait until it was taken", Args: cobra.ExactArgs(1),
		Long: `Test records an event of which the subscription is told whatever its topics, in the order of all
notifications, by the server. It waits up to a minute for the answer of the receiver.`,
		Example: `  tallystick notify test tickets`,
	}, command[notify.Notification]{
		do: func(ctx context.Context, s *session, args []string) (n notify.Notification, receipt client.Receipt, err error) {
			receipt, err = s.Post(ctx, subscriptionPath(args[0])+"/test", nil, nil)
			if err != nil {
				return n, receipt, err
			}
			if s.local != nil {
				return n, receipt, tallystick.Errorf(tallystick.Unavailable, "the test is on record, and a server delivers it").
					WithHint("ask the server: --server URL; `tallystick notify deliveries %s` shows what came of it", args[0])
			}
			ctx, cancel := context.WithTimeout(ctx, testWait)
			defer cancel()
			for {
				var is notify.Subscription
				found, err := client.List[notify.Notification](ctx, s.Client, subscriptionPath(args[0])+"/deliveries", nil, 100)
				if err == nil {
					err = s.Get(ctx, subscriptionPath(args[0]), &is)
				}
				for _, n := range found {
					if n.Event == receipt.Event && (n.State != "pending" || is.Delivery.Attempts > 0) {
						if n.State != "delivered" {
							a.code = exitRefused
						}
						return n, receipt, nil
					}
				}
				if err == nil {
					select {
					case <-time.After(testPoll):
						continue
					case <-ctx.Done():
					}
				}
				return n, receipt, tallystick.Errorf(tallystick.Unavailable, "the test was not delivered: %s (%s)", is.Delivery.Status, orDash(is.Delivery.Fault)).
					WithHint("what is before it comes first; `tallystick notify deliveries %s` shows it", args[0])
			}
		},
		text:      func(w io.Writer, n notify.Notification) { printNotifications(w, []notify.Notification{n}) },
		mustExist: true,
	})
}

func (a *app) notifyRetry() *cobra.Command {
	var skip uint64
	cmd := &cobra.Command{
		Use: "retry NAME", Short: "Try the notification in front at once, or give it up", Args: cobra.ExactArgs(1),
		Example: `  tallystick notify retry tickets
  tallystick notify retry tickets --skip 17 --purpose "the tracker refuses it, ticket made by hand"`,
	}
	cmd.Flags().Uint64Var(&skip, "skip", 0, "give up the notification in front, which has this `number`; the receiver sees the gap")
	return acts(a, cmd, command[notify.Subscription]{
		do: func(ctx context.Context, s *session, args []string) (n notify.Subscription, _ client.Receipt, err error) {
			body := map[string]any{}
			if skip > 0 {
				body["skip"] = skip
			}
			receipt, err := s.Post(ctx, subscriptionPath(args[0])+"/retry", body, &n)
			return n, receipt, err
		},
		text: printSubscription, mustExist: true,
	})
}

func (a *app) notifyList() *cobra.Command {
	return asks(a, &cobra.Command{Use: "list", Short: "List who is told of what, and how it goes", Args: cobra.NoArgs, Example: `  tallystick notify list`},
		question[[]notify.Subscription]{
			ask: func(ctx context.Context, s *session, _ []string) ([]notify.Subscription, error) {
				return client.List[notify.Subscription](ctx, s.Client, "/subscriptions", nil, 0)
			},
			text: func(w io.Writer, all []notify.Subscription) {
				fmt.Fprintln(w, "SUBSCRIPTION\tCHANNEL\tHOST\tTOPICS\tSTATUS\tTOLD\tFAULT")
				for _, n := range all {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", n.Name, n.Channel, n.Host, strings.Join(n.Topics, ","), n.Delivery.Status, n.Delivery.Number, orDash(n.Delivery.Fault))
				}
			},
		})
}

func (a *app) notifyShow() *cobra.Command {
	return asks(a, &cobra.Command{Use: "show NAME", Short: "Show a subscription, and how it goes", Args: cobra.ExactArgs(1), Example: `  tallystick notify show tickets`},
		question[notify.Subscription]{
			ask: func(ctx context.Context, s *session, args []string) (n notify.Subscription, err error) {
				return n, s.Get(ctx, subscriptionPath(args[0]), &n)
			},
			text: printSubscription,
		})
}

func (a *app) notifyDeliveries() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "deliveries NAME", Short: "List the last notifications of a subscription, newest first", Args: cobra.ExactArgs(1),
		Example: `  tallystick notify deliveries tickets --limit 20`,
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many; 0: all that are kept")
	return asks(a, cmd, question[[]notify.Notification]{
		ask: func(ctx context.Context, s *session, args []string) ([]notify.Notification, error) {
			return client.List[notify.Notification](ctx, s.Client, subscriptionPath(args[0])+"/deliveries", nil, limit)
		},
		text: printNotifications,
	})
}

func (a *app) notifyTopics() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "topics", Short: "List what can be told under a name of its own", Args: cobra.NoArgs, Example: `  tallystick notify topics`,
		Long: `Topics are names for events that one wants to be told of together. A subscription takes the type of an
event too (model.retired), a family of types (model.*), or all of them (*).`,
	}, question[[]notify.Topic]{
		ask: func(ctx context.Context, s *session, _ []string) ([]notify.Topic, error) {
			return client.List[notify.Topic](ctx, s.Client, "/topics", nil, 0)
		},
		text: func(w io.Writer, all []notify.Topic) {
			fmt.Fprintln(w, "TOPIC\tTELLS OF\tEVENTS")
			for _, t := range all {
				var types []string
				for _, kind := range t.Types {
					types = append(types, kind.Short())
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, t.Doc, strings.Join(types, ", "))
			}
		},
	})
}

func subscriptionPath(name string) string { return "/subscriptions/" + url.PathEscape(name) }

func printSubscription(w io.Writer, n notify.Subscription) {
	d := n.Delivery
	printFields(w, "subscription", n.Name, "id", n.ID, "channel", string(n.Channel), "host", n.Host, "topics", strings.Join(n.Topics, ", "),
		"models", orAll(n.Models), "environments", orAll(n.Environments), "status", string(d.Status), "told", fmt.Sprint(d.Number), "up to event", fmt.Sprint(d.Position),
		"fault", d.Fault)
	if d.Failing != nil {
		printFields(w, "failing since", moment(*d.Failing))
	}
	if d.Next != nil {
		printFields(w, "tried again", moment(*d.Next))
	}
	for _, k := range n.Signing {
		ends := "until it is replaced"
		if k.Ends != nil {
			ends = "until " + moment(*k.Ends)
		}
		printFields(w, "signs", k.ID+" "+ends)
	}
}

func orAll(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ", ")
}

func printNotifications(w io.Writer, all []notify.Notification) {
	fmt.Fprintln(w, "NUMBER\tEVENT\tTYPE\tSTATE\tATTEMPTS\tLAST\tFAULT")
	for _, n := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\t%s\n", n.Number, n.Event, n.Type, n.State, n.Attempts, moment(n.Last), orDash(n.Fault))
	}
}
