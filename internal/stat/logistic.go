package stat

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// gram returns the sums of products of the columns of x, upper triangle.
func gram(x blas64.General) blas64.Symmetric {
	g := blas64.Symmetric{N: x.Cols, Stride: x.Cols, Data: make([]float64, x.Cols*x.Cols), Uplo: blas.Upper}
	blas64.Syrk(blas.Trans, 1, x, 0, g)
	return g
}

const (
	logisticSteps     = 200
	logisticTolerance = 1e-6 // of a step, in units of the weights
)

// fitLogistic returns the weights of a logistic regression of positive on the rows of x that use
// holds, with the penalty ridge/2 times the squared weights. gram is that of these rows.
//
// Every step uses the same bound of the curvature, a quarter of gram, so it is factored once and no
// step goes down (Boehning and Lindsay, Annals of the Institute of Statistical Mathematics 40
// (1988) 641-663). That is quickest where labels are hard to tell apart; where they are easy it
// ends early, with weights whose order is long settled.
func fitLogistic(x blas64.General, positive []bool, use func(row int) bool, gram blas64.Symmetric, ridge float64) ([]float64, error) {
	p := x.Cols
	bound := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			v := gram.Data[i*gram.Stride+j] / 4
			if i == j {
				v += ridge
			}
			bound.SetSym(i, j, v)
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(bound) {
		return nil, errors.New("fit logistic regression: its terms depend on each other")
	}
	weights, gradient := make([]float64, p), make([]float64, p)
	step := mat.NewVecDense(p, nil)
	for range logisticSteps {
		for j, w := range weights {
			gradient[j] = -ridge * w
		}
		for row := range x.Rows {
			if !use(row) {
				continue
			}
			values := x.Data[row*x.Stride : row*x.Stride+p]
			residual := -1 / (1 + math.Exp(-dot(values, weights)))
			if positive[row] {
				residual++
			}
			for j, v := range values {
				gradient[j] += residual * v
			}
		}
		if err := factor.SolveVecTo(step, mat.NewVecDense(p, gradient)); err != nil && !errors.As(err, new(mat.Condition)) {
			return nil, errors.New("fit logistic regression: its terms depend on each other")
		}
		largest := 0.0
		for j := range weights {
			weights[j] += step.AtVec(j)
			largest = max(largest, math.Abs(step.AtVec(j)))
		}
		if largest < logisticTolerance {
			break
		}
	}
	return weights, nil
}
