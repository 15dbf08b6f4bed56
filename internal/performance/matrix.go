package performance

import "github.com/tallystick/tallystick/internal/stat"

// OfMatrix measures predictions of more than two classes: counts[i][j] rows have the label
// classes[i] and the prediction classes[j].
func OfMatrix(classes []string, counts stat.Matrix) *Performance {
	macro := counts.Macro()
	p := &Performance{
		Task: Multiclass, N: counts.N(), Matrix: &Matrix{Classes: classes, Counts: counts},
		Accuracy: rate(counts.Accuracy()), Kappa: given(counts.Kappa()),
		Precision: given(macro.Precision), Recall: given(macro.Recall), F1: given(macro.F1),
	}
	for k, class := range classes {
		c := counts.Class(k)
		p.Matrix.ByClass = append(p.Matrix.ByClass, Class{
			Class: class, N: c.TP + c.FN,
			Precision: c.PPV().Estimate(), Recall: c.TPR().Estimate(), F1: c.F1(),
		})
	}
	p.absent("precision, recall and F1 of many classes are the unweighted mean over the classes (macro)", "micro_average")
	p.absent("one score column cannot rank several classes", "roc_auc", "average_precision")
	return p
}
