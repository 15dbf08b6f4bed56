// Package otlp takes predictions in as logs and spans of OpenTelemetry: OTLP/HTTP and OTLP/gRPC of the
// OpenTelemetry protocol, specification 1.11, without metrics and profiles.
//
// What a log record or span says of a prediction stands in its attributes; [Table] lists which. What says
// nothing of one is not ours: it is counted and let go, so that an exporter can send us all that it has.
// An export is answered only when its predictions are durable.
//
// Decision 0024 says why it is so.
package otlp

import (
	"context"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/internal/capture"
)

// MaxBody bounds an export in bytes, after decompression.
const MaxBody = 16 << 20

// Recorder takes predictions in, as [capture.Capture] does.
type Recorder interface {
	Accept(ctx context.Context, b capture.Batch) (capture.Answer, error)
}

// Doorkeeper says who sends, by the token that he presents, if he may record predictions. Otherwise the
// error is Unauthorized or Forbidden.
type Doorkeeper interface {
	Enter(ctx context.Context, token string) (sender string, err error)
}

// Models knows which models are registered.
type Models interface {
	HasModel(ctx context.Context, name string) (bool, error)
}

// Config says what a receiver works with. All fields are required.
type Config struct {
	Recorder   Recorder
	Doorkeeper Doorkeeper
	Models     Models
	Logger     *slog.Logger
}

// Receiver takes exports in, over HTTP and gRPC alike. It is a [prometheus.Collector].
type Receiver struct {
	config   Config
	bodyWait time.Duration
	room     *room
	counts   *counts
}

// New returns a receiver.
func New(config Config) *Receiver {
	return &Receiver{config: config, bodyWait: bodyWait, room: newRoom(maxRoom), counts: newCounts()}
}
