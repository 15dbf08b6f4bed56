package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/health"
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
	First    string // address of all models, those to be audited first
	Columns  map[string]sortColumn
	Healths  map[string]health.Health // of those that were looked at
	Told     bool                     // how models stand
}

// sortColumn is the head of a column by which models can be ordered.
type sortColumn struct {
	Title string
	Href  string // address of the same models in that order, or in the reverse one
	Sort  string // ascending or descending, as ARIA has it; empty if they are in another order
}

// inventoryFilter is what the address asks for.
type inventoryFilter struct{ Text, Tier, State, Owner, Sort string }

// byPriority is the order in which what is most in need of an audit comes first, byHealth that in which what stands worst
// does; both show all models. The others are those of the catalog, reversed if a minus stands before.
const byPriority, byHealth = "priority", "health"

func (s *server) inventory(v *visit) error {
	q := func(name string) string { return strings.TrimSpace(v.query(name)) }
	f := inventoryFilter{Text: q("q"), Tier: q("tier"), State: q("state"), Owner: q("owner"), Sort: q("sort")}
	page := inventoryPage{
		Filter: f, Filtered: f.Text+f.Tier+f.State+f.Owner != "",
		Tiers:  []string{string(tallystick.TierHigh), string(tallystick.TierLimited), string(tallystick.TierLow)},
		States: []string{string(catalog.Active), string(catalog.Experimental), string(catalog.Retired)},
	}
	order, descending := f.order()
	if f.Sort == byHealth && s.Standing != nil {
		f = inventoryFilter{Sort: byHealth}
		page.Filter, page.Filtered = f, false
	} else if order == "" {
		page.Filter.Sort = byPriority
		if page.Filtered {
			page.Filter.Sort, order = "", catalog.ByName
		}
	}
	page.Columns, page.Told = f.columns(order, descending), s.Standing != nil
	models, err := s.modelsOf(v, page.Filter, q("after"))
	if err != nil {
		return err
	}
	if len(models) > modelsPerPage {
		models = models[:modelsPerPage]
		page.More = f.address(models[modelsPerPage-1].Name)
	}
	if page.Models, err = s.Releases.Overviews(v.ctx(), models); err != nil {
		return err
	}
	if s.Standing != nil {
		page.Healths = map[string]health.Health{}
		for _, m := range models {
			if h, known := s.Standing.Of(m.Name); known {
				page.Healths[m.Name] = h
			}
		}
	}
	if page.Census, err = s.Catalog.Census(v.ctx()); err != nil {
		return err
	}
	page.Sentence = attention(page.Census)
	page.First = inventoryFilter{}.address("")
	return s.show(v, "inventory", "Inventory", page)
}

func (s *server) modelsOf(v *visit, f inventoryFilter, after string) ([]catalog.Model, error) {
	if f.Sort == byPriority {
		return s.Catalog.Priority(v.ctx(), after, modelsPerPage+1)
	}
	if f.Sort == byHealth {
		names := afterName(s.Standing.Ranked(), after)
		return s.Catalog.ModelsNamed(v.ctx(), names[:min(len(names), modelsPerPage+1)])
	}
	order, descending := f.order()
	return s.Catalog.Models(v.ctx(), catalog.ModelFilter{
		State: catalog.ModelState(f.State), Tier: tallystick.Tier(f.Tier), Owner: f.Owner, Text: f.Text,
		Order: order, Descending: descending, After: after, Limit: modelsPerPage + 1,
	})
}

// order returns the order of the catalog that f asks for, empty if it asks for none that there is.
func (f inventoryFilter) order() (order catalog.ModelOrder, descending bool) {
	name, descending := strings.CutPrefix(f.Sort, "-")
	switch order = catalog.ModelOrder(name); order {
	case catalog.ByName, catalog.ByTier, catalog.ByOwner:
		return order, descending
	}
	return "", false
}

// afterName returns the names behind one of them, all if it is not there.
func afterName(names []string, after string) []string {
	return names[slices.Index(names, after)+1:]
}

// columns returns the heads of those columns by which models can be ordered.
func (f inventoryFilter) columns(now catalog.ModelOrder, descending bool) map[string]sortColumn {
	columns := map[string]sortColumn{}
	for order, title := range map[catalog.ModelOrder]string{catalog.ByName: "Model", catalog.ByTier: "Tier", catalog.ByOwner: "Owner"} {
		c, other := sortColumn{Title: title}, f
		other.Sort = string(order)
		if order == now {
			c.Sort = map[bool]string{true: "descending", false: "ascending"}[descending]
			if !descending {
				other.Sort = "-" + other.Sort
			}
		}
		c.Href = other.address("")
		columns[string(order)] = c
	}
	worst := sortColumn{Title: "Health", Href: inventoryFilter{Sort: byHealth}.address("")}
	if f.Sort == byHealth {
		worst.Sort = "ascending"
	}
	columns[byHealth] = worst
	return columns
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
			switch {
			case n.Findings == 1:
				open += ", a grave one"
			case n.Grave == n.Findings:
				open += ", all of them grave"
			default:
				open += ", " + count(n.Grave) + " of them grave"
			}
		}
		needs = append(needs, open)
	}
	if len(needs) == 0 {
		return says + "; all were audited and no finding is open."
	}
	return says + ": " + strings.Join(needs, ", and ") + "."
}
