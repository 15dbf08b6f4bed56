"""Performance of every task, against scikit-learn."""

from collections import defaultdict

import numpy as np
import pandas as pd
from sklearn import metrics as sk

import formulas as f
from ledger import DERIVED, EXACT, led


def binary_rows(case, frame):
    """The rows that have a label and a prediction: truth, prediction, score; and which they are."""
    use = frame[case.label].notna() & frame[case.prediction].notna()
    rows = frame[use]
    truth = (rows[case.label] == case.positive).to_numpy()
    guess = rows[case.prediction].isin(case.selected).to_numpy()
    score = rows[case.score].to_numpy(float) / case.score_max if case.score else np.full(len(rows), np.nan)
    return truth, guess, score, use


def binary(case, frame, got, curves=True):
    y, guess, score, _ = binary_rows(case, frame)
    tn, fp, fn, tp = sk.confusion_matrix(y, guess, labels=[False, True]).ravel()
    n = len(y)
    for k, w in dict(tp=tp, fp=fp, tn=tn, fn=fn).items():
        led.near(k, got["confusion"][k], w, EXACT)
    led.near("n", got["n"], n, EXACT)
    led.near("positives", got["positives"], y.sum(), EXACT)
    rates = dict(accuracy=(tp + tn, n), precision=(tp, tp + fp), recall=(tp, tp + fn), fpr=(fp, fp + tn), fnr=(fn, tp + fn))
    for k, (a, b) in rates.items():
        led.estimate(k, got.get(k), a / b if b else np.nan, f.wilson(a, b), n=b)
    if tp + fn and tn + fp:
        led.estimate("balanced accuracy", got["balanced_accuracy"], sk.balanced_accuracy_score(y, guess), f.mover_mean(tp, tp + fn, tn, tn + fp))
    if tp + fp + fn:
        led.estimate("f1", got["f1"], sk.f1_score(y, guess), f.jaccard_f1(tp, fp, fn))
    if "mcc" in got:
        cells = np.array([[tn, fp], [fn, tp]], float)

        def fisher(s):
            (a, b), (c, d) = s
            return np.arctanh((a * d - b * c) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d)))

        led.estimate("mcc", got["mcc"], sk.matthews_corrcoef(y, guess), np.tanh(f.around(fisher(cells), f.influence_error(fisher, cells))), DERIVED)
    has = np.isfinite(score)
    y, score = y[has], score[has]
    if not has.any() or y.all() or not y.any():
        return led.same("no area", got.get("roc_auc"), None)
    area, interval = f.delong(score, y)
    led.near("roc_auc", got["roc_auc"]["value"], sk.roc_auc_score(y, score))
    led.estimate("roc_auc", got["roc_auc"], area, interval, n=len(y))
    ap = sk.average_precision_score(y, score)
    led.estimate("average precision", got["average_precision"], ap, f.logit_interval(ap, y.sum()))
    if curves and "roc_curve" in got:
        led.same("curve points", len(got["roc_curve"]) <= 200, True)
        for point in got["roc_curve"][1:]:
            over = score >= point["threshold"]
            led.near("roc x", point["x"], over[~y].mean())
            led.near("roc y", point["y"], over[y].mean())
        for point in got["pr_curve"][1:]:
            over = score >= point["threshold"]
            led.near("pr x", point["x"], over[y].mean())
            led.near("pr y", point["y"], y[over].mean())
    whole = case.data[case.score].dropna() / case.score_max
    if whole.min() >= 0 and whole.max() <= 1:
        p = np.clip(score, np.finfo(float).eps, 1 - np.finfo(float).eps)
        losses = f.mean(-np.where(y, np.log(p), np.log1p(-p)), low=0)
        led.near("log loss", got["log_loss"]["value"], sk.log_loss(y, score))
        led.estimate("log loss", got["log_loss"], *losses)
        led.near("brier", got["brier"]["value"], sk.brier_score_loss(y, score))
        led.estimate("brier", got["brier"], *f.mean((score - y) ** 2, low=0))
    else:
        led.same("no loss", got.get("log_loss"), None)


def multiclass(case, frame, got, **_):
    rows = frame.dropna(subset=[case.label, case.prediction])
    y, guess = rows[case.label].astype(str), rows[case.prediction].astype(str)
    classes = got["matrix"]["classes"]
    cells = sk.confusion_matrix(y, guess, labels=classes)
    led.same("matrix", got["matrix"]["counts"], cells.tolist())
    led.estimate("accuracy", got["accuracy"], sk.accuracy_score(y, guess), f.wilson(np.trace(cells), len(y)), n=len(y))
    macro = sk.precision_recall_fscore_support(y, guess, labels=classes, average="macro", zero_division=0)
    zero = lambda a, b: np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    shares = lambda s: (np.diag(s).copy(), s.sum(1), s.sum(0))
    functions = dict(
        precision=lambda s: zero(shares(s)[0], shares(s)[2]).mean(), recall=lambda s: zero(shares(s)[0], shares(s)[1]).mean(),
        f1=lambda s: zero(2 * shares(s)[0], shares(s)[1] + shares(s)[2]).mean())
    for (k, function), value in zip(functions.items(), macro):
        led.estimate(k, got[k], value, f.around(value, f.influence_error(function, cells), 0, 1), DERIVED)
    kappa = lambda s: (np.trace(s) - s.sum(1) @ s.sum(0)) / (1 - s.sum(1) @ s.sum(0))
    value = sk.cohen_kappa_score(y, guess)
    led.estimate("kappa", got["kappa"], value, f.around(value, f.influence_error(kappa, cells), -1, 1), DERIVED)
    for k, c in enumerate(got["matrix"]["by_class"]):
        hit, real_, said = cells[k, k], cells[k].sum(), cells[:, k].sum()
        led.estimate("class precision", c["precision"], hit / said if said else np.nan, f.wilson(hit, said))
        led.estimate("class recall", c["recall"], hit / real_ if real_ else np.nan, f.wilson(hit, real_))
        union = real_ + said - hit
        led.estimate("class f1", c["f1"], 2 * hit / (real_ + said) if union else np.nan, f.jaccard_f1(hit, said - hit, real_ - hit) if union else f.NONE)


def regression(case, frame, got, **_):
    rows = frame[np.isfinite(frame[case.label]) & np.isfinite(frame[case.prediction])]
    y, guess = rows[case.label].to_numpy(float), rows[case.prediction].to_numpy(float)
    e = guess - y
    led.near("n", got["n"], len(y), EXACT)
    led.near("mae", got["mae"]["value"], sk.mean_absolute_error(y, guess))
    led.near("rmse", got["rmse"]["value"], sk.root_mean_squared_error(y, guess))
    led.near("r2", got["r2"]["value"], sk.r2_score(y, guess))
    led.estimate("mae", got["mae"], *f.mean(abs(e), low=0))
    led.estimate("bias", got["bias"], *f.mean(e))
    led.estimate("mape", got["mape"], *f.mean(abs(e / y)[y != 0], low=0), n=(y != 0).sum())
    mse = np.mean(e**2)
    # The published interval of a mean, carried through the root; sample variance as for every mean.
    led.estimate("rmse", got["rmse"], np.sqrt(mse), np.sqrt(f.mean(e**2, low=0)[1]))
    d2, variance = (y - y.mean()) ** 2, y.var()
    influence = (mse * d2 / variance - e**2) / variance
    led.estimate("r2", got["r2"], 1 - mse / variance, f.around(1 - mse / variance, influence.std() / np.sqrt(len(y)), high=1), DERIVED)


def ranking(case, frame, got, k=10, **_):
    rows = frame.dropna(subset=[case.label, case.score, case.query])
    lists = [g.sort_values(case.score, ascending=False, kind="stable") for _, g in rows.groupby(case.query)]
    led.near("queries", got["n"], len(lists), EXACT)
    per = defaultdict(list)
    for g in lists:
        gain = g[case.label].to_numpy(float)
        relevant = gain > 0
        if not relevant.any():
            continue
        ndcg = 1.0 if len(gain) == 1 else sk.ndcg_score([gain], [-np.arange(len(gain))], k=k)  # ranked already: ties keep the order of the file
        top = relevant[:k]
        places = np.flatnonzero(top) + 1
        per["ndcg"].append(ndcg)
        per["precision_at_k"].append(top.sum() / k)
        per["recall_at_k"].append(top.sum() / relevant.sum())
        per["map"].append(sum(top[:p].mean() for p in places) / min(k, relevant.sum()))
        per["mrr"].append(1 / places[0] if len(places) else 0)
        per["hit_rate"].append(bool(len(places)))
    hits = per.pop("hit_rate")
    led.estimate("hit rate", got["hit_rate"], np.mean(hits), f.wilson(sum(hits), len(hits)))
    for name, values in per.items():
        led.estimate(name, got[name], *f.mean(values, 0, 1), n=len(values))
    shown = pd.concat([g.head(k) for g in lists])[case.item].value_counts().reindex(frame[case.item].unique(), fill_value=0).sort_values()
    led.near("coverage", got["coverage"]["value"], (shown > 0).mean())
    x, n = shown.to_numpy(float), len(shown)
    led.near("gini", got["popularity_gini"]["value"], np.abs(x[:, None] - x).sum() / (2 * n * x.sum()))


MEASURES = dict(binary=binary, multiclass=multiclass, regression=regression, ranking=ranking)
