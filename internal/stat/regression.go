package stat

import (
	"math"

	"github.com/tallystick/tallystick"
)

// Regression holds the errors of predicted numbers. An error is predicted minus actual.
type Regression struct {
	N    int64
	Bias Estimate // mean error; normal interval
	MAE  Estimate // mean absolute error; normal interval
	RMSE Estimate // root mean squared error; normal interval of the mean square, rooted
	// R2 is 1 - (squared error)/(squared deviation of actual), with the delta-method interval; NaN
	// where actual is constant.
	R2 Estimate
	// MAPE is the mean of |error/actual| as a fraction, over rows whose actual is not 0; its N
	// says how many there are.
	MAPE Estimate
}

// NewRegression returns the errors of predictions. It returns an Invalid error if the lengths
// differ or a number is NaN or infinite.
func NewRegression(predicted, actual []float64) (Regression, error) {
	if len(predicted) != len(actual) {
		return Regression{}, tallystick.Errorf(tallystick.Invalid,
			"%d predictions have %d labels", len(predicted), len(actual))
	}
	var bias, absolute, squared, percentage, label Moments
	for i, y := range actual {
		e := predicted[i] - y
		if !isFinite(e) {
			return Regression{}, tallystick.Errorf(tallystick.Invalid, "row %d: prediction %v of %v has no error", i, predicted[i], y).
				WithHint("leave out rows without a prediction or a label")
		}
		bias.Add(e)
		absolute.Add(math.Abs(e))
		squared.Add(e * e)
		label.Add(y)
		if y != 0 {
			percentage.Add(math.Abs(e / y))
		}
	}
	mse := meanEstimate(squared, "normal").clip(0, math.Inf(1))
	rmse := Estimate{math.Sqrt(mse.Value), Interval{math.Sqrt(mse.Interval.Low), math.Sqrt(mse.Interval.High)},
		mse.N, "normal of the mean square"}
	return Regression{
		N:    int64(len(actual)),
		Bias: meanEstimate(bias, "normal"),
		MAE:  meanEstimate(absolute, "normal").clip(0, math.Inf(1)),
		RMSE: rmse,
		R2:   r2(predicted, actual, squared.Mean, label),
		MAPE: meanEstimate(percentage, "normal").clip(0, math.Inf(1)),
	}, nil
}

// r2 needs a second pass: the influence of a row on 1 - mse/variance is
// (mse d^2/variance - e^2)/variance, d being its deviation from the mean label.
func r2(predicted, actual []float64, mse float64, label Moments) Estimate {
	variance := label.Variance()
	if !(variance > 0) {
		return noEstimate(label.N, "delta")
	}
	var influence Moments
	for i, y := range actual {
		e, d := predicted[i]-y, y-label.Mean
		influence.Add((mse*d*d/variance - e*e) / variance)
	}
	value := 1 - mse/variance
	interval := around(value, math.Sqrt(influence.Variance()/float64(label.N)))
	return Estimate{value, interval.clip(math.Inf(-1), 1), label.N, "delta"}
}

// QuantileErrors returns the quantiles of |predicted - actual| at qs, each with the interval
// between order statistics that the binomial distribution gives (Conover 1999, section 3.2, normal
// approximation). The slices must have equal lengths; rows whose error is not finite are left out.
func QuantileErrors(predicted, actual []float64, qs ...float64) []Estimate {
	n := min(len(predicted), len(actual))
	errors := make([]float64, n)
	for i := range errors {
		errors[i] = math.Abs(predicted[i] - actual[i])
	}
	sorted := sortedFinite(errors)
	estimates := make([]Estimate, len(qs))
	for i, q := range qs {
		estimates[i] = quantileEstimate(sorted, q)
	}
	return estimates
}

func quantileEstimate(sorted []float64, q float64) Estimate {
	const method = "order statistics"
	n := float64(len(sorted))
	value := Quantile(sorted, q)
	if math.IsNaN(value) {
		return noEstimate(int64(len(sorted)), method)
	}
	ranks := around(n*q, math.Sqrt(n*q*(1-q)))
	at := func(rank float64) float64 { return sorted[int(max(0, min(n-1, rank)))] }
	interval := Interval{at(math.Ceil(ranks.Low) - 1), at(math.Ceil(ranks.High) - 1)}
	return Estimate{value, Interval{min(interval.Low, value), max(interval.High, value)}, int64(n), method}
}
