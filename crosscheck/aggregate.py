"""Makes predictions, and holds figures about them against DuckDB and PyArrow.

aggregate.py make > RECORDS.ndjson
aggregate.py check STATS.json WORKSPACE < FILES
"""

import json, math, random, sys
from collections import defaultdict


def make():
    rng = random.Random(7)
    for n in range(8000):
        features = {"income": rng.choice([rng.randrange(80001), round(rng.uniform(0, 80000), 2)]), "region": rng.choice(["north", "south", "east", None])}
        if n >= 4000:
            features["young"] = rng.random() < 0.3  # a column that the first files do not have
        record = {
            "model": "credit", "version": rng.choice("12"), "time": f"2026-03-{1 + n % 28:02d}T{n % 24:02d}:00:00Z",
            "features": features, "score": rng.randrange(10001) / 10000, "output": rng.choice(["approve", "deny"]),
        }
        print(json.dumps(record))


def quantile(values, q):
    at = q * (len(values) - 1)
    low = int(at)
    return values[low] if low + 1 == len(values) else values[low] + (values[low + 1] - values[low]) * (at - low)


def check(stats, workspace):
    import duckdb
    import pyarrow.dataset

    told = json.load(open(stats))
    files = [f"{workspace}/{line.strip()}" for line in sys.stdin]
    wrong = []

    def same(where, got, want):
        if not (got == want or isinstance(got, (int, float)) and isinstance(want, (int, float)) and math.isclose(got, want, rel_tol=1e-9)):
            wrong.append(f"{where}: {got!r}, not {want!r}")

    groups = {tuple(g["key"]): g for g in told["groups"]}
    rows = duckdb.sql(
        """SELECT version, f_region, count(*), count(*) FILTER (output = 'approve'), avg(score), quantile_cont(score, [0.25, 0.5, 0.9]),
        [{bars}] FROM read_parquet($files, union_by_name = true)
        WHERE time IS NOT NULL AND f_income >= 10000 GROUP BY version, f_region""".replace(
            "{bars}", ", ".join(f"count(*) FILTER (least(floor(f_income / 10000), 7) = {i})" for i in range(8))
        ),
        params={"files": files},
    ).fetchall()
    same("DuckDB: groups", len(rows), len(groups))
    for version, region, count, approved, mean, quantiles, bars in rows:
        g, where = groups[version, region], f"DuckDB: {version}, {region}"
        same(f"{where} count", g["count"], count)
        same(f"{where} approved", g["rates"][0]["count"], approved)
        same(f"{where} mean", g["means"][0]["mean"], mean)
        same(f"{where} histogram", g["histograms"][0]["counts"], list(bars))
        for got, want in zip(g["quantiles"][0]["values"], quantiles):
            same(f"{where} quantile", got, want)

    gathered = defaultdict(list)
    for file in files:
        table = pyarrow.dataset.dataset(file, format="parquet").to_table(columns=["version", "f_region", "f_income", "score", "output"])
        for row in table.to_pylist():
            if row["f_income"] is not None and row["f_income"] >= 10000:
                gathered[row["version"], row["f_region"]].append(row)
    same("PyArrow: groups", len(gathered), len(groups))
    for key, rows in gathered.items():
        g, scores = groups[key], sorted(r["score"] for r in rows)
        same(f"PyArrow: {key} count", g["count"], len(rows))
        same(f"PyArrow: {key} approved", g["rates"][0]["count"], sum(r["output"] == "approve" for r in rows))
        same(f"PyArrow: {key} mean", g["means"][0]["mean"], sum(scores) / len(scores))
        for got, q in zip(g["quantiles"][0]["values"], (0.25, 0.5, 0.9)):
            same(f"PyArrow: {key} quantile", got, quantile(scores, q))
    if wrong or len(files) < 2 or not groups:
        sys.exit("\n".join(wrong[:20]) or f"{len(files)} files, {len(groups)} groups")
    print(f"{told['predictions']} predictions in {len(files)} files, {len(groups)} groups: DuckDB and PyArrow say the same")


if sys.argv[1] == "make":
    make()
else:
    check(*sys.argv[2:])
