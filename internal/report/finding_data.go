package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/wording"
)

func leakageFindings(d *Document) []candidate {
	var found []candidate
	for _, l := range d.Leakage {
		if judged(l.Verdict) && len(found) < 3 {
			found = append(found, candidate{Finding: Finding{Area: "leakage", Verdict: l.Verdict, Words: wording.Sentence(l.Words)}, judgedBy: "data.leakage"})
		}
	}
	return found
}

func contractFindings(d *Document) []candidate {
	if d.Contract == nil {
		return nil
	}
	failed := slices.DeleteFunc(slices.Clone(d.Contract.Checks), func(c contract.Check) bool { return !judged(c.Verdict) })
	if len(failed) == 0 {
		return []candidate{{Finding: Finding{Area: "data", Verdict: tallystick.Pass,
			Words: fmt.Sprintf("The data keeps its contract %s: %s.", d.Contract.Name, plural(len(d.Contract.Checks), "expectation"))}}}
	}
	slices.SortStableFunc(failed, func(a, b contract.Check) int {
		return cmp.Compare(verdictOrder(b.Verdict), verdictOrder(a.Verdict))
	})
	words := fmt.Sprintf("%d of %s of the contract %s %s not kept. %s",
		len(failed), plural(len(d.Contract.Checks), "expectation"), d.Contract.Name, are(len(failed)), wording.Sentence(failed[0].Words))
	return []candidate{{Finding: Finding{Area: "data", Verdict: d.Contract.Verdict, Words: words}, judgedBy: "data.contract"}}
}

func qualityFindings(d *Document) []candidate {
	if d.Quality == nil || !judged(d.Quality.Verdict) {
		return nil
	}
	type trouble struct {
		column string
		quality.Issue
	}
	var troubles []trouble
	columns := 0
	for _, c := range d.Quality.Columns {
		before := len(troubles)
		for _, i := range c.Issues {
			if judged(i.Verdict) {
				troubles = append(troubles, trouble{c.Name, i})
			}
		}
		columns += min(1, len(troubles)-before)
	}
	c := candidate{Finding: Finding{Area: "data", Verdict: d.Quality.Verdict}, judgedBy: "data.quality"}
	slices.SortStableFunc(troubles, func(a, b trouble) int {
		return cmp.Compare(verdictOrder(b.Verdict), verdictOrder(a.Verdict))
	})
	switch {
	case len(troubles) > 0:
		words := wording.Sentence(troubles[0].Words)
		if !strings.Contains(words, troubles[0].column) {
			words = troubles[0].column + ": " + words
		}
		c.Words = fmt.Sprintf("%s of %s to look at. %s", count(int64(columns)), plural(len(d.Quality.Columns), "column"), words)
	case d.Quality.DuplicateIDs != nil && *d.Quality.DuplicateIDs > 0:
		c.Words = fmt.Sprintf("%s repeat an earlier id.", plural(*d.Quality.DuplicateIDs, "row"))
	case d.Quality.DuplicateRows > 0:
		c.Words = fmt.Sprintf("%s equal an earlier row (%s).", plural(d.Quality.DuplicateRows, "row"), d.Quality.DuplicateScope)
	default:
		c.Words = "The quality of the data is not settled."
	}
	return []candidate{c}
}
