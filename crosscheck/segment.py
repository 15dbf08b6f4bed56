"""Reads a segment file with PyArrow and, where it is there, DuckDB: segment.py FILE.parquet RECORDS.jsonl LEAVES.txt

RECORDS has the JSON of the records in their order, LEAVES what prediction_leaf.py prints for them.
"""

import json, math, sys
from datetime import datetime

import pyarrow.parquet as pq

path, records, leaves = sys.argv[1], [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")], [line.split()[1] for line in open(sys.argv[3])]
NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
wrong = []


def same(where, got, want):
    want = NUMBERS.get(want, want) if isinstance(want, str) else want
    if not (got == want or isinstance(got, float) and isinstance(want, float) and math.isnan(got) and math.isnan(want)):
        wrong.append(f"{where}: {got!r}, not {want!r}")


def as_text(v):  # a UUID, whatever type the library has for it
    digits = v.hex() if isinstance(v, bytes) else str(v).replace("-", "")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def check(name, columns, rows):
    at = {c: i for i, c in enumerate(columns)}
    same(f"{name}: rows", len(rows), len(records))
    for n, (row, record, leaf) in enumerate(zip(rows, records, leaves)):
        where, overflow = f"{name}: row {n}", json.loads(row[at["overflow"]] or "{}") if "overflow" in at else {}
        same(f"{where} id", as_text(row[at["id"]]), record["id"])
        same(f"{where} leaf", bytes(row[at["leaf"]]).hex(), leaf)
        same(f"{where} time", row[at["time"]], datetime.fromisoformat(record["time"]))
        values = {k: record[k] for k in ("model", "version", "output", "score", "latency_us", "subject") if k in record}
        values |= {f"f_{k}": v for k, v in record.get("features", {}).items()} | {f"a_{k}": v for k, v in record.get("attributions", {}).items()}
        for column, want in values.items():
            if column in overflow:
                same(f"{where} {column}", NUMBERS.get(overflow[column], overflow[column]) if isinstance(overflow[column], str) else overflow[column], want)
            else:
                same(f"{where} {column}", row[at[column]], want)
    print(f"{name}: {len(rows)} rows of {len(columns)} columns read")


table = pq.read_table(path)
check("pyarrow", table.column_names, list(zip(*(c.to_pylist() for c in table.columns))))
file = pq.ParquetFile(path)
same("metadata", json.loads(file.metadata.metadata[b"tallystick.segment"])["parts"][0]["count"], len(records))
same("time type", str(table.schema.field("time").type), "timestamp[us, tz=UTC]")

try:
    import duckdb
except ImportError:
    print("duckdb: not here")
else:
    db = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    # Times as text: DuckDB gives them in the zone of the machine, with a package for zones.
    found = db.execute("SELECT * REPLACE (epoch_us(time) AS time) FROM read_parquet(?)", [path])
    columns = [d[0] for d in found.description]
    at = columns.index("time")
    moments = [[*r[:at], datetime.fromisoformat("1970-01-01T00:00:00+00:00") + __import__("datetime").timedelta(microseconds=r[at]), *r[at + 1 :]] for r in found.fetchall()]
    check("duckdb", columns, moments)
    middle = records[len(records) // 2]
    same("duckdb: one id", db.execute("SELECT count(*) FROM read_parquet(?) WHERE id = ?::UUID", [path, middle["id"]]).fetchone()[0], 1)

for line in wrong[:20]:
    print("DEVIATES", line)
sys.exit(bool(wrong))
