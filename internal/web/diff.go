package web

import (
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// diffPage is what two versions of a model differ in.
type diffPage struct {
	Model, From, To string
	catalog.Diff
	Hidden int // lines that are not shown
}

const shownDifferences = 300

func (s *server) diff(v *visit) error {
	page := diffPage{Model: v.r.PathValue("model"), From: strings.TrimSpace(v.query("from")), To: strings.TrimSpace(v.query("to"))}
	if page.From == "" || page.To == "" {
		return tallystick.Errorf(tallystick.Invalid, "a comparison needs two versions").WithHint("the address names them: diff?from=1&to=2")
	}
	var err error
	if page.Diff, err = s.Catalog.Diff(v.ctx(), page.Model+"@"+page.From, page.Model+"@"+page.To); err != nil {
		return err
	}
	if page.Hidden = max(0, len(page.Lines)-shownDifferences); page.Hidden > 0 {
		page.Lines = page.Lines[:shownDifferences]
	}
	return s.show(v, "diff", page.Model+": "+page.From+" and "+page.To, page)
}
