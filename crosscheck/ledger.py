"""The account of what was compared, and by how much it deviates."""

from collections import defaultdict

import numpy as np
import pandas as pd

EXACT, STATISTIC, P_VALUE, DERIVED, DRAWN = 0, 1e-9, 1e-6, 1e-7, 0.05
KS_TAIL = 1e-5  # SciPy and stat both sum expansions that are good to five digits


class Ledger:
    """Counts what was compared and keeps the largest deviation of each section."""

    def __init__(self):
        self.rows = defaultdict(lambda: [0, 0.0])
        self.wrong = []

    def section(self, case, name):
        self.at = (case, name)
        self.rows[self.at]

    def near(self, what, got, want, tolerance=STATISTIC):
        got, want = (np.nan if v is None else float(v) for v in (got, want))
        if np.isinf(want):
            want = np.nan  # JSON has no infinity: null
        if got == want or np.isnan(got) and np.isnan(want):
            deviation = 0.0
        elif tolerance in (P_VALUE, KS_TAIL) and 0 <= max(got, want) < 1e-12:
            # Far tails agree in magnitude: libraries differ in their last digits there, too.
            deviation = 0.0 if min(got, want) <= 1e-280 or abs(np.log(got / want) / np.log(want)) < 0.01 else np.inf
        else:
            deviation = abs(got - want) / max(abs(want), 1e-12 if tolerance in (P_VALUE, KS_TAIL) else 1e-3)
        deviation = np.inf if np.isnan(deviation) else deviation
        row = self.rows[self.at]
        row[0], row[1] = row[0] + 1, max(row[1], deviation)
        if deviation > tolerance:
            self.wrong.append(f"{self.at[0]}, {self.at[1]}: {what} is {got!r}, not {want!r}")

    def same(self, what, got, want):
        self.rows[self.at][0] += 1
        if got != want:
            self.wrong.append(f"{self.at[0]}, {self.at[1]}: {what} is {got!r}, not {want!r}")

    def estimate(self, what, got, value, interval, tolerance=STATISTIC, n=None):
        if got is None:
            return self.near(what, None, value)
        self.near(what, got["value"], value)
        for side, g, w in zip(("low", "high"), got["ci"], interval):
            self.near(f"{what} {side}", g, w, tolerance)
        if n is not None:
            self.near(f"{what} n", got["n"], n, EXACT)

    def report(self):
        print(f"{'data':22} {'what':22} {'figures':>8} {'largest deviation':>18}")
        for (case, name), (n, deviation) in self.rows.items():
            print(f"{case:22} {name:22} {n:8,} {deviation:18.2g}")
        print(f"{'':22} {'all':22} {sum(n for n, _ in self.rows.values()):8,}")
        for line in self.wrong[:60]:
            print("DEVIATES", line)


led = Ledger()


def numeric(column):
    return pd.api.types.is_numeric_dtype(column)


def finite(column):
    x = np.asarray(column, float)
    return x[np.isfinite(x)]


def text(v):
    return f"{v:.17g}" if isinstance(v, float) and v != int(v) else str(int(v)) if isinstance(v, (float, int, np.number)) else str(v)
