"""Profiles of columns, against pandas and NumPy."""

import numpy as np

import formulas as f
from ledger import EXACT, STATISTIC, finite, led


def quality(case, report):
    led.section(case.name, "quality")
    q = report["quality"]
    keys = [c for c in case.data if not (c == "id" and "--id" in case.flags) and not (c == case.label and "--labels" in case.flags)]
    marked = case.data[keys].astype(object)
    for column, rows in case.nan.items():
        marked.loc[rows, column] = "NaN"
    led.near("duplicate rows", q["duplicate_rows"], marked.duplicated().sum(), EXACT)
    for c in q["columns"]:
        name, data = c["name"], case.data[c["name"]]
        at = lambda what: f"{name} {what}"
        n, nan = len(data), len(case.nan.get(name, ()))
        missing = data.isna().sum() - nan
        led.near(at("rows"), c["n"], n, EXACT)
        led.near(at("missing"), c["missing"], missing, EXACT)
        led.near(at("nan"), c["nan"], nan, EXACT)
        led.near(at("share"), c["missing_share"], missing / n)
        for g, w in zip(c["missing_share_ci"], f.wilson(missing, n)):
            led.near(at("share interval"), g, w)
        led.near(at("distinct"), c["distinct"], data.nunique(), EXACT if c["distinct_exact"] else 0.04)
        old = None if case.reference is None or name not in case.reference else case.reference[name]
        if old is not None:
            led.near(at("missing before"), c["missing_share_reference"], old.isna().mean())
        if c["kind"] == "number" and len(x := finite(data)):
            led.near(at("infinite"), c["inf"], np.isinf(data).sum(), EXACT)
            wants = dict(zip(("p05", "median", "p95"), np.quantile(x, [0.05, 0.5, 0.95])))
            for k, w in wants.items():
                led.near(at(k), c[k], w, max(STATISTIC, c["percentile_error"]))
            for k, w in dict(min=x.min(), max=x.max(), mean=x.mean(), sd=x.std(ddof=1)).items():
                led.near(at(k), c[k], w)
            if c["out_of_range_share"] is not None:
                low, high, present = finite(old).min(), finite(old).max(), data.dropna()
                low, high = -np.inf if np.isneginf(old).any() else low, np.inf if np.isposinf(old).any() else high
                led.near(at("outside"), c["out_of_range_share"], ((present < low) | (present > high)).mean())
        if c["kind"] == "category":
            shares = data.value_counts(normalize=True)
            led.near(at("top share"), c["top_share"], shares.iloc[0])
            if c["unseen_share"] is not None:
                led.near(at("unseen"), c["unseen_share"], (~data.dropna().isin(old.dropna())).mean())
