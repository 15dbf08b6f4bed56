"""Audits real and made data with tallystick and computes every number of report.json again.

The second computation reads the data with pandas and takes scikit-learn, Fairlearn, SciPy and
statsmodels for what they have; formulas.py has the rest. Counts must be equal, statistics agree to
1e-9, p-values to 1e-6, relative; bounds that come from random draws to the noise of the draws.

    crosscheck.py TALLYSTICK    # path of the binary
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics as sk

import formulas as f
from calibration import calibration
from drift import drift
from fairness import fairness
from ledger import EXACT, finite, led, numeric
from made import Case, made, real
from performance import MEASURES
from quality import quality

warnings.filterwarnings("ignore")


def audit(tool, case: Case, scratch: Path):
    files, flags = list(case.files), list(case.flags)
    if not files:
        files = [scratch / "data.csv"]
        write(case, case.data, files[0])
        if case.reference is not None:
            write(Case("", case.reference), case.reference, scratch / "reference.csv")
            flags += ["--reference", scratch / "reference.csv"]
    for flag, value in {"--label": case.label, "--prediction": case.prediction, "--score": case.score, "--group": ",".join(case.groups),
                        "--time": case.time, "--window": case.window, "--query": case.query, "--item": case.item}.items():
        flags += [flag, value] if value else []
    if case.task == "binary":
        flags += ["--positive-label", case.positive, "--positive", ",".join(map(str, case.selected)), "--favourable", case.favourable]
        flags += ["--score-max", case.score_max] if case.score_max != 1 else []
    flags += ["--chunk", case.chunk] if case.chunk else []
    for k, v in case.reference_group.items():
        flags += ["--reference-group", f"{k}={v}"]
    command = [tool, "audit", *files, *flags, "--task", case.task, "--out", scratch / "out", "--format", "json"]
    environment = os.environ | {"XDG_STATE_HOME": str(scratch / "state"), "XDG_DATA_HOME": str(scratch / "data")}
    done = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True)
    if done.returncode > 1:
        raise SystemExit(f"{case.name}: {done.stderr}")
    return json.loads((scratch / "out" / "report.json").read_text())


def write(case, frame, path):
    out = frame.astype(object).where(frame.notna(), "")
    for column, rows in case.nan.items():
        out.loc[rows, column] = "NaN"
    out.to_csv(path, index=False, float_format=repr)


def slices(case, report):
    """The rates of each slice; which slices there are, and their p-values, are the search's own affair."""
    if not report.get("slices"):
        return
    led.section(case.name, "slices")
    if case.task == "regression":
        loss = (case.data[case.prediction] - case.data[case.label]).abs().to_numpy(float)
    else:
        use = case.data[case.label].notna() & case.data[case.prediction].notna()
        right = case.data[case.prediction].isin(case.selected) == (case.data[case.label] == case.positive)
        if case.task == "multiclass":
            right = case.data[case.prediction] == case.data[case.label]
        loss = np.where(use, ~right, np.nan)
    for s in report["slices"]:
        inside = np.logical_and.reduce([within(case, t) for t in s["terms"]])
        at = " and ".join(f"{t['column']} {t['value']}" for t in s["terms"])
        a, b = loss[inside & ~np.isnan(loss)], loss[~inside & ~np.isnan(loss)]
        led.near(f"{at} n", s["n"], len(a), EXACT)
        if case.task == "regression":
            led.estimate(at, s["value"], *f.mean(a))
            led.estimate(f"{at} rest", s["rest"], *f.mean(b))
            d = a.mean() - b.mean()
            led.estimate(f"{at} difference", s["difference"], d, f.around(d, np.hypot(stats.sem(a), stats.sem(b))))
            continue
        (k1, n1), (k2, n2) = (a.sum(), len(a)), (b.sum(), len(b))
        led.estimate(at, s["value"], k1 / n1, f.wilson(k1, n1))
        led.estimate(f"{at} rest", s["rest"], k2 / n2, f.wilson(k2, n2))
        led.estimate(f"{at} difference", s["difference"], k1 / n1 - k2 / n2, f.newcombe(k1, n1, k2, n2))


def within(case, term):
    """Which rows meet a term: those of a category, or those above from and at most to."""
    column = case.data[term["column"]]
    if term["value"] == "(missing)":
        return column.isna().to_numpy()
    if not numeric(column):
        return (column == term["value"]).to_numpy()
    deciles(case, term)
    inside = column.notna()
    if "from" in term:
        inside &= column > term["from"]
    if "to" in term:
        inside &= column <= term["to"]
    return inside.to_numpy()


def deciles(case, term):
    """The bounds of a term of numbers must be neighbours among the distinct deciles."""
    name = term["column"]
    if case.reference is not None and name in case.reference and len(old := finite(case.reference[name])):
        edges = np.unique(np.quantile(old, np.arange(1, 10) / 10))
    else:
        x = np.sort(finite(case.data[name]))
        edges = np.unique([x[i * (len(x) - 1) // 10] for i in range(1, 10)])
    at = np.searchsorted(edges, term["to"]) if "to" in term else len(edges)
    for bound, want in (("from", edges[:at][-1:]), ("to", edges[at:][:1])):
        led.same(f"{name} {term['value']} has {bound}", bound in term, len(want) == 1)
        if bound in term and len(want):
            led.near(f"{name} {term['value']} {bound}", term[bound], want[0])


def leakage(case, report):
    """Columns of numbers that rank all rows; others are judged on halves that a hash deals out."""
    if case.task == "binary":
        led.section(case.name, "leakage")
    for leak in report.get("leakage", []):
        if leak["statistic"] != "roc_auc" or not numeric(case.data[leak["column"]]) or not leak["value"]["method"].startswith("rank statistic of all rows"):
            continue
        rows = case.data[case.data[case.label].notna() & case.data[leak["column"]].notna()]
        rows = rows[leak["column"]].replace([np.inf, -np.inf], [1e308, -1e308]), rows[case.label] == case.positive
        area = sk.roc_auc_score(rows[1], rows[0])
        led.near(leak["column"], leak["value"]["value"], max(area, 1 - area))


def slices_of_time(case):
    if case.chunk:
        return [case.data.iloc[i : i + case.chunk] for i in range(0, len(case.data), case.chunk)]
    when = pd.to_datetime(case.data[case.time])
    key = when.dt.to_period({"1mo": "M", "1w": "W-SUN"}[case.window])
    return [case.data[key == k] for k in pd.period_range(key.min(), key.max())]


def compared(case, where, rows, now, before, looks=1):
    for c in rows:
        m = c["metric"]
        if before is not None:
            led.same(f"{where} {m} baseline", c["baseline"], before[m])
        led.same(f"{where} {m}", c["value"], now[m])
        error = np.hypot(*[(e["ci"][1] - e["ci"][0]) / (2 * f.Z) for e in (c["value"], c["baseline"])])
        d, z = c["value"]["value"] - c["baseline"]["value"], stats.norm.isf(0.025 / looks)
        led.near(f"{where} {m} difference", c["difference"]["value"], d)
        for x, w in zip(c["difference"]["ci"], (d - z * error, d + z * error)):
            led.near(f"{where} {m} difference interval", x, w)


def check(case, report):
    measure = MEASURES[case.task]
    quality(case, report)
    slices(case, report)
    leakage(case, report)
    led.section(case.name, "performance")
    measure(case, case.data, report["performance"])
    calibration(case, report)
    fairness(case, report)
    if case.reference is not None:
        led.section(case.name, "drift")
        drift(case, case.data, report["drift"])
    if "baseline" in report:
        led.section(case.name, "baseline")
        compared(case, "all", report["baseline"]["metrics"], report["performance"], None)
    if "windows" not in report:
        return
    led.section(case.name, "windows")
    parts = slices_of_time(case)
    led.near("windows", len(report["windows"]), len(parts), EXACT)
    for window, frame in zip(report["windows"], parts):
        at = window["label"]
        led.near(f"{at} rows", window["rows"], len(frame), EXACT)
        if "performance" in window:
            measure(case, frame, window["performance"], curves=False)
            before = None if report["windowing"]["baseline"] == "the reference" else report["performance"]
            compared(case, at, window.get("comparisons", []), window["performance"], before, len(parts))
        if "drift" in window:
            drift(case, frame, window["drift"])


def main():
    tool = Path(sys.argv[1]).resolve()
    only = sys.argv[2:]
    for case in [*real(), *made()]:
        if only and case.name not in only:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            check(case, audit(tool, case, Path(scratch)))
    led.report()
    raise SystemExit(1 if led.wrong else 0)


if __name__ == "__main__":
    main()
