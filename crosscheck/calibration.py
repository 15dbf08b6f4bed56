"""Calibration, against NumPy and statsmodels."""

import numpy as np
import statsmodels.api as sm
from scipy import special

import formulas as f
from fairness import labels_of
from ledger import DERIVED, DRAWN, EXACT, led
from performance import binary_rows


def calibration(case, report):
    got = report.get("calibration")
    if not got:
        return
    led.section(case.name, "calibration")
    y, _, score, use = binary_rows(case, case.data)
    has = np.isfinite(score)
    y, score = y[has], score[has]
    if got.get("skipped"):
        return led.same("skipped", score.min() < 0 or score.max() > 1, True)
    rng = np.random.default_rng(1)

    def error(what, e, y, score, edges, of):
        cells = f.reliability(score, y, edges)
        weights = np.array([n for n, *_ in cells]) / len(y)
        gaps = np.array([m - k / n for n, m, k in cells])
        drawn = rng.normal(0, 1, (40_000, len(gaps))) * f.bin_errors(score, y, edges)
        noise = np.quantile([of(abs(d), weights) for d in drawn], 0.95)
        value = of(abs(gaps), weights)
        led.near(what, e["value"], value)
        for g, w in zip(e["ci"], (max(0, value - noise), min(1, value + noise))):
            led.near(f"{what} interval", (g - value) / noise, (w - value) / noise, DRAWN)

    average, largest, width = lambda g, w: g @ w, lambda g, w: g.max(), np.arange(1, 10) / 10
    error("ece", got["ece"], y, score, width, average)
    error("mce", got["mce"], y, score, width, largest)
    error("ece of equal mass", got["ece_equal_mass"], y, score, np.unique(np.quantile(score, width)), average)
    led.estimate("in the large", got["in_the_large"], *f.mean(score - y))
    for row, (n, m, k) in zip(got["table"], f.reliability(score, y, width), strict=True):
        led.near("bin n", row["n"], n, EXACT)
        led.near("bin score", row["mean_score"], m)
        led.estimate("bin rate", row["observed"], k / n, f.wilson(k, n))
    fit = sm.Logit(y.astype(float), sm.add_constant(special.logit(np.clip(score, 1e-6, 1 - 1e-6)))).fit(disp=0, tol=1e-14, maxiter=100)
    for k, at in (("intercept", 0), ("slope", 1)):
        led.same(f"{k} is there", k in got, True)
        if k in got:
            for g, w in zip((got[k]["value"], *got[k]["ci"]), (fit.params[at], *f.around(fit.params[at], fit.bse[at]))):
                led.near(k, g, w, DERIVED)
    for g in got.get("groups", []):
        mask = (labels_of(case, g["attribute"])[use] == g["value"])[has]
        error(f"ece of {g['value']}", g["ece"], y[mask], score[mask], width, average)
