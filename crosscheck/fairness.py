"""Groups and comparisons, against Fairlearn and statsmodels."""

from collections import defaultdict

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

import formulas as f
from ledger import EXACT, P_VALUE, finite, led, numeric, text
from performance import binary_rows


def labels_of(case, attribute):
    """The group of each row as the report names it: number columns of many values in quarters."""
    column = case.data[attribute]
    if numeric(column) and finite(column).size and column.nunique() > 20:
        edges = np.unique(np.quantile(finite(column), [0.25, 0.5, 0.75]))
        low, names = "from " + text(finite(column).min()), []
        for e in edges:
            names.append(f"{low} to {text(e)}")
            low = "above " + text(e)
        column = pd.Series(np.array([*names, low])[np.searchsorted(edges, column, "left")])
    else:
        column = column.map(text, na_action="ignore")
    return column.astype(object).where(case.data[attribute].notna(), "(missing)").to_numpy()


def fairness(case, report):
    got = report.get("fairness")
    if not got:
        return
    led.section(case.name, "fairness: groups")
    y, guess, score, use = binary_rows(case, case.data)
    predicted = case.data[case.prediction].notna()
    all_guess = case.data[predicted][case.prediction].isin(case.selected).to_numpy()
    of = {a: labels_of(case, a) for a in case.groups}
    for i, a in enumerate(case.groups):
        for b in case.groups[i + 1 :]:
            of[f"{a} & {b}"] = np.char.add(np.char.add(of[a].astype(str), " & "), of[b].astype(str))
    of["all"] = np.full(len(case.data), "all")
    counts = {}
    for g in got["groups"]:
        key, mask = (g["attribute"], g["value"]), (of[g["attribute"]] == g["value"])
        t, p = y[mask[use]], guess[mask[use]]
        everybody = all_guess[mask[predicted]]
        tp, fp, tn, fn = (t & p).sum(), (~t & p).sum(), (~t & ~p).sum(), (t & ~p).sum()
        counts[key] = dict(tp=tp, fp=fp, tn=tn, fn=fn, selected=everybody.sum(), predicted=len(everybody))
        for k in ("tp", "fp", "tn", "fn"):
            led.near(f"{key} {k}", g[k], counts[key][k], EXACT)
        led.near(f"{key} n", g["n"], len(t), EXACT)
        favoured = everybody.sum() if case.favourable == "positive" else (~everybody).sum()
        rates = dict(base_rate=(tp + fn, len(t)), selection_rate=(everybody.sum(), len(everybody)), favourable_rate=(favoured, len(everybody)),
                     accuracy=(tp + tn, len(t)), tpr=(tp, tp + fn), fpr=(fp, fp + tn), fnr=(fn, tp + fn), tnr=(tn, fp + tn),
                     ppv=(tp, tp + fp), npv=(tn, tn + fn), **{"for": (fn, tn + fn)})
        for k, (a, b) in rates.items():
            led.near(f"{key} {k}", g[k], a / b if b else np.nan)
            for x, w in zip(g[k + "_ci"], f.wilson(a, b)):
                led.near(f"{key} {k} interval", x, w)
        if g["roc_auc"] is not None:
            has = np.isfinite(score) & mask[use]
            area, interval = f.delong(score[has], y[has])
            for k, x, w in zip(("value", "low", "high"), [g["roc_auc"], *g["roc_auc_ci"]], [area, *interval]):
                led.near(f"{key} roc auc {k}", x, w)
    led.near("rows of an attribute", sum(c["predicted"] for k, c in counts.items() if k[0] == case.groups[0]), predicted.sum(), EXACT)
    comparisons(case, got, counts)
    summaries(case, got, counts, of, use, predicted, y, guess, all_guess)


def comparisons(case, got, counts):
    led.section(case.name, "fairness: comparisons")
    negative = case.favourable == "negative"
    of = {
        "demographic_parity": lambda c: (c["selected"], c["predicted"]),
        "four_fifths": lambda c: (c["predicted"] - c["selected"] if negative else c["selected"], c["predicted"]),
        "equal_opportunity": lambda c: (c["tp"], c["tp"] + c["fn"]), "false_positive_rate": lambda c: (c["fp"], c["fp"] + c["tn"]),
        "false_negative_rate": lambda c: (c["fn"], c["tp"] + c["fn"]), "predictive_parity": lambda c: (c["tp"], c["tp"] + c["fp"]),
        "false_omission_rate": lambda c: (c["fn"], c["fn"] + c["tn"]), "accuracy": lambda c: (c["tp"] + c["tn"], sum(c[k] for k in ("tp", "fp", "tn", "fn"))),
    }
    adjust = defaultdict(list)
    for c in got["comparisons"]:
        at = f"{c['metric']} {c['attribute']} {c['value']}"
        (k1, n1), (k2, n2) = (of[c["metric"]](counts[c["attribute"], c[who]]) for who in ("value", "reference"))
        led.near(f"{at} n", c["n"], n1, EXACT)
        led.near(f"{at} n of reference", c["n_reference"], n2, EXACT)
        a, b = k1 / n1 if n1 else np.nan, k2 / n2 if n2 else np.nan
        led.near(at, c["difference"], a - b)
        led.near(f"{at} ratio", c["ratio"], a / b if b else np.nan)
        for x, w in zip(c["difference_ci"] + c["ratio_ci"], (*f.newcombe(k1, n1, k2, n2), *f.katz(k1, n1, k2, n2))):
            led.near(f"{at} interval", x, w)
        if min(n1, n2) < got["limits"]["judged_from"]:
            led.same(f"{at} verdict", c["verdict"], "insufficient")
            continue
        if c["metric"] == "four_fifths":
            p = f.katz_p(k1, n1, k2, n2, c["threshold"])
        else:
            p = min(f.newcombe_p(k1, n1, k2, n2, c["threshold"]), f.newcombe_p(k2, n2, k1, n1, c["threshold"]))
        adjust[c["metric"]].append((c, p, at))
        if p < 0.5:
            led.near(f"{at} p", c["p"], p, P_VALUE)
    for rows in adjust.values():
        for (c, _, at), p in zip(rows, multipletests([p for _, p, _ in rows], method="holm")[1]):
            limit, screen = c["threshold"], c["metric"] == "four_fifths"
            low, high = np.log(c["ratio_ci"]) if screen else c["difference_ci"]
            edge = -np.log(limit) if screen else limit
            within, beyond = -edge <= low and high <= edge, low > edge or high < -edge
            want = "pass" if within else ("warn" if screen else "fail") if beyond and p <= 0.05 else "inconclusive"
            led.same(f"{at} verdict", c["verdict"], want)


def summaries(case, got, counts, of, use, predicted, y, guess, all_guess):
    led.section(case.name, "fairness: Fairlearn")
    for s in got["summaries"]:
        a = s["attribute"]
        large = [k[1] for k, c in counts.items() if k[0] == a and c["predicted"] >= got["limits"]["judged_from"]]
        led.near(f"{a} judged", s["groups_judged"], len(large), EXACT)
        if not large:
            continue
        mine, every = np.isin(of[a], large) & use, np.isin(of[a], large) & predicted
        args = (y[mine[use]], guess[mine[use]])
        screened = all_guess[every[predicted]]
        at = dict(sensitive_features=of[a][mine])
        led.near(f"{a} parity", s["demographic_parity_difference"], fl.demographic_parity_difference(screened, screened, sensitive_features=of[a][every]))
        led.near(f"{a} parity ratio", s["demographic_parity_ratio"], fl.demographic_parity_ratio(screened, screened, sensitive_features=of[a][every]))
        groups = [k for k in counts if k[0] == a and k[1] in large]
        if any(counts[k]["tp"] + counts[k]["fn"] == 0 or counts[k]["fp"] + counts[k]["tn"] == 0 for k in groups):
            continue  # Fairlearn calls a rate without a denominator 0
        led.near(f"{a} odds", s["equalized_odds_difference"], fl.equalized_odds_difference(*args, **at))
        led.near(f"{a} odds ratio", s["equalized_odds_ratio"], fl.equalized_odds_ratio(*args, **at))
        led.near(f"{a} opportunity", s["equal_opportunity_difference"], fl.equal_opportunity_difference(*args, **at))
