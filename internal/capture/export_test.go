package capture

// Reached has fn called after each stage of a cut: "put" and "registered".
func (c *Config) Reached(fn func(stage string)) { c.reached = fn }
