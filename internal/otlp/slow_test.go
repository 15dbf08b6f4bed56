package otlp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tallystick/tallystick/internal/journal"
)

// patience is after how long a test gives up that waits for something to happen.
const patience = 2 * time.Minute

// TestSlowBodies: a sender whose body does not come is let go, with a token and without, over HTTP and gRPC, and what
// they held is free again.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	h.SetBodyWait(100 * time.Millisecond)
	overHTTP, overGRPC := h.serve(t)
	t.Run("doors", func(t *testing.T) { // ends when all have
		for name, test := range map[string]struct {
			header string
			status int
		}{
			"with a token":    {"Authorization: Bearer good\r\nContent-Length: 100000\r\n", http.StatusServiceUnavailable},
			"packed":          {"Authorization: Bearer good\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", http.StatusServiceUnavailable},
			"without a token": {"Content-Length: 100000\r\n", http.StatusUnauthorized},
		} {
			t.Run("HTTP "+name, func(t *testing.T) {
				t.Parallel()
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", overHTTP)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n1", test.header)
				from := bufio.NewReader(conn)
				answer, err := http.ReadResponse(from, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				if _, err := io.Copy(io.Discard, from); err != nil || answer.StatusCode != test.status {
					t.Errorf("answered %v, then %v", answer, err)
				}
			})
		}
		c := dial(t, overGRPC)
		for n := range 12 { // more than there is room for
			t.Run(fmt.Sprint("gRPC ", n), func(t *testing.T) {
				t.Parallel()
				stream, err := c.NewStream(as(t.Context(), "good"), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, exportTraces)
				if err != nil {
					t.Fatal(err)
				}
				if err := stream.RecvMsg(&collectortrace.ExportTraceServiceResponse{}); status.Code(err) != codes.Unavailable {
					t.Errorf("answered %v", err)
				}
			})
		}
	})
	h.SetBodyWait(patience)
	c := dial(t, overGRPC)
	err := c.Invoke(as(t.Context(), "good"), exportTraces, exported(attribute("tallystick.model", "credit"), attribute("tallystick.version", "1")), &collectortrace.ExportTraceServiceResponse{})
	if found := h.records(t); err != nil || len(found) != 1 {
		t.Errorf("then %d records, %v", len(found), err)
	}
}
