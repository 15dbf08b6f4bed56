package web

import (
	"net/url"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

const modelsPerPage = 50

// inventoryPage is the list of models.
type inventoryPage struct {
	Sentence string
	Census   catalog.Census
	Filter   inventoryFilter
	Tiers    []string
	States   []string
	Filtered bool
	Models   []catalog.Overview
	More     string // address of the rest; empty if this is all
	ByName   string // address of the same models in that order
	First    string // address of the same models, those to be audited first
}

// inventoryFilter is what the address asks for.
type inventoryFilter struct{ Text, Tier, State, Owner, Sort string }

// The orders of the inventory. By priority it shows all models: what is most in need of an audit comes
// first.
const (
	byPriority = "priority"
	byName     = "name"
)

func (s *server) inventory(v *visit) error {
	q := func(name string) string { return strings.TrimSpace(v.query(name)) }
	f := inventoryFilter{Text: q("q"), Tier: q("tier"), State: q("state"), Owner: q("owner"), Sort: q("sort")}
	page := inventoryPage{
		Filter: f, Filtered: f.Text+f.Tier+f.State+f.Owner != "",
		Tiers:  []string{string(tallystick.TierHigh), string(tallystick.TierLimited), string(tallystick.TierLow)},
		States: []string{string(catalog.Active), string(catalog.Experimental), string(catalog.Retired)},
	}
	if page.Filtered || f.Sort != byName {
		page.Filter.Sort = byPriority
	}
	if page.Filtered {
		page.Filter.Sort = byName
	}
	models, err := s.modelsOf(v, page.Filter, q("after"))
	if err != nil {
		return err
	}
	if len(models) > modelsPerPage {
		models = models[:modelsPerPage]
		page.More = f.address(models[modelsPerPage-1].Name)
	}
	if page.Models, err = s.Catalog.Overviews(v.ctx(), models); err != nil {
		return err
	}
	if page.Census, err = s.Catalog.Census(v.ctx()); err != nil {
		return err
	}
	page.Sentence = attention(page.Census)
	page.ByName, page.First = inventoryFilter{Sort: byName}.address(""), inventoryFilter{}.address("")
	return s.show(v, "inventory", "Inventory", page)
}

func (s *server) modelsOf(v *visit, f inventoryFilter, after string) ([]catalog.Model, error) {
	if f.Sort == byPriority {
		return s.Catalog.Priority(v.ctx(), after, modelsPerPage+1)
	}
	return s.Catalog.Models(v.ctx(), catalog.ModelFilter{
		State: catalog.ModelState(f.State), Tier: tallystick.Tier(f.Tier), Owner: f.Owner, Text: f.Text, After: after, Limit: modelsPerPage + 1,
	})
}

// address returns that of the models that f chooses, after one of them if it is named.
func (f inventoryFilter) address(after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "tier": f.Tier, "state": f.State, "owner": f.Owner, "sort": f.Sort, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// attention says in one sentence what needs it.
func attention(n catalog.Census) string {
	if n.Models == 0 {
		return "No model is in use."
	}
	verb := map[bool]string{true: " is", false: " are"}
	says := plural(n.Models, "model") + verb[n.Models == 1] + " in use"
	if n.High > 0 {
		says += ", " + count(n.High) + " of high risk"
	}
	var needs []string
	if n.NeverAudited > 0 {
		needs = append(needs, count(n.NeverAudited)+map[bool]string{true: " was never audited", false: " were never audited"}[n.NeverAudited == 1])
	}
	if n.Findings > 0 {
		open := plural(n.Findings, "finding") + verb[n.Findings == 1] + " open"
		if n.Grave > 0 {
			open += ", " + map[bool]string{true: "all", false: count(n.Grave)}[n.Grave == n.Findings] + " of them grave"
		}
		needs = append(needs, open)
	}
	if len(needs) == 0 {
		return says + "; all were audited and no finding is open."
	}
	return says + ": " + strings.Join(needs, ", and ") + "."
}
