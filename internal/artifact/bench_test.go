package artifact

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// benchBytes is the size of one file; it stays in the page cache, so that the hash is what is measured.
const benchBytes = 256 << 20

// BenchmarkHash hashes a directory beside sha256sum and openssl, in the same iterations, and reports
// the ratios of the speeds as x-sha256sum and x-openssl: one worker against one process on one
// file, and two against two. The sha256sum of many distributions is built without the processor's
// SHA instructions; openssl uses them, and is the peer that says something about this package.
func BenchmarkHash(b *testing.B) {
	peers := map[string][]string{"x-sha256sum": {"sha256sum"}, "x-openssl": {"openssl", "dgst", "-sha256"}}
	for metric, command := range peers {
		if _, err := exec.LookPath(command[0]); err != nil {
			b.Logf("no %s: %v", metric, err)
			delete(peers, metric)
		}
	}
	dir := b.TempDir()
	block := make([]byte, benchBytes)
	for i := range block {
		block[i] = byte(i * 7 >> 3)
	}
	for _, files := range []int{1, 2} {
		if err := os.WriteFile(benchFile(dir, files), block, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			b.SetBytes(int64(files) * benchBytes)
			var ours time.Duration
			theirs := map[string]time.Duration{}
			for b.Loop() {
				start := time.Now()
				if _, err := Hash(b.Context(), []string{dir}, HashOptions{Workers: files}); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
				b.StopTimer()
				for metric, command := range peers {
					theirs[metric] += runPeers(b, command, dir, files)
				}
				b.StartTimer()
			}
			for metric, d := range theirs {
				b.ReportMetric(float64(d)/float64(ours), metric)
			}
		})
	}
}

func benchFile(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("w%d.bin", i)) }

// runPeers runs one process for each file, all at once, and returns how long the last one took.
func runPeers(b *testing.B, command []string, dir string, files int) time.Duration {
	start := time.Now()
	var running []*exec.Cmd
	for i := range files {
		c := exec.CommandContext(b.Context(), command[0], append(command[1:len(command):len(command)], benchFile(dir, i+1))...)
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		running = append(running, c)
	}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
