package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tallystick/tallystick/internal/access"
)

// person is somebody before a browser of their own.
type person struct {
	t   testing.TB
	ctx context.Context
	at  string // the server
}

// walkers opens browsers in which no script of a page runs: every step has to work without.
func walkers(t testing.TB, h *house) func(name string, roles ...access.Role) person {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs chromium: apt install chromium")
	}
	s := httptest.NewServer(h.pages)
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, chromedp.ExecPath(chromium), chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return func(name string, roles ...access.Role) person {
		if len(roles) > 0 {
			h.person(t, name, roles...)
		}
		own, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		p := person{t, own, s.URL}
		if err := chromedp.Do(own); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(own, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
		p.see("light")
		p.do(chromedp.Navigate(p.at+"/sign-in"), chromedp.SendKeys(chromedp.CSS("#name"), name), chromedp.SendKeys(chromedp.CSS("#passphrase"), passphrase), chromedp.Submit(chromedp.CSS("#name")), chromedp.WaitVisible(chromedp.CSS(".lead")))
		return p
	}
}

func (p person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	// A browser draws, and takes clicks in, only what is in front.
	if _, err := chromedp.Call(p.ctx, cdppage.BringToFront, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// open goes to a page.
func (p person) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.at+address), chromedp.WaitVisible(chromedp.CSS("h1")))
}

// says fails unless the page shows what is wanted.
func (p person) says(wants ...string) {
	p.t.Helper()
	page, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, want := range wants {
		if !strings.Contains(page, want) {
			p.t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

// see sets the colours that the person prefers. Nobody likes motion here: a click goes where a button was
// before the page had scrolled.
func (p person) see(colours string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// picture keeps the page in both widths and both colours, if TALLYSTICK_PICTURES names a directory.
func (p person) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("TALLYSTICK_PICTURES")
	if dir == "" {
		return
	}
	for _, width := range []int64{1280, 390} {
		for _, colours := range []string{"light", "dark"} {
			p.do(chromedp.EmulateViewport(width, 800))
			p.see(colours)
			png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				p.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, colours)), png, 0o600); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// TestBrowserWalksRelease plays a release in a browser without scripts: the author asks and is kept from
// approving, a second person approves, an operator promotes.
func TestBrowserWalksRelease(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	r := h.furnishReleases(t)
	enter := walkers(t, h)
	author := enter("bo", access.Scientist, access.Approver)
	author.open("/models/credit/versions/2/release")
	author.open("/models/spam/versions/9")
	author.do(chromedp.Click(chromedp.CSS("section[aria-labelledby=releases] details summary")))
	author.do(chromedp.SendKeys(chromedp.CSS("#reason"), "fewer letters are lost"), chromedp.SetValue(chromedp.CSS("#environment"), "production"), chromedp.SetValue(chromedp.CSS("#role"), "canary"),
		chromedp.SendKeys(chromedp.CSS("#percent"), "5"), chromedp.Submit(chromedp.CSS("#reason")), chromedp.WaitVisible(chromedp.CSS(".verdict")))
	author.says("You asked that spam@9 be let into production as canary", "Denied: 1 of 1 rule keeps it out.", "the author of a release does not approve it")
	author.picture("author")
	address, err := chromedp.Run(author.ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ = strings.Cut(strings.TrimPrefix(address, author.at), "?")

	second := enter("cy", access.Approver)
	second.open("/reviews")
	second.says("spam@9 to production", "wait for you")
	second.picture("reviews")
	second.do(chromedp.Click(chromedp.CSS(`a[href="`+address+`"]`)), chromedp.WaitVisible(chromedp.CSS("#comment")))
	second.picture("review")
	second.do(chromedp.SendKeys(chromedp.CSS("#comment"), "read a hundred letters"), chromedp.Click(chromedp.CSS("button[value=approve]")), chromedp.WaitVisible(chromedp.CSS(".done")))
	second.says("You reviewed the release of spam@9 into production: approve", "The gate lets it in")
	second.picture("approved")

	operator := enter("di", access.Operator)
	operator.open(address)
	operator.do(chromedp.Click(chromedp.CSS("form[action$=promotion] button")), chromedp.WaitVisible(chromedp.CSS(".done")))
	operator.says("Let in on ", "You put spam@9 into production as canary")
	operator.picture("promoted")
	second.do(chromedp.SendKeys(chromedp.CSS("#comment"), "there is a hole in it"), chromedp.Click(chromedp.CSS("button[value=reject]")), chromedp.WaitVisible(chromedp.CSS(".alert")))
	second.says("was promoted on", "Since you opened the page")
	second.picture("conflict")
	for name, page := range map[string]string{
		"denied": "/releases/" + r.denied, "rejected": "/releases/" + r.rejected, "releases": "/models/credit/releases", "waivers": "/models/credit/waivers?rule=artifact.format",
		"waiver": "/waivers/" + r.open, "freezes": "/freezes", "version": "/models/credit/versions/3", "model": "/models/credit", "ask": "/models/credit/versions/3/release", "rollback": "/models/spam/rollback?in=staging",
	} {
		if os.Getenv("TALLYSTICK_PICTURES") != "" {
			for who, p := range map[string]person{"": second, "-author": author} {
				p.open(page)
				p.picture(name + who)
			}
		}
	}
}

// send fills in one field and clicks.
func (p person) send(field, text, button string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(field), text), chromedp.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS(".done")))
}
