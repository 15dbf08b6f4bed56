package window

import (
	"math"
	"math/big"
)

// spread returns the population standard deviation of n whole numbers, exactly but for the last
// roundings: sqrt(n squares - sum^2) / n.
func spread(n int64, sum, squares Int128) float64 {
	s := sum.big()
	rest := new(big.Int).Mul(big.NewInt(n), squares.big())
	rest.Sub(rest, s.Mul(s, s))
	if rest.Sign() <= 0 {
		return 0
	}
	root, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(128).SetInt(rest)).Float64()
	return root / math.Max(1, float64(n))
}
