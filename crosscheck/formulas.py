"""Intervals and distances, written down a second time from their published formulas.

What scikit-learn, Fairlearn, SciPy or statsmodels has is taken from there; nothing here was
translated from the Go code. Each interval is at 95 %.
"""

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

Z = stats.norm.ppf(0.975)
NONE = (np.nan, np.nan)


def wilson(k, n, alpha=0.05):
    return proportion_confint(k, n, alpha, method="wilson") if n else NONE


def newcombe(k1, n1, k2, n2, alpha=0.05):
    if not n1 or not n2:
        return NONE
    return confint_proportions_2indep(k1, n1, k2, n2, compare="diff", method="newcomb", alpha=alpha)


def newcombe_p(k1, n1, k2, n2, margin):
    """One-sided p-value of "p1-p2 is at most margin": where the interval's lower bound meets it."""
    if k1 / n1 - k2 / n2 <= margin:
        return 1.0  # never significant; the other side is asked for it
    z = optimize.brentq(
        lambda z: newcombe(k1, n1, k2, n2, 2 * stats.norm.sf(z))[0] - margin, 1e-9, 37, xtol=1e-14, rtol=1e-14
    )
    return stats.norm.sf(z)


def katz(k1, n1, k2, n2):
    """Log interval of a ratio of rates; half counts where a rate is 0 or 1."""
    if not n1 or not n2:
        return NONE
    if min(k1, k2, n1 - k1, n2 - k2) == 0:
        k1, n1, k2, n2 = k1 + 0.5, n1 + 1, k2 + 0.5, n2 + 1
    return confint_proportions_2indep(k1, n1, k2, n2, compare="ratio", method="log")


def katz_p(k1, n1, k2, n2, limit):
    """One-sided p-value of "the ratio lies within [limit, 1/limit]"."""
    low, high = np.log(katz(k1, n1, k2, n2))
    return stats.norm.sf((abs(low + high) / 2 + np.log(limit)) / ((high - low) / (2 * Z)))


def around(value, se, low=-np.inf, high=np.inf):
    return max(low, value - Z * se), min(high, value + Z * se)


def mean(x, low=-np.inf, high=np.inf):
    x = np.asarray(x, float)
    return x.mean(), around(x.mean(), stats.sem(x), low, high)


def delong(score, y):
    """DeLong, DeLong and Clarke-Pearson 1988, from the placement of each score in the other class."""
    p, n = np.sort(score[y]), np.sort(score[~y])
    if not len(p) or not len(n):
        return np.nan, NONE
    place = lambda x, others: (np.searchsorted(others, x, "left") + np.searchsorted(others, x, "right")) / 2 / len(others)
    v10, v01 = place(p, n), 1 - place(n, p)
    area = v10.mean()
    if area in (0, 1):  # no variance left: Wilson for as many pairs as are disjoint
        pairs = min(len(p), len(n))
        return area, wilson(area * pairs, pairs)
    return area, around(area, np.sqrt(v10.var(ddof=1) / len(p) + v01.var(ddof=1) / len(n)), 0, 1)


def logit_interval(value, n):
    """Boyd, Eng and Page 2013."""
    if not 0 < value < 1:
        return NONE
    tau = 1 / np.sqrt(n * value * (1 - value))
    return tuple(1 / (1 + np.exp(-(np.log(value / (1 - value)) + s * Z * tau))) for s in (-1, 1))


def influence_error(metric, counts):
    """Standard error of a function of cell shares, by its numerical derivative towards each cell."""
    counts = np.asarray(counts, float)
    n, shares, h = counts.sum(), counts / counts.sum(), 1e-6
    total = 0.0
    for at in zip(*np.nonzero(counts)):
        cell = np.zeros_like(shares)
        cell[at] = 1
        slope = (metric(shares + h * (cell - shares)) - metric(shares - h * (cell - shares))) / (2 * h)
        total += shares[at] * slope**2
    return np.sqrt(total / n)


def jaccard_f1(tp, fp, fn):
    low, high = wilson(tp, tp + fp + fn)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def mover_mean(k1, n1, k2, n2):
    """Mean of two independent rates: Zou and Donner 2008 over Wilson."""
    a, b, (al, ah), (bl, bh) = k1 / n1, k2 / n2, wilson(k1, n1), wilson(k2, n2)
    m = (a + b) / 2
    return m - np.hypot(a - al, b - bl) / 2, m + np.hypot(ah - a, bh - b) / 2


def psi(reference, current):
    """Population stability index; where one side is empty its cell gets half a count."""
    r, c = np.asarray(reference, float), np.asarray(current, float)
    used = (r > 0) | (c > 0)
    r, c = np.where(r[used] == 0, 0.5, r[used]), np.where(c[used] == 0, 0.5, c[used])
    p, q = r / r.sum(), c / c.sum()
    return float(((q - p) * np.log(q / p)).sum())


def reliability(score, y, edges):
    """Size, mean score and observed count of each bin (low, high] that holds anything."""
    cell = np.searchsorted(edges, score, "left")
    return [(np.sum(cell == i), score[cell == i].mean(), y[cell == i].sum()) for i in np.unique(cell)]


def bin_errors(score, y, edges):
    """Standard error of the gap of each bin; one whose labels are alike gets one more of each."""
    cell, errors = np.searchsorted(edges, score, "left"), []
    for i in np.unique(cell):
        gap, k, n = (score - y)[cell == i], y[cell == i].sum(), np.sum(cell == i)
        rate = (k + 1) / (n + 2)
        errors.append(np.sqrt(rate * (1 - rate) / n) if k in (0, n) else gap.std(ddof=1) / np.sqrt(n))
    return np.array(errors)
