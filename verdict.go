package tallystick

// Verdict is the judgement of one statistical check.
type Verdict string

// The five verdicts, from best to worst. Inconclusive means that the interval crosses the
// threshold; Insufficient means that there was too little data to judge at all. Neither is a pass.
const (
	Pass         Verdict = "pass"
	Warn         Verdict = "warn"
	Inconclusive Verdict = "inconclusive"
	Insufficient Verdict = "insufficient"
	Fail         Verdict = "fail"
)

var verdictRank = map[Verdict]int{Pass: 1, Warn: 2, Inconclusive: 3, Insufficient: 4, Fail: 5}

// Validate returns an Invalid error unless v is one of the five.
func (v Verdict) Validate() error {
	if verdictRank[v] == 0 {
		return Errorf(Invalid, "verdict %q is not pass, warn, inconclusive, insufficient or fail", string(v))
	}
	return nil
}

// Worse returns the worse of v and w in the order above, which is that of decisions: a warning lets
// pass, and what is not settled does not. A value that is no verdict, the empty one included, counts
// as better than Pass, so that a fold can start from the zero value.
func (v Verdict) Worse(w Verdict) Verdict {
	if verdictRank[w] > verdictRank[v] {
		return w
	}
	return v
}

// Outcome is how an action ended, as an event of the trail states it.
type Outcome string

// The three outcomes.
const (
	Success Outcome = "success"
	Denied  Outcome = "denied"
	Failed  Outcome = "failed"
)

// Tier is the risk tier of a model. It decides which evidence a release needs.
type Tier string

// The three tiers.
const (
	TierLow     Tier = "low"
	TierLimited Tier = "limited"
	TierHigh    Tier = "high"
)

// ParseTier returns s as a Tier, or an Invalid error that names the three.
func ParseTier(s string) (Tier, error) {
	switch t := Tier(s); t {
	case TierLow, TierLimited, TierHigh:
		return t, nil
	}
	return "", Errorf(Invalid, "tier %q is not low, limited or high", s)
}

// Below reports whether t asks for less evidence than u.
func (t Tier) Below(u Tier) bool {
	rank := map[Tier]int{TierLow: 1, TierLimited: 2, TierHigh: 3}
	return rank[t] < rank[u]
}
