package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress draws one bar on standard error, if that is a terminal. It is silent for work that is
// done at once.
type progress struct {
	mu      sync.Mutex
	out     io.Writer // nil where nobody looks
	width   int
	started time.Time
	drawn   time.Time
	visible bool
}

const (
	progressAfter = 400 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

func (a *app) progress() *progress {
	p := &progress{started: time.Now()}
	if width, ok := terminal(a.Err); ok {
		p.out, p.width = a.Err, width
	}
	return p
}

// show draws the bar of a stage.
func (p *progress) show(stage string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.out == nil || now.Sub(p.started) < progressAfter || now.Sub(p.drawn) < progressEvery {
		return
	}
	p.drawn, p.visible = now, true
	share := 0.0
	if total > 0 {
		share = min(1, float64(done)/float64(total))
	}
	const label = 24
	cells := max(10, min(40, p.width-label-12))
	full := int(share * float64(cells))
	fmt.Fprintf(p.out, "\r\x1b[K%-*s [%s%s] %3.0f %%", label, stage, strings.Repeat("#", full), strings.Repeat(".", cells-full), 100*share)
}

// done wipes the bar.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.visible {
		fmt.Fprint(p.out, "\r\x1b[K") // to the start of the line, and erase it
		p.visible = false
	}
}
