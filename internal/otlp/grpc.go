package otlp

import (
	"crypto/tls"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tallystick/tallystick"
)

const (
	// maxFrame bounds a message in bytes, after decompression, as gRPC's libraries do. It is read whole, so
	// that there must be room for the largest before its size is known.
	maxFrame   = 4 << 20
	maxStreams = 64        // of a connection
	window     = 256 << 10 // bytes of a stream that may wait to be read
	idle       = 5 * time.Minute
)

// server returns the services of OTLP/gRPC.
func (r *Receiver) server(config *tls.Config) *grpc.Server {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(frames{}), grpc.MaxRecvMsgSize(maxFrame), grpc.MaxConcurrentStreams(maxStreams), grpc.MaxHeaderListSize(maxHeader),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(4 * window), grpc.ConnectionTimeout(headerWait),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idle}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: headerWait, PermitWithoutStream: true}),
	}
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	s := grpc.NewServer(options...)
	for signal, service := range map[Signal]string{
		Logs:   "opentelemetry.proto.collector.logs.v1.LogsService",
		Traces: "opentelemetry.proto.collector.trace.v1.TraceService",
	} {
		// A call with one message is a stream of one. As a stream it lets us ask who sends before we read what.
		s.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
			StreamName: "Export", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return r.serveGRPC(stream, signal) },
		}}}, r)
	}
	return s
}

func (r *Receiver) serveGRPC(stream grpc.ServerStream, s Signal) error {
	done, err := r.receiveGRPC(stream, s)
	if err == nil {
		r.counts.request("grpc", s, int(codes.OK))
		return stream.SendMsg(&frame{binary.marshal(response(s, done))})
	}
	said, ok := status.FromError(err)
	if !ok {
		said = r.refuse(stream.Context(), err).status()
	}
	r.counts.request("grpc", s, int(said.Code()))
	return said.Err()
}

func (r *Receiver) receiveGRPC(stream grpc.ServerStream, s Signal) (result, error) {
	ctx := stream.Context()
	var authorization string
	if sent := metadata.ValueFromIncomingContext(ctx, "authorization"); len(sent) == 1 {
		authorization = sent[0]
	}
	sender, err := r.enter(ctx, authorization)
	if err != nil {
		return result{}, err
	}
	p, err := r.room.enter(ctx, maxFrame)
	if err != nil {
		return result{}, err
	}
	defer p.leave()
	body, err := receive(stream, r.bodyWait)
	if err != nil {
		return result{}, err
	}
	p.shrink(int64(len(body)))
	return r.export(ctx, sender, s, binary, body)
}

// receive reads the message, unless it takes too long. The stream ends with its handler, and so does what reads it.
func receive(stream grpc.ServerStream, wait time.Duration) ([]byte, error) {
	type message struct {
		frame
		err error
	}
	read := make(chan message, 1)
	go func() {
		var m message
		m.err = stream.RecvMsg(&m.frame)
		read <- m
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case m := <-read:
		if errors.Is(m.err, io.EOF) {
			return nil, tallystick.Errorf(tallystick.Invalid, "no message was sent")
		}
		return m.data, m.err
	case <-timer.C:
		return nil, tallystick.Errorf(tallystick.Unavailable, "the message took longer than %s", wait)
	}
}

// frame is a message as it stands on the wire.
type frame struct{ data []byte }

// frames hands messages on as they are: an export is told by the bytes in which it came.
type frames struct{}

// Marshal implements encoding.CodecV2.
func (frames) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, errors.New("not a frame")
	}
	return mem.BufferSlice{mem.SliceBuffer(f.data)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (frames) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return errors.New("not a frame")
	}
	f.data = data.Materialize()
	return nil
}

// Name implements encoding.CodecV2.
func (frames) Name() string { return "proto" }
