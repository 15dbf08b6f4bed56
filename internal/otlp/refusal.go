package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/journal"
)

// faultPause is the time after which what was a fault of ours may be none any more.
const faultPause = 5 * time.Second

// refusal is why an export was not taken, in the words of both protocols.
type refusal struct {
	http    int
	grpc    codes.Code
	message string
	after   time.Duration // after which to send it again; 0: never
}

// refuse says what to answer after an error. What is our own fault is logged, and to be sent again: the
// protocol would have an exporter throw away what it is told 500 for.
func (r *Receiver) refuse(ctx context.Context, err error) refusal {
	message, hint := tallystick.Words(err)
	if hint != "" {
		message += "; " + hint
	}
	f := refusal{message: message}
	var full *journal.FullError
	var crowded crowdedError
	switch {
	case errors.As(err, &full):
		f.after = full.RetryAfter
	case errors.As(err, &crowded):
		f.after = crowded.after
	case errors.As(err, new(tooLargeError)):
		f.http, f.grpc = http.StatusRequestEntityTooLarge, codes.ResourceExhausted
		return f
	case ctx.Err() != nil:
		f.http, f.grpc = http.StatusServiceUnavailable, codes.Canceled
		return f
	}
	code := tallystick.CodeOf(err)
	f.http = code.HTTPStatus()
	switch code {
	case tallystick.Unauthorized:
		f.grpc = codes.Unauthenticated
	case tallystick.Forbidden:
		f.grpc = codes.PermissionDenied
	case tallystick.Invalid:
		f.grpc = codes.InvalidArgument
	case tallystick.Conflict:
		f.grpc = codes.AlreadyExists
	case tallystick.Unavailable:
		f.grpc, f.after = codes.Unavailable, max(f.after, time.Second)
	default:
		r.config.Logger.ErrorContext(ctx, "an export was not taken", slog.Any("error", err))
		f = refusal{http: http.StatusServiceUnavailable, grpc: codes.Unavailable, message: "a fault of ours; its cause is in the server's log", after: faultPause}
	}
	return f
}

// status returns the refusal as a google.rpc.Status, with what the protocol has it carry.
func (f refusal) status() *status.Status {
	s := status.New(f.grpc, f.message)
	var detail protoadapt.MessageV1
	switch {
	case f.after > 0:
		detail = &errdetails.RetryInfo{RetryDelay: durationpb.New(f.after)}
	case f.grpc == codes.InvalidArgument:
		detail = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Description: f.message}}}
	default:
		return s
	}
	if detailed, err := s.WithDetails(detail); err == nil {
		return detailed
	}
	return s
}
