"""Data sets made to be awkward: ties, gaps, missing and infinite values, hostile names."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass
class Case:
    """One audit: what the command gets, and the same as a frame."""

    name: str
    data: pd.DataFrame
    task: str = "binary"
    label: str = "y"
    positive: object = 1
    prediction: str = "prediction"
    selected: tuple = (1,)
    favourable: str = "positive"
    score: str = ""
    score_max: float = 1.0
    groups: tuple = ()
    reference_group: dict = field(default_factory=dict)
    reference: pd.DataFrame | None = None
    chunk: int = 0
    time: str = ""
    window: str = ""
    query: str = ""
    item: str = ""
    files: list = field(default_factory=list)  # of the data; written if empty
    flags: list = field(default_factory=list)  # beyond what the fields say
    nan: dict = field(default_factory=dict)  # rows of each column that say NaN instead of nothing


def real():
    """The published data sets, where they are."""
    if not DATA.exists():
        return
    compas = DATA / "compas" / "compas-two-years.csv"
    yield Case("compas", pd.read_csv(compas), label="two_year_recid", prediction="score_text", selected=("Medium", "High"),
               favourable="negative", score="decile_score", score_max=10, groups=("race", "sex", "age_cat"),
               reference_group={"race": "Caucasian"}, files=[compas])
    acs = DATA / "acs-employment"
    names = [acs / f"employment_MA_{n}.pq" for n in ("analysis", "reference", "analysis_target")]
    late = pd.read_parquet(names[2])
    yield Case("acs", pd.read_parquet(names[0]).merge(late, on="id", how="left"), label="employed", score="predicted_probability",
               groups=("SEX", "RAC1P"), reference=pd.read_parquet(names[1]), chunk=5000, files=[names[0]],
               flags=["--id", "id", "--labels", names[2], "--reference", names[1]])
    housing = DATA / "california-housing"
    names = [housing / f"california_housing_{n}.csv" for n in ("analysis", "reference", "analysis_gt")]
    yield Case("california", pd.read_csv(names[0]).merge(pd.read_csv(names[2]), on="id", how="left"), label="clf_target",
               prediction="y_pred", score="y_pred_proba", reference=pd.read_csv(names[1]), time="timestamp", window="1mo",
               files=[names[0]], flags=["--id", "id", "--labels", names[2], "--reference", names[1]])


HOSTILE = ["Großstadt", "日本 🗾", '<b>&"quoted"', "=1+1", "a,b", "../../etc", "O'Brien | x", " padded"]


def binary(rng, n, shift=0.0):
    """Ties in the score, labels and scores that are missing, groups of one row, gaps in time."""
    x = rng.normal(shift, 1, n)
    y = rng.random(n) < 1 / (1 + np.exp(-x))
    score = np.clip(1 / (1 + np.exp(-x + rng.normal(0, 0.7, n))), 0, 1).round(2)
    hours = rng.choice(np.r_[0:700, 1500:2200], n)  # a month without a row
    frame = pd.DataFrame({
        "when": pd.Timestamp("2025-01-15") + pd.to_timedelta(hours, "h"),
        "y": np.where(y, "yes", "no"), "prediction": np.where(score >= 0.55, "yes", "no"), "score": score,
        "place": rng.choice(HOSTILE, n, p=[0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.015, 0.005]),
        "sex": rng.choice(["f", "m"], n), "age": rng.integers(18, 90, n).astype(float),
        'a,b "c" <script>': x + rng.normal(0, 2, n), "naïve=1": rng.choice([0.0, 0.0, 0.0, 1.5, 2.5], n),
        "whole": rng.poisson(3, n), "flat": 7, "empty": np.full(n, np.nan), "kind": rng.choice(list("abcdefgh"), n),
    })
    frame.loc[0, "place"] = "alone"
    for column, share in {"y": 0.1, "score": 0.05, "prediction": 0.02, "place": 0.04, 'a,b "c" <script>': 0.1 + 0.3 * shift,
                          "kind": 0.03, "when": 0.01}.items():
        frame.loc[rng.random(n) < share, column] = None
    frame.loc[rng.random(n) < 0.01, "naïve=1"] = np.inf
    return frame


def made():
    rng = np.random.default_rng(7)
    data, reference = binary(rng, 6000, 0.4), binary(rng, 3000)
    data.loc[5, "kind"] = "unseen"
    data = pd.concat([data, data.iloc[:40]], ignore_index=True)  # rows that repeat
    nan = {'a,b "c" <script>': data.index[data['a,b "c" <script>'].isna()][:50]}
    shared = dict(positive="yes", selected=("yes",), score="score", groups=("place", "sex", "age"))
    yield Case("binary, by week", data, reference=reference, time="when", window="1w", nan=nan, **shared)
    yield Case("binary, by rows", data, reference=reference, chunk=700, favourable="negative", **shared)
    logit = data.assign(score=np.log((data.score + 0.01) / (1.01 - data.score)))
    yield Case("score beyond [0, 1]", logit, chunk=1111, **shared)

    n = 5000
    y = rng.choice(5, n, p=[0.5, 0.3, 0.15, 0.045, 0.005])
    guess = np.where(rng.random(n) < 0.7, y, rng.integers(0, 5, n))
    label, predicted = ["rot", "grün", "blau", "<i>", None], ["rot", "grün", "blau", "blau", "fünf"]
    many = pd.DataFrame({"y": [label[v] for v in y], "prediction": [predicted[v] for v in guess], "x": rng.normal(y, 1)})
    yield Case("five classes", many, task="multiclass", chunk=1200)

    actual = 50 * rng.standard_t(2.1, n)
    numbers = pd.DataFrame({"y": actual, "prediction": actual + 10 * rng.standard_t(2.1, n), "x": actual + rng.normal(0, 9, n),
                            "kind": rng.choice(list("abc"), n)})
    numbers.loc[rng.random(n) < 0.03, "y"] = 0
    numbers.loc[rng.random(n) < 0.05, "prediction"] = None
    old = numbers.sample(2000, random_state=1).reset_index(drop=True)
    yield Case("heavy tails", numbers, task="regression", reference=old, chunk=800)

    sizes = rng.integers(1, 40, 400)
    query = np.repeat(np.arange(400), sizes)
    gain = rng.choice([0, 0, 0, 1, 2, 3], len(query))
    gain[query % 20 == 0] = 0  # queries without a relevant item
    lists = pd.DataFrame({"q": [f"q{i}" for i in query], "item": rng.integers(0, 300, len(query)), "y": gain,
                          "score": rng.permutation(len(query)) + 500 * gain})
    yield Case("ranking", lists.sample(frac=1, random_state=2).reset_index(drop=True), task="ranking", prediction="",
               score="score", query="q", item="item")
