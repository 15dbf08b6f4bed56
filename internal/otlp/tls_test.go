package otlp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/tallystick/tallystick/internal/journal"
)

// certified returns what a server on this machine proves itself with, and the file of its certificate.
func certified(t *testing.T) (config *tls.Config, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, file
}

// TestTLS: an exporter that trusts the certificate is heard, one that does not, or speaks without TLS, is not.
func TestTLS(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	config, file := certified(t)
	_, address := h.serveWith(t, config)
	trusting, err := credentials.NewClientTLSFromFile(file, "")
	if err != nil {
		t.Fatal(err)
	}
	export := func(c *grpc.ClientConn) error {
		return c.Invoke(as(t.Context(), "good"), exportTraces, exported(attribute("tallystick.model", "credit"), attribute("tallystick.version", "1")), &collectortrace.ExportTraceServiceResponse{})
	}
	for name, how := range map[string]credentials.TransportCredentials{"trusting": trusting, "not trusting": credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})} {
		c, err := grpc.NewClient(address, grpc.WithTransportCredentials(how))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want := codes.OK
		if name != "trusting" {
			want = codes.Unavailable
		}
		if err := export(c); status.Code(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := export(dial(t, address)); status.Code(err) != codes.Unavailable {
		t.Errorf("without TLS: %v", err)
	}
	if found := h.records(t); len(found) != 1 {
		t.Errorf("%d records", len(found))
	}
}
