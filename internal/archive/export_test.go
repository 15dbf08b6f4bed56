package archive

// Reached has fn called after each stage of a change: "put" and "registered".
func (a *Archive) Reached(fn func(stage string)) { a.reached = fn }
