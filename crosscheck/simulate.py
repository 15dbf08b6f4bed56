"""How often does an audit alarm where nothing has changed, and how often does it find what has?

    simulate.py TALLYSTICK [FILES]    # FILES unchanging data sets, 200 if not said

Each data set has 10,000 rows in windows of 1,000, 20 features, a calibrated score, labels and two
protected attributes, against a reference of 10,000 rows drawn alike. Prints shares with Wilson's
95 % interval; exits with 1 where one misses its aim.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from formulas import wilson

TOOL = Path(sys.argv[1]).resolve()
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 200
missed = []


def draw(rng, n, separation=1.8125, shift=0.0):
    """separation 1.8125 standard deviations is a ROC AUC of 0.90, and 1.19 is 0.80."""
    y = rng.random(n) < 0.4
    logit = separation * (rng.normal(0, 1, n) + separation * (y - 0.5)) + np.log(0.4 / 0.6)
    p = special.expit(logit)
    d = {f"normal{i}": rng.normal(0, 1, n) for i in range(8)}
    d |= {f"skewed{i}": rng.lognormal(0, 1.5, n) for i in range(4)}
    d |= {f"count{i}": rng.poisson(2 + i, n) for i in range(4)}
    d |= {f"kind{i}": rng.choice(list("abcdefghijkl")[: 3 * (i + 1)], n, p=(w := 0.6 ** np.arange(3 * (i + 1))) / w.sum()) for i in range(4)}
    d["normal0"] += shift
    d |= {"sex": rng.choice(["f", "m"], n), "region": rng.choice(list("nesw") + ["far"], n, p=[0.3, 0.3, 0.2, 0.15, 0.05])}
    return pd.DataFrame(d | {"score": p, "prediction": (p >= 0.5).astype(int), "y": y.astype(int)})


def audit(scratch, data, reference=None, *flags):
    data.to_parquet(scratch / "data.parquet")
    if reference is not None:
        reference.to_parquet(scratch / "reference.parquet")
        flags += ("--reference", scratch / "reference.parquet")
    command = [TOOL, "audit", scratch / "data.parquet", "--label", "y", "--positive-label", 1, "--prediction", "prediction", "--positive", 1,
               "--score", "score", "--out", scratch / "out", "--format", "json", *flags]
    environment = os.environ | {"XDG_STATE_HOME": str(scratch / "state"), "XDG_DATA_HOME": str(scratch / "data")}
    done = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return json.loads((scratch / "out" / "report.json").read_text())


def line(what, k, n, aim, ok):
    low, high = wilson(k, n)
    print(f"{what:58} {k:6} of {n:6} = {100 * k / n:6.2f} %  [{100 * low:5.1f}, {100 * high:5.1f}]  {aim}", flush=True)
    if not ok(k / n, low, high):
        missed.append(what)


def at_most(limit):
    return f"at most {100 * limit:g} %", lambda share, low, high: low <= limit


def at_least(limit):
    return f"at least {100 * limit:g} %", lambda share, low, high: high >= limit


def covers(share, low, high):
    return 0.93 <= high and low <= 0.97


def loud(verdict):
    return verdict in ("warn", "fail")


def false_alarms(scratch):
    hits, of = Counter(), Counter()

    def count(what, hit):
        hits[what] += bool(hit)
        of[what] += 1

    for seed in range(FILES):
        rng = np.random.default_rng([1, seed])
        r = audit(scratch, draw(rng, 10_000), draw(rng, 10_000), "--chunk", 1000, "--group", "sex,region")
        for w in r["windows"]:
            count("windows that alarm", loud(w["verdict"]))
            count("windows that alarm by drift", loud(w["drift"]["verdict"]))
            count("windows that alarm by performance", loud(w["performance_verdict"]))
            count("windows that fail", w["verdict"] == "fail")
            count("windows that are not settled", w["verdict"] in ("inconclusive", "insufficient"))
            for d in w["drift"]["features"]:
                count("columns that alarm in a window", loud(d["verdict"]))
        count("files in which a window alarms", any(loud(w["verdict"]) for w in r["windows"]))
        count("files that drift as a whole", loud(r["drift"]["verdict"]))
        count("files whose baseline alarms", any(loud(c["verdict"]) for c in r["baseline"]["metrics"]))
        count("files with a slice", r.get("slices"))
        count("files with a leak", any(loud(leak["verdict"]) for leak in r.get("leakage", [])))
        count("files whose quality fails", r["quality"]["verdict"] == "fail")
        count("files whose quality warns", r["quality"]["verdict"] == "warn")
        for a in ("sex", "region", "sex & region"):
            rows = [c["verdict"] for c in r["fairness"]["comparisons"] if c["attribute"] == a]
            count(f"fairness of {a} fails", "fail" in rows)
            count(f"fairness of {a} warns", "warn" in rows)
    aims = {"windows that alarm": 0.07, "files that drift as a whole": 0.05, "files with a slice": 0.05, "files with a leak": 0.05,
            "files whose quality fails": 0.01, "files whose quality warns": 0.05, "files whose baseline alarms": 0.3}
    for what in of:
        limit = aims.get(what, 0.05 if what.startswith("fairness") else 1)
        line(what, hits[what], of[what], *at_most(limit))


def power(scratch):
    rng = np.random.default_rng(2)
    n = 60
    reference = draw(rng, 20_000)
    calm, moved = draw(rng, n * 1000), draw(rng, n * 1000, shift=0.25)
    r = audit(scratch, pd.concat([calm, moved]), reference, "--chunk", 1000)
    found = [{d["name"]: d["verdict"] for d in w["drift"]["features"]} for w in r["windows"]]
    line("shift of 0.25 sd in 1,000 rows found", sum(loud(f["normal0"]) for f in found[n:]), n, *at_least(0.99))
    line("the same called by mistake", sum(loud(f["normal0"]) for f in found[:n]), n, *at_most(0.01))
    data = pd.concat([draw(rng, n * 2000), draw(rng, n * 2000, separation=1.19)])
    r = audit(scratch, data, reference, "--chunk", 2000)
    verdicts = [w["performance_verdict"] for w in r["windows"]]
    line("ROC AUC of 0.80 for 0.90 in 2,000 rows found", sum(map(loud, verdicts[n:])), n, *at_least(0.99))
    line("the same fails", sum(v == "fail" for v in verdicts[n:]), n, *at_least(0.8))
    line("windows without it that alarm", sum(map(loud, verdicts[:n])), n, *at_most(0.07))
    gone = draw(rng, n * 1000)
    gone.loc[rng.random(len(gone)) < 0.3, "normal0"] = np.nan
    r = audit(scratch, gone, reference, "--chunk", 1000)
    found = [{d["name"]: d["verdict"] for d in w["drift"]["features"]}["normal0"] for w in r["windows"]]
    line("30 % of a column missing in 1,000 rows found", sum(map(loud, found)), n, *at_least(0.99))


def coverage(scratch):
    """Windows and groups of one large file are as many samples of their own."""
    rng = np.random.default_rng(3)
    for rows, separation, rate in ((1000, 1.8125, 0.4), (1000, 1.19, 0.05), (200, 1.8125, 0.4)):
        n = 1000
        y = rng.random(n * rows) < rate
        logit = separation * (rng.normal(0, 1, n * rows) + separation * (y - 0.5)) + np.log(rate / (1 - rate))
        p = special.expit(logit)
        data = pd.DataFrame({"score": p, "y": y.astype(int)})
        cut = 0.5 if rate == 0.4 else 0.1
        data["prediction"] = (p >= cut).astype(int)
        truth = truths(separation, rate, cut)
        r = audit(scratch, data, None, "--chunk", rows)
        for metric, value in truth.items():
            intervals = [w["performance"][metric]["ci"] for w in r["windows"] if metric in w["performance"]]
            inside = sum(low <= value <= high for low, high in intervals if low is not None)
            line(f"{metric} of {rows} rows, {100 * rate:g} % positive, covered", inside, len(intervals), "95 % +- 2", covers)
    rows, inside, exact = 2000, Counter(), 0
    for tilt in (0.0, 0.5):
        n = 150
        p = rng.beta(2, 3, n * rows)
        data = pd.DataFrame({"score": p, "y": (rng.random(n * rows) < special.expit(special.logit(p) * (1 - tilt))).astype(int),
                             "prediction": (p > 0.5).astype(int), "group": np.repeat([f"g{i}" for i in range(n)], rows)})
        big = rng.beta(2, 3, 4_000_000)
        cell = np.minimum((big * 10).astype(int), 9)
        gap = np.bincount(cell, big - special.expit(special.logit(big) * (1 - tilt)), 10)
        r = audit(scratch, data, None, "--group", "group")
        intervals = [g["ece"]["ci"] for g in r["calibration"]["groups"]]
        inside = sum(low <= abs(gap).sum() / len(big) <= high for low, high in intervals)
        line(f"ece {abs(gap).sum() / len(big):.3f} of {rows} rows, covered", inside, len(intervals), "at least 93 %", lambda s, low, high: high >= 0.93)


def truths(separation, rate, cut):
    """The metrics of the population: the threshold of p is one of the normal score."""
    t = (special.logit(cut) - np.log(rate / (1 - rate))) / separation
    tpr, fpr = stats.norm.sf(t - separation / 2), stats.norm.sf(t + separation / 2)
    precision = rate * tpr / (rate * tpr + (1 - rate) * fpr)
    grid = np.linspace(-9, 9, 200_001)
    up, down = rate * stats.norm.sf(grid - separation / 2), (1 - rate) * stats.norm.sf(grid + separation / 2)
    weights = stats.norm.pdf(grid - separation / 2)
    return {
        "roc_auc": stats.norm.cdf(separation / np.sqrt(2)), "average_precision": np.sum(up / (up + down) * weights) / weights.sum(),
        "f1": 2 * precision * tpr / (precision + tpr), "accuracy": rate * tpr + (1 - rate) * (1 - fpr), "precision": precision,
        "recall": tpr, "balanced_accuracy": (tpr + 1 - fpr) / 2,
        "mcc": np.sqrt(rate * (1 - rate)) * (tpr - fpr) / np.sqrt((q := rate * tpr + (1 - rate) * fpr) * (1 - q)),
    }


with tempfile.TemporaryDirectory() as directory:
    for part in (coverage, power, false_alarms):
        part(Path(directory))
for what in missed:
    print("MISSES ITS AIM:", what)
raise SystemExit(1 if missed else 0)
