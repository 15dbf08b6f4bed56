package access

import (
	"os"
	"strings"
	"testing"
)

func (b bench) bootstrapText(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile(b.config.BootstrapFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}
