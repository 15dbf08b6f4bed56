package state

import (
	"context"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/tallystick/tallystick"
)

// postgresName returns what may be told of a database's URL: the server and the name, never the password.
func postgresName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "postgres"
	}
	host := u.Host
	if host == "" {
		host = u.Query().Get("host")
	}
	return "postgres://" + host + "/" + strings.TrimPrefix(u.Path, "/")
}

// parseURL reads the URL of a database. Its errors do not repeat the URL.
func parseURL(raw string) (*pgx.ConnConfig, error) {
	invalid := func(what string) error {
		return tallystick.Errorf(tallystick.Invalid, "the URL of the database %s", what).
			WithHint("postgres://USER@HOST/DATABASE, with the password in PGPASSWORD or ~/.pgpass")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, invalid("cannot be read")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, invalid("does not begin with postgres://")
	}
	server, err := pgx.ParseConfig(raw)
	if err != nil {
		return nil, invalid("says something that cannot be: " + withoutSecrets(err.Error(), raw, u))
	}
	if server.ConnectTimeout == 0 {
		server.ConnectTimeout = connectTime
	}
	if server.RuntimeParams["application_name"] == "" {
		server.RuntimeParams["application_name"] = "tallystick"
	}
	if len(server.Fallbacks) > 0 && server.ValidateConnect == nil {
		server.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return server, nil
}

// withoutSecrets takes the URL and the password out of a message.
func withoutSecrets(message, raw string, u *url.URL) string {
	secrets := []string{raw}
	if password, set := u.User.Password(); set {
		secrets = append(secrets, password, url.QueryEscape(password), url.PathEscape(password))
	}
	for name, values := range u.Query() {
		if strings.Contains(name, "password") {
			for _, v := range values {
				secrets = append(secrets, v, url.QueryEscape(v), url.PathEscape(v))
			}
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, "xxxxx")
		}
	}
	return message
}

// dial opens a connection for whatever takes its time: migrations, waiting for notifications.
func (d *postgresDB) dial(ctx context.Context) (*pgx.Conn, error) {
	return pgx.ConnectConfig(ctx, d.server)
}

// dialSession opens a connection of which the statements take no longer than a while. A server that
// then says nothing for much longer counts as gone. A query whose caller goes away is cancelled, and
// the connection stays.
func (d *postgresDB) dialSession(ctx context.Context, statement time.Duration, onNotice pgconn.NoticeHandler) (*pgx.Conn, error) {
	server := d.server.Copy()
	server.OnNotice = onNotice
	server.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
	}
	dial := server.DialFunc
	server.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &impatientConn{conn, statement + statement/4}, nil
	}
	return pgx.ConnectConfig(ctx, server)
}

// impatientConn fails a read that takes longer than patience: without it a commit whose answer never
// comes, because the other machine is gone, would hold up every write for ever.
type impatientConn struct {
	net.Conn
	patience time.Duration
}

func (c *impatientConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}
