// Package drift judges whether a feature or a score has moved away from its reference, with two
// keys: the change must be significant over all features of the window and large enough to matter
// (DESIGN section 7). A rule with one key alarms all the time on data that does not change.
package drift

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Drift is the comparison of one window, or one whole file, with the reference.
type Drift struct {
	Reference  int64      `json:"reference_rows"`
	Rows       int64      `json:"rows"`
	Thresholds Thresholds `json:"thresholds"`
	Features   []Feature  `json:"features"`
	// Drifted counts the features whose verdict is warn or fail.
	Drifted int                `json:"drifted"`
	Verdict tallystick.Verdict `json:"verdict"`
}

// Thresholds holds the limits of a drift verdict.
type Thresholds struct {
	Q               float64 `json:"q"`                   // Benjamini-Hochberg false discovery rate over the features of a window
	WarnPSI         float64 `json:"warn_psi"`            // with significance: warn
	WarnWasserstein float64 `json:"warn_wasserstein_sd"` // with significance: warn
	FailPSI         float64 `json:"fail_psi"`            // with significance and MinMoved: fail
	// MinMoved is the share of rows (total variation distance) that must have moved for a fail. The
	// logarithm of PSI has no bound: a category of 2 % that is gone from a window adds more than
	// FailPSI by itself, and how much depends on what its empty cell is given.
	MinMoved      float64 `json:"min_moved"`
	WarnLInfinity float64 `json:"warn_l_infinity"`    // with significance, for more than 50 categories: warn
	MinRows       int64   `json:"min_rows"`           // fewer: insufficient
	MinReference  int64   `json:"min_reference_rows"` // fewer: insufficient
	Origin        string  `json:"origin"`
}

// Feature is the comparison of one column. What does not apply to its kind is null.
type Feature struct {
	Name string `json:"name"`
	// Role is "feature", "score" or "prediction". Score and prediction drift is the best single
	// sign that inputs have changed (Rabanser et al. 2019).
	Role       string `json:"role"`
	Kind       string `json:"kind"` // number or category
	NReference int64  `json:"n_reference"`
	N          int64  `json:"n"`

	KS             stat.Number `json:"ks"`
	Wasserstein    stat.Number `json:"wasserstein"`
	WassersteinSD  stat.Number `json:"wasserstein_sd"` // over the reference's standard deviation
	Chi2           stat.Number `json:"chi2"`
	DOF            int         `json:"dof,omitempty"`
	LInfinity      stat.Number `json:"l_infinity"`
	PSI            stat.Number `json:"psi"` // numbers: reference deciles and a bin for missing
	PSICritical    stat.Number `json:"psi_critical"`
	JS             stat.Number `json:"js"`  // distance, base 2
	TVD            stat.Number `json:"tvd"` // total variation distance: the share of rows that moved
	P              stat.Number `json:"p"`   // of the test that Method names; of numbers, of the missing share too
	PAdjusted      stat.Number `json:"p_adjusted"`
	ErrorBound     stat.Number `json:"error_bound"` // of KS; 0 where exact
	Smoothed       bool        `json:"smoothed"`    // a cell was empty and got half a count
	MissingRef     stat.Number `json:"missing_reference"`
	Missing        stat.Number `json:"missing"`
	UnseenShare    stat.Number `json:"unseen_share"` // of values that the reference never had
	UnseenExamples []string    `json:"unseen_examples,omitempty"`

	// Bins hold the shares that PSI compares, for charts.
	Bins []Bin `json:"bins"`
	// Top is the bin whose share changed most.
	Top *Bin `json:"top_change,omitempty"`

	Verdict tallystick.Verdict `json:"verdict"`
	Method  string             `json:"method"`
	Words   string             `json:"words"`
}

// Bin is one decile, category, or the missing values, with its share of the rows.
type Bin struct {
	Label     string  `json:"label"`
	Reference float64 `json:"reference"`
	Current   float64 `json:"current"`
}

// Defaults are the limits of DESIGN section 7.
func Defaults() Thresholds {
	return Thresholds{
		Q: 0.05, WarnPSI: 0.1, WarnWasserstein: 0.1, WarnLInfinity: 0.1, FailPSI: 0.25, MinMoved: 0.1,
		MinRows: 200, MinReference: 1000, Origin: "default",
	}
}
