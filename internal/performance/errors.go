package performance

import (
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Errors gathers the errors of predicted numbers, predicted minus actual, as sums: memory does not
// grow with the rows, and nothing is lost but the last digits.
type Errors struct {
	bias, absolute, squared, percentage stat.Moments
	label                               stat.Moments // actual minus centre

	// Sums of powers for the interval of R², u being actual minus centre and e the error.
	centre            float64
	u3, u4, ue2, u2e2 float64
	beyond            int64 // rows whose squared error is no number
}

// NewErrors returns an empty Errors. centre is a number near the mean of the actual ones: the
// nearer, the more digits the interval of R² keeps.
func NewErrors(centre float64) *Errors { return &Errors{centre: centre} }

// Add takes in one row of finite numbers.
func (s *Errors) Add(predicted, actual float64) {
	e, u := predicted-actual, actual-s.centre
	e2, u2 := e*e, u*u
	if e2-e2 != 0 || u2*u2-u2*u2 != 0 {
		s.beyond++
		return
	}
	s.bias.Add(e)
	s.absolute.Add(math.Abs(e))
	s.squared.Add(e2)
	s.label.Add(u)
	if actual != 0 {
		s.percentage.Add(math.Abs(e / actual))
	}
	s.u3 += u2 * u
	s.u4 += u2 * u2
	s.ue2 += u * e2
	s.u2e2 += u2 * e2
}

// N returns the number of rows.
func (s *Errors) N() int64 { return s.bias.N }

// Performance returns what the rows show. It returns an Invalid error if an error was too large
// for its square to be a number.
func (s *Errors) Performance() (*Performance, error) {
	if s.beyond > 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "the errors of %d rows are too large to be squared", s.beyond).
			WithHint("check the columns named by --label and --prediction")
	}
	zero, infinite := 0.0, math.Inf(1)
	mse := within(s.squared.Estimate(), zero, infinite)
	rmse := mse
	rmse.Value, rmse.Method = math.Sqrt(mse.Value), "normal of the mean square"
	rmse.Interval = stat.Interval{Low: math.Sqrt(mse.Interval.Low), High: math.Sqrt(mse.Interval.High)}
	p := &Performance{
		Task: Regression, N: s.N(),
		MAE: given(within(s.absolute.Estimate(), zero, infinite)), RMSE: given(rmse), Bias: given(s.bias.Estimate()),
		R2: given(s.r2()), MAPE: given(within(s.percentage.Estimate(), zero, infinite)),
	}
	if p.R2 == nil {
		p.absent("every label has the same value", "r2")
	}
	return p, nil
}

// r2 has the delta-method interval: the influence of a row on 1 - mse/variance is
// (mse d²/variance - e²)/variance, d being its deviation from the mean label. The variance of that
// over the rows follows from sums of powers about the centre, moved to the mean.
func (s *Errors) r2() stat.Estimate {
	n, variance, mse := float64(s.N()), s.label.Variance(), s.squared.Mean
	if !(variance > 0) {
		return stat.Estimate{Value: math.NaN(), Interval: stat.Interval{Low: math.NaN(), High: math.NaN()}}
	}
	shift := s.label.Mean
	u2 := variance + shift*shift
	d4 := s.u4/n - 4*shift*s.u3/n + 6*shift*shift*u2 - 3*shift*shift*shift*shift
	d2e2 := s.u2e2/n - 2*shift*s.ue2/n + shift*shift*mse
	ratio := mse / variance
	spread := ratio*ratio*(d4-variance*variance) + s.squared.Variance() - 2*ratio*(d2e2-variance*mse)
	half := math.Sqrt2 * math.Erfinv(stat.Confidence) * math.Sqrt(max(0, spread)/n) / variance
	value := 1 - ratio
	return stat.Estimate{
		Value: value, Interval: stat.Interval{Low: value - half, High: min(1, value+half)}, N: s.N(), Method: "delta",
	}
}

// within cuts the interval to the range of the metric.
func within(e stat.Estimate, low, high float64) stat.Estimate {
	e.Interval = stat.Interval{Low: max(low, e.Interval.Low), High: min(high, e.Interval.High)}
	return e
}
