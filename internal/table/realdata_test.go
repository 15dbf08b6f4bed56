package table

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// dataDir is where the published data lies that the project is tested on.
const dataDir = "../../../shared/data"

// columnFacts is what pandas 3 says about a column: missing values, their sum (exact, of the codes of
// pandas.factorize for a category), their maximum, and how many different values a category has and
// which is the last to appear.
type columnFacts struct {
	name    string
	kind    Kind
	missing int
	sum     float64
	max     float64
	values  int
	last    string
}

var realData = []struct {
	file    string
	rows    int64
	columns []columnFacts
}{
	{"compas/compas-two-years.csv", 7214, []columnFacts{
		{"id", Number, 0, 39686059.0, 11001, 0, ""},
		{"compas_screening_date", Time, 0, 0, 1419984000000000000, 0, ""},
		{"sex", Category, 0, 1395, 1, 2, "Female"},
		{"age", Number, 0, 251177.0, 96, 0, ""},
		{"age_cat", Category, 0, 7167, 2, 3, "Less than 25"},
		{"race", Category, 0, 10747, 5, 6, "Asian"},
		{"juv_fel_count", Number, 0, 485.0, 20, 0, ""},
		{"juv_misd_count", Number, 0, 656.0, 13, 0, ""},
		{"juv_other_count", Number, 0, 789.0, 17, 0, ""},
		{"priors_count", Number, 0, 25050.0, 38, 0, ""},
		{"days_b_screening_arrest", Number, 307, 22826.0, 1057.0, 0, ""},
		{"c_charge_degree", Category, 0, 2548, 1, 2, "M"},
		{"c_charge_desc", Category, 29, 358100, 436, 437, "Possession of XLR11"},
		{"is_recid", Number, 0, 3471.0, 1, 0, ""},
		{"decile_score", Number, 0, 32532.0, 10, 0, ""},
		{"score_text", Category, 0, 5231, 2, 3, "Medium"},
		{"two_year_recid", Number, 0, 3251.0, 1, 0, ""},
	}},
	{"california-housing/california_housing_reference.csv", 5832, []columnFacts{
		{"id", Number, 0, 17003196.0, 5831, 0, ""},
		{"MedInc", Number, 0, 24341.1786, 15.0001, 0, ""},
		{"HouseAge", Number, 0, 161683.0, 52.0, 0, ""},
		{"AveRooms", Number, 0, 32111.278418710546, 59.875, 0, ""},
		{"AveBedrms", Number, 0, 6432.828442703382, 15.3125, 0, ""},
		{"Population", Number, 0, 8626092.0, 28566.0, 0, ""},
		{"AveOccup", Number, 0, 17698.155324626896, 83.17142857142858, 0, ""},
		{"Latitude", Number, 0, 201970.44, 41.82, 0, ""},
		{"Longitude", Number, 0, -691780.93, -116.22, 0, ""},
		{"timestamp", Time, 0, 0, 1622502000000000000, 0, ""},
		{"clf_target", Number, 0, 3716.0, 1, 0, ""},
		{"y_pred_proba", Number, 0, 3166.86, 1.0, 0, ""},
		{"y_pred", Number, 0, 1878.0, 1, 0, ""},
	}},
	{"california-housing/california_housing_analysis.csv", 8232, []columnFacts{
		{"id", Number, 0, 81887820.0, 14063, 0, ""},
		{"MedInc", Number, 0, 31849.5844, 15.0001, 0, ""},
		{"HouseAge", Number, 0, 220923.0, 52.0, 0, ""},
		{"AveRooms", Number, 0, 45326.403102072334, 62.422222222222224, 0, ""},
		{"AveBedrms", Number, 0, 8959.748894885583, 14.11111111111111, 0, ""},
		{"Population", Number, 0, 11759686.0, 35682.0, 0, ""},
		{"AveOccup", Number, 0, 25632.367234918667, 1243.3333333333333, 0, ""},
		{"Latitude", Number, 0, 297839.42, 41.95, 0, ""},
		{"Longitude", Number, 0, -988982.28, -114.31, 0, ""},
		{"timestamp", Time, 0, 0, 1652137200000000000, 0, ""},
		{"y_pred_proba", Number, 0, 3046.9, 1.0, 0, ""},
		{"y_pred", Number, 0, 961.0, 1, 0, ""},
	}},
	{"acs-employment/employment_MA_reference.pq", 68785, []columnFacts{
		{"id", Number, 0, 2365653720.0, 68784, 0, ""},
		{"AGEP", Number, 0, 2849409.0, 94.0, 0, ""},
		{"SCHL", Category, 0, 487397, 24, 25, "4"},
		{"MAR", Category, 0, 57426, 4, 5, "4"},
		{"RELP", Category, 0, 202133, 17, 18, "14"},
		{"DIS", Category, 0, 59455, 1, 2, "2"},
		{"ESP", Category, 0, 32542, 8, 9, "3"},
		{"CIT", Category, 0, 21163, 4, 5, "2"},
		{"MIG", Category, 0, 11010, 3, 4, "2"},
		{"MIL", Category, 0, 24874, 4, 5, "1"},
		{"ANC", Category, 0, 83245, 3, 4, "3"},
		{"NATIVITY", Category, 0, 9821, 1, 2, "2"},
		{"DEAR", Category, 0, 2669, 1, 2, "1"},
		{"DEYE", Category, 0, 1408, 1, 2, "1"},
		{"DREM", Category, 0, 10128, 2, 3, "0"},
		{"SEX", Category, 0, 33094, 1, 2, "1"},
		{"RAC1P", Category, 0, 30584, 8, 9, "4"},
		{"employed", Number, 0, 34106.0, 1, 0, ""},
		{"year", Number, 0, 138601775.0, 2015, 0, ""},
		{"prediction", Number, 0, 37023.0, 1, 0, ""},
		{"predicted_probability", Number, 0, 33905.068777802204, 0.9709415559241023, 0, ""},
	}},
	{"acs-employment/employment_MA_analysis.pq", 208892, []columnFacts{
		{"id", Number, 0, 36186465606.0, 277676, 0, ""},
		{"AGEP", Number, 0, 8716504.0, 95.0, 0, ""},
		{"SCHL", Category, 0, 1500258, 24, 25, "17"},
		{"MAR", Category, 0, 168253, 4, 5, "4"},
		{"RELP", Category, 0, 459662, 17, 18, "14"},
		{"DIS", Category, 0, 28186, 1, 2, "1"},
		{"ESP", Category, 0, 77710, 8, 9, "4"},
		{"CIT", Category, 0, 284261, 4, 5, "5"},
		{"MIG", Category, 0, 58076, 3, 4, "2"},
		{"MIL", Category, 0, 64467, 4, 5, "1"},
		{"ANC", Category, 0, 176380, 3, 4, "3"},
		{"NATIVITY", Category, 0, 30512, 1, 2, "2"},
		{"DEAR", Category, 0, 8004, 1, 2, "1"},
		{"DEYE", Category, 0, 4583, 1, 2, "1"},
		{"DREM", Category, 0, 30248, 2, 3, "0"},
		{"SEX", Category, 0, 108328, 1, 2, "2"},
		{"RAC1P", Category, 0, 98573, 8, 9, "4"},
		{"year", Number, 0, 421336169.0, 2018, 0, ""},
		{"prediction", Number, 0, 111822.0, 1, 0, ""},
		{"predicted_probability", Number, 0, 102865.25492533378, 0.9711785860546982, 0, ""},
	}},
}

func TestRealData(t *testing.T) {
	t.Parallel()
	for _, data := range realData {
		t.Run(filepath.Base(data.file), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dataDir, data.file)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("needs %s: %v", path, err)
			}
			tab, err := Open(t.Context(), []string{path}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer tab.Close()
			if tab.Rows() != data.rows || len(tab.Columns()) != len(data.columns) || len(tab.Warnings()) != 0 {
				t.Fatalf("%d rows, %d columns, warnings %q", tab.Rows(), len(tab.Columns()), tab.Warnings())
			}
			names := make([]string, len(data.columns))
			for i, c := range data.columns {
				names[i] = c.name
				if got := tab.Columns()[i]; got.Name != c.name || got.Kind != c.kind {
					t.Errorf("column %d is %+v, want %s %s", i, got, c.name, c.kind)
				}
			}
			facts := gather(t, tab, names)
			for i, want := range data.columns {
				got := facts[i]
				if math.Abs(got.sum-want.sum) > 1e-9*math.Abs(want.sum) {
					t.Errorf("%s: sum %v, want %v", want.name, got.sum, want.sum)
				}
				got.sum = want.sum
				if got != want {
					t.Errorf("%s: got %+v, want %+v", want.name, got, want)
				}
			}
		})
	}
}

// gather scans all columns at once.
func gather(t *testing.T, tab *Table, names []string) []columnFacts {
	t.Helper()
	facts := make([]columnFacts, len(names))
	for i := range facts {
		facts[i].max = math.Inf(-1)
	}
	rows := int64(0)
	err := tab.Scan(t.Context(), names, func(b *Block) error {
		if b.Row != rows || b.N < 1 || b.N > MaxBlockRows {
			t.Errorf("block of %d rows at %d, want it at %d", b.N, b.Row, rows)
		}
		rows += int64(b.N)
		for i := range facts {
			f, v := &facts[i], &b.Cols[i]
			for j := range b.N {
				if v.Null != nil && v.Null[j] {
					f.missing++
					continue
				}
				var x float64
				switch v.Kind {
				case Number:
					x = v.Float[j]
				case Category:
					x = float64(v.Code[j])
				case Time:
					f.max = max(f.max, float64(v.Time[j]))
				}
				f.sum += x
				f.max = max(f.max, x)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows != tab.Rows() {
		t.Errorf("scanned %d of %d rows", rows, tab.Rows())
	}
	for i, name := range names {
		c, err := tab.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		facts[i].name, facts[i].kind = name, c.Kind
		if values := tab.Dictionary(name); len(values) > 0 {
			facts[i].values, facts[i].last = len(values), values[len(values)-1]
		}
	}
	return facts
}
