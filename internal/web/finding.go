package web

import (
	"net/url"
	"strconv"

	"github.com/tallystick/tallystick/internal/catalog"
)

const findingsPerPage = 50

// findingsPage is the list of findings.
type findingsPage struct {
	Model, Environment string
	All                bool // resolved ones too
	Findings           []catalog.Finding
	More               string
	Filtered           bool
}

func (s *server) findings(v *visit) error {
	page := findingsPage{Model: v.query("model"), Environment: v.query("environment"), All: v.query("state") == "all"}
	page.Filtered = page.Model+page.Environment != "" || page.All
	after := v.query("after")
	if _, err := readSequence("after", after); err != nil {
		return err
	}
	found, err := s.Catalog.Findings(v.ctx(), catalog.FindingFilter{
		Model: page.Model, Environment: page.Environment, Open: !page.All, After: after, Limit: findingsPerPage + 1,
	})
	if err != nil {
		return err
	}
	if len(found) > findingsPerPage {
		found = found[:findingsPerPage]
		q := v.r.URL.Query()
		q.Set("after", strconv.FormatUint(found[findingsPerPage-1].Event, 10))
		page.More = "/findings?" + url.Values(q).Encode()
	}
	page.Findings = found
	return s.show(v, "findings", "Findings", page)
}
