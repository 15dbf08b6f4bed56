package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/cloudevents"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/trail"
)

// otlpFlags say whether predictions come in from OpenTelemetry, and where.
type otlpFlags struct {
	both       bool
	http, grpc string
}

func (f *otlpFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.both, "otlp", false, "take predictions from OpenTelemetry, on "+otlp.DefaultHTTP+" (HTTP) and "+otlp.DefaultGRPC+" (gRPC)")
	flags.StringVar(&f.http, "otlp-http", "", "take them over HTTP, on `HOST:PORT`")
	flags.StringVar(&f.grpc, "otlp-grpc", "", "take them over gRPC, on `HOST:PORT`")
}

// open opens the doors that were asked for.
func (f otlpFlags) open(ctx context.Context, config server.Config) (doors otlp.Doors, err error) {
	certificates, err := server.Certificates(config.Certificate, config.Key)
	if err != nil {
		return doors, err
	}
	if len(certificates) > 0 {
		doors.TLS = &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, doors.Close())
		}
	}()
	if f.both {
		f.http, f.grpc = cmp.Or(f.http, otlp.DefaultHTTP), cmp.Or(f.grpc, otlp.DefaultGRPC)
	}
	if f.http != "" {
		if doors.HTTP, err = server.Listen(ctx, "--otlp-http", f.http, certificates); err != nil {
			return doors, err
		}
	}
	if f.grpc != "" {
		doors.GRPC, err = server.Listen(ctx, "--otlp-grpc", f.grpc, certificates)
	}
	return doors, err
}

// telemetry returns what takes predictions from OpenTelemetry.
func (h house) telemetry(predictions *recording, logger *slog.Logger) *otlp.Receiver {
	return otlp.New(otlp.Config{Recorder: predictions.Capture, Doorkeeper: sending(h), Models: h.catalog, Logger: logger})
}

// events returns what takes predictions from KServe's logger.
func (h house) events(predictions *recording, logger *slog.Logger) *cloudevents.Receiver {
	return cloudevents.New(cloudevents.Config{Recorder: predictions.Capture, Doorkeeper: sending(h), Logger: logger, Now: time.Now})
}

// beside answers at one path, and hands everything else on.
func beside(path string, at, elsewhere http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+path, at)
	mux.Handle("/", elsewhere)
	return mux
}

// sending lets those in who may record predictions.
type sending house

// Enter implements otlp.Doorkeeper and cloudevents.Doorkeeper.
func (s sending) Enter(ctx context.Context, token string) (string, error) {
	p, err := s.access.Authenticate(ctx, token)
	if err != nil {
		return "", err
	}
	return p.ID, s.registry.May(ctx, registry.Command{Principal: p, Action: access.PredictionRecord, Resource: trail.Resource{Type: "workspace", ID: s.Origin()}})
}
