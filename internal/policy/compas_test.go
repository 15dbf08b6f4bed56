package policy_test

import (
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/policy"
)

const compasPath = "../../../shared/data/compas/compas-two-years.csv"

// The gate over ProPublica's defendants, with high risk being Medium or High: the false positive
// rates of African-American and Caucasian defendants differ by 18 to 25 points (monitoring
// reference 6a), which no interval brings within ten.
func TestCompasFailsForErrorRates(t *testing.T) {
	t.Parallel()
	rows := readCompas(t)
	pack := load(t, "", tallystick.TierHigh)
	rule := row(t, judgeCompas(t, pack, rows), "fairness.error-rates")
	if rule.Status != policy.Fail || !rule.Blocking {
		t.Fatalf("fairness.error-rates is %s: %s", rule.Status, rule.Message)
	}
	all := rule.Message + "\n" + strings.Join(rule.Details, "\n")
	for _, part := range []string{"African-American", "Caucasian", "44.8 %", "23.5 %", "95 % interval"} {
		if !strings.Contains(all, part) {
			t.Errorf("the row does not say %q:\n%s", part, all)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		random.Shuffle(len(rows), func(i, j int) { rows[i].predicted, rows[j].predicted = rows[j].predicted, rows[i].predicted })
		if rule := row(t, judgeCompas(t, pack, rows), "fairness.error-rates"); rule.Status == policy.Fail {
			t.Errorf("with permuted predictions the row is %s: %s", rule.Status, rule.Message)
		}
	}
}

type defendant struct {
	race, sex           string
	offended, predicted bool
}

func readCompas(t *testing.T) []defendant {
	t.Helper()
	f, err := os.Open(compasPath)
	if err != nil {
		t.Skipf("needs %s: %v", compasPath, err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(records[0], name) }
	var rows []defendant
	for _, r := range records[1:] {
		rows = append(rows, defendant{r[at("race")], r[at("sex")], r[at("two_year_recid")] == "1", r[at("score_text")] != "Low"})
	}
	return rows
}

// judgeCompas puts the comparison of the defendants into the sound document and judges that.
func judgeCompas(t *testing.T, pack *policy.Pack, rows []defendant) policy.Decision {
	t.Helper()
	race := fairness.Attribute{Name: "race", Reference: "Caucasian"}
	sex := fairness.Attribute{Name: "sex", Reference: "Male"}
	code := func(a *fairness.Attribute, value string) uint32 {
		if !slices.Contains(a.Values, value) {
			a.Values = append(a.Values, value)
		}
		return uint32(slices.Index(a.Values, value))
	}
	codes := make([][]uint32, len(rows))
	for i, r := range rows {
		codes[i] = []uint32{code(&race, r.race), code(&sex, r.sex)}
	}
	counter, err := fairness.NewCounter([]fairness.Attribute{race, sex})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		truth := fairness.Negative
		if r.offended {
			truth = fairness.Positive
		}
		counter.Add(truth, r.predicted, codes[i])
	}
	compared := counter.Result(fairness.Config{Limits: fairness.DefaultLimits(), Terms: fairness.Terms{
		PositiveLabel: "two_year_recid = 1", NegativeLabel: "two_year_recid other than 1",
		Positive: "predicted Medium or High", Negative: "predicted neither Medium nor High",
	}})
	data, err := json.Marshal(compared)
	if err != nil {
		t.Fatal(err)
	}
	return evaluate(t, pack, set(t, sound(t, tallystick.TierHigh), "report.fairness", json.RawMessage(data)))
}
