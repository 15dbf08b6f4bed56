package fairness

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

func newGroup(attribute, value string, t Tally, favourablePositive bool) Group {
	g := Group{
		Attribute: attribute, Value: value, N: t.N(), Predicted: t.rows(),
		TP: t.TP, FP: t.FP, TN: t.TN, FN: t.FN,
		ROCAUC: stat.Number(math.NaN()), ROCAUCCI: stat.Interval{Low: math.NaN(), High: math.NaN()},
	}
	g.BaseRate, g.BaseRateCI = rate(t.BaseRate())
	g.SelectionRate, g.SelectionRateCI = rate(t.selection())
	g.FavourableRate, g.FavourableRateCI = rate(t.predicted(favourablePositive))
	g.Accuracy, g.AccuracyCI = rate(t.Accuracy())
	g.TPR, g.TPRCI = rate(t.TPR())
	g.FPR, g.FPRCI = rate(t.FPR())
	g.FNR, g.FNRCI = rate(t.FNR())
	g.TNR, g.TNRCI = rate(t.TNR())
	g.PPV, g.PPVCI = rate(t.PPV())
	g.NPV, g.NPVCI = rate(t.NPV())
	g.FOR, g.FORCI = rate(t.FOR())
	return g
}

func rate(p stat.Proportion) (stat.Number, stat.Interval) {
	return stat.Number(p.Rate()), p.Wilson(stat.Confidence)
}
