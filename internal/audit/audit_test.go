package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/report"
)

// data returns a file of the published data that lies beside the project.
func data(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("../../../shared/data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs %s: %v", path, err)
	}
	return path
}

// compas is the audit of COMPAS as ProPublica did it.
func compas(t testing.TB) Config {
	return Config{
		Files: []string{data(t, "compas/compas-two-years.csv")},
		Label: "two_year_recid", PositiveLabel: "1", Prediction: "score_text", Positive: []string{"Medium", "High"},
		Favourable: "negative", Score: "decile_score", ScoreMax: 10,
		Groups: []string{"race", "sex", "age_cat"}, ReferenceGroup: map[string]string{"race": "Caucasian"},
	}
}

// employment is the audit of the census records with their late labels, by windows of 5,000 rows.
func employment(t testing.TB) Config {
	return Config{
		Files:     []string{data(t, "acs-employment/employment_MA_analysis.pq")},
		Reference: []string{data(t, "acs-employment/employment_MA_reference.pq")},
		Labels:    []string{data(t, "acs-employment/employment_MA_analysis_target.pq")},
		ID:        "id", Label: "employed", Prediction: "prediction", Score: "predicted_probability", Chunk: 5000,
	}
}

// housing is the audit of hourly predictions by month.
func housing(t testing.TB) Config {
	return Config{
		Files:     []string{data(t, "california-housing/california_housing_analysis.csv")},
		Reference: []string{data(t, "california-housing/california_housing_reference.csv")},
		Labels:    []string{data(t, "california-housing/california_housing_analysis_gt.csv")},
		ID:        "id", Label: "clf_target", Prediction: "y_pred", Score: "y_pred_proba", Time: "timestamp", Window: "1mo",
	}
}

func measured(t testing.TB, cfg Config) *report.Document {
	t.Helper()
	cfg.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	cfg.TempDir = t.TempDir()
	doc, err := Measure(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// write makes a file of a test.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
