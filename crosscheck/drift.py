"""Drift against the reference, against SciPy and statsmodels."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.multitest import multipletests

import formulas as f
from ledger import DERIVED, EXACT, KS_TAIL, P_VALUE, finite, led, text


def drift(case, frame, got):
    ps = []
    for d in got["features"]:
        name = d["name"]
        now, old = frame[name], case.reference[name]
        at = lambda what: f"{name} {what}"
        if d["kind"] == "number":
            x, before = finite(now), finite(old)
            edges = np.unique(np.quantile(before, np.arange(1, 10) / 10))
            count = lambda v, n: [*np.bincount(np.searchsorted(edges, v, "left"), minlength=len(edges) + 1), n - len(v)]
            a, b = count(before, len(old)), count(x, len(now))
            p = np.nan
            if len(x):
                p = stats.ks_2samp(before, x, method="asymp").pvalue
                led.near(at("ks"), d["ks"], stats.ks_2samp(before, x, method="asymp").statistic)
                led.near(at("wasserstein"), d["wasserstein"], stats.wasserstein_distance(before, x))
                if before.std():
                    led.near(at("wasserstein/sd"), d["wasserstein_sd"], stats.wasserstein_distance(before, x) / before.std())
            p = missing_too(p, a, b)
        else:
            both = pd.concat([old, now]).map(text, na_action="ignore")
            old_, now_ = both.iloc[: len(old)], both.iloc[len(old) :]
            known = list(old_.dropna().unique())
            other = (now_.notna() & ~now_.isin(known)).sum()
            a = [*(old_.value_counts().reindex(known, fill_value=0)), 0, old_.isna().sum()]
            b = [*(now_.value_counts().reindex(known, fill_value=0)), other, now_.isna().sum()]
            used = (np.array(a) + b) > 0
            p = np.nan if used.sum() != 1 or not len(now) else 1
            if len(now) and used.sum() > 1:
                chi = stats.chi2_contingency(np.array([a, b])[:, used], correction=False)
                led.near(at("chi2"), d["chi2"], chi.statistic)
                p = chi.pvalue
            led.near(at("unseen"), d["unseen_share"], other / len(now) if len(now) else np.nan)
        led.near(at("n"), d["n"], len(now), EXACT)
        led.near(at("p"), d["p"], p, KS_TAIL if d["kind"] == "number" else P_VALUE)
        ps.append(p)
        if len(now):
            shares = np.array(a) / sum(a), np.array(b) / sum(b)
            led.near(at("psi"), d["psi"], f.psi(a, b))
            led.near(at("tvd"), d["tvd"], abs(shares[0] - shares[1]).sum() / 2)
            led.near(at("js squared"), (d["js"] or 0) ** 2, jensenshannon(*shares, base=2) ** 2)
            for share, k in ((shares[0], "reference"), (shares[1], "current")):
                used = (shares[0] > 0) | (shares[1] > 0)
                for w, bin_ in zip(share[used], d["bins"], strict=True):
                    led.near(at(f"bin {k}"), bin_[k], w)
    ps = np.array(ps)
    tested = ~np.isnan(ps)
    if tested.any():
        adjusted = np.full(len(ps), np.nan)
        adjusted[tested] = multipletests(ps[tested], method="fdr_bh")[1]
        for d, p in zip(got["features"], adjusted):
            led.near(f"{d['name']} adjusted p", d["p_adjusted"], p, KS_TAIL)
            n, m, bins = d["n_reference"], d["n"], len(d["bins"])
            if m and bins > 1:
                led.near(f"{d['name']} critical psi", d["psi_critical"], stats.chi2.isf(0.05 / tested.sum(), bins - 1) * (1 / n + 1 / m), DERIVED)


def missing_too(p, a, b):
    """KS sees present values only: where some are missing, the smaller of its p and that of the missing share, doubled."""
    table = np.array([[sum(a) - a[-1], a[-1]], [sum(b) - b[-1], b[-1]]])
    if not table.sum(0).all() or not table.sum(1).all():
        return p
    share = stats.chi2_contingency(table, correction=False).pvalue
    return share if np.isnan(p) else min(1, 2 * min(p, share))
