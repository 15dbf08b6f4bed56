"""Imports what PyArrow wrote, and reads the records from the segment files with PyArrow: import.py TALLYSTICK SCRATCH

Row i of each column is a formula of i; rows with i % 7 == 3 are missing, but for time and row. What is wrong is printed.
"""

import datetime as dt
import decimal
import json
import math
import random
import subprocess
import sys
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

tallystick, scratch = sys.argv[1:]
wrong = []


def run(*args, code=0):
    done = subprocess.run([tallystick, *args], capture_output=True, text=True, timeout=300)
    if done.returncode != code:
        wrong.append(f"{' '.join(args)}: exit code {done.returncode}, want {code}: {done.stdout}{done.stderr}")
    return done


def column(n, typ, value):
    return pa.array([None if i % 7 == 3 else value(i) for i in range(n)], typ)


EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
SENTINEL = dt.datetime(9999, 12, 31, 23, 59, 59)  # what databases have for "for ever"


def naive(at):
    return at.replace(tzinfo=None)


def moment(at):  # as a record has it
    text = at.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    return text + (f".{at.microsecond:06d}".rstrip("0") if at.microsecond else "") + "Z"


def day(i):
    return [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1969, 12, 31)][i] if i < 3 else dt.date(2020, 2, 28) + dt.timedelta(days=i)


def instant(i, step):
    return SENTINEL if i % 50 == 1 else naive(EPOCH) - dt.timedelta(days=40_000 * (i % 2)) + i * step


# name: type, value that is written, value that the record is to have.
COLUMNS = {
    "flag": (pa.bool_(), lambda i: i % 3 == 0, None),
    "i8": (pa.int8(), lambda i: i % 256 - 128, None),
    "u8": (pa.uint8(), lambda i: i % 256, None),
    "i16": (pa.int16(), lambda i: i - 300, None),
    "u16": (pa.uint16(), lambda i: 65535 - i, None),
    "i32": (pa.int32(), lambda i: i * 7919 * (-1) ** i, None),
    "u32": (pa.uint32(), lambda i: 2**32 - 1 - i, None),
    "i64": (pa.int64(), lambda i: (2**53 + i) * (-1) ** i, None),
    "i64_ends": (pa.int64(), lambda i: 2**63 - 1 - i if i % 2 else -(2**63) + i, None),
    "u64": (pa.uint64(), lambda i: 2**64 - 1 - i if i % 2 else 2**63 - 1 - i, lambda i: float(2**64 - 1 - i) if i % 2 else 2**63 - 1 - i),
    "f16": (pa.float16(), lambda i: i % 1000 / 4 - 5, None),
    "f32": (pa.float32(), lambda i: i / 16 - 1, None),
    "f64": (pa.float64(), lambda i: {10: math.nan, 20: math.inf, 30: -math.inf, 40: -0.0}.get(i, i / 7), None),
    "text": (pa.string(), lambda i: f"välue {i * i % 11}", None),
    "large_text": (pa.large_string(), lambda i: "x" * (i % 300), None),
    "view": (pa.string_view(), lambda i: f"a text of more than twelve bytes {i}", None),
    "words": (pa.string(), lambda i: ["NaN", "null", "", "NA", "true", "1"][i % 6], lambda i: ["NaN", "null", "", "NA", "true", "1"][i % 6]),
    "ascii": (pa.binary(), lambda i: b"bytes %d" % i, lambda i: f"bytes {i}"),
    "level": (pa.dictionary(pa.int8(), pa.string()), lambda i: ["low", "mid", "high"][i % 3], None),
    "code": (pa.dictionary(pa.int32(), pa.int64()), lambda i: [10, 20, 2**60 + 1][i % 3], None),
    "money": (pa.decimal128(9, 2), lambda i: decimal.Decimal(i * 125 - 700) / 100, lambda i: (i * 125 - 700) / 100),
    "account": (pa.decimal128(18, 0), lambda i: decimal.Decimal(10**17 + i), lambda i: 10**17 + i),
    "big": (pa.decimal256(50, 4), lambda i: decimal.Decimal(i * 10**30 + 1) / 10000, lambda i: float(decimal.Decimal(i * 10**30 + 1) / 10000)),
    "date": (pa.date32(), day, lambda i: moment(dt.datetime.combine(day(i), dt.time()))),
    "s": (pa.timestamp("s"), lambda i: instant(i, dt.timedelta(seconds=7)), lambda i: moment(instant(i, dt.timedelta(seconds=7)))),
    "ms": (pa.timestamp("ms", "Europe/Berlin"), lambda i: instant(i, dt.timedelta(milliseconds=1234567)), lambda i: moment(instant(i, dt.timedelta(milliseconds=1234567)))),
    "us": (pa.timestamp("us"), lambda i: instant(i, dt.timedelta(microseconds=1234567)), lambda i: moment(instant(i, dt.timedelta(microseconds=1234567)))),
    "ns": (pa.timestamp("ns", "UTC"), lambda i: i * 1234567891, lambda i: nanoseconds(i * 1234567891)),
    "uuid": (pa.uuid(), lambda i: uuid.UUID(int=i << 64 | 7).bytes, lambda i: str(uuid.UUID(int=i << 64 | 7))),
    "nothing": (pa.null(), lambda i: None, None),
}


def nanoseconds(ns):
    at = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=ns // 10**9)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{ns % 10**9:09d}".rstrip("0") if ns % 10**9 else "") + "Z"


def table(n, names):
    made = {"row": pa.array(range(n), pa.int32()), "at": pa.array([EPOCH + dt.timedelta(microseconds=i * 1_000_003) for i in range(n)], pa.timestamp("us", "UTC"))}
    for name in names:
        typ, value, _ = COLUMNS[name]
        made[name] = column(n, typ, value) if typ != pa.uuid() else column(n, pa.binary(16), value).cast(pa.uuid())
    return pa.table(made)


INTS = ["row", "at", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "i64_ends", "u64", "date", "s", "ms", "us", "ns"]
SMALL = 600
ALL = list(COLUMNS)
NO_INT96 = [c for c in ALL if c not in ("s", "ms", "us", "ns")]  # moments of 9999 have no place in an INT96 of PyArrow
LAYOUTS = {
    "plain": dict(compression="none", use_dictionary=False, data_page_version="1.0", write_page_checksum=True),
    "snappy": dict(compression="snappy", data_page_version="1.0"),
    "snappy-v2": dict(compression="snappy", data_page_version="2.0", row_group_size=97, data_page_size=256),
    "gzip": dict(compression="gzip", data_page_version="1.0", write_page_index=True),
    "gzip-v2": dict(compression="gzip", data_page_version="2.0", row_group_size=1, n=40),
    "zstd": dict(compression="zstd", data_page_version="1.0", data_page_size=512, write_batch_size=16),
    "zstd-v2": dict(compression="zstd", data_page_version="2.0", compression_level=19, write_page_checksum=True),
    "brotli-v2": dict(compression="brotli", data_page_version="2.0"),
    "lz4": dict(compression="lz4", data_page_version="1.0"),
    "delta": dict(compression="zstd", use_dictionary=False, column_encoding=dict.fromkeys(INTS, "DELTA_BINARY_PACKED") | {"text": "DELTA_BYTE_ARRAY", "view": "DELTA_LENGTH_BYTE_ARRAY"}),
    "split": dict(compression="gzip", use_dictionary=False, column_encoding=dict.fromkeys(INTS + ["f16", "f32", "f64", "uuid"], "BYTE_STREAM_SPLIT")),
    "decimals-as-integers": dict(store_decimal_as_integer=True, columns=["money", "account"]),
    "version-1.0": dict(version="1.0", columns=[c for c in ALL if c != "ns"], coerce_timestamps="us", allow_truncated_timestamps=True),
    "int96": dict(use_deprecated_int96_timestamps=True, columns=NO_INT96),
    "arrow-schema": dict(store_schema=False),
    "large-row-group": dict(compression="zstd", data_page_version="2.0", n=20_000, columns=["i64", "f64", "text", "level"]),
    "not-null": dict(dense=True, columns=["i64", "f32", "text", "level", "money", "us"]),
}


def write(name, n=SMALL, columns=ALL, dense=False, **options):
    made = table(n, columns)
    if dense:  # columns that cannot be null
        made = made.take([i for i in range(n) if i % 7 != 3])
        made = made.cast(pa.schema([f.with_nullable(False) for f in made.schema]))
    path = f"{scratch}/{name}.parquet"
    pq.write_table(made, path, row_group_size=options.pop("row_group_size", n), **options)
    return path, made.num_rows, columns


def same(got, want):
    if isinstance(got, float) and isinstance(want, float) and math.isnan(got):
        return math.isnan(want)
    return got == want and isinstance(got, bool) == isinstance(want, bool)


def wanted(name, i):
    typ, value, record = COLUMNS[name]
    if i % 7 == 3 or typ == pa.null():
        return None
    want = (record or value)(i)
    return math.nan if want == "NaN" else want  # the text is the number, in a record


def check(model, rows, columns):
    found = 0
    for path in run("predictions", "files", model, "--paths").stdout.split():
        data = pq.read_table(path)
        names = set(data.column_names)
        for row in data.to_pylist():
            over = json.loads(row.get("overflow") or "{}")
            got = {c[2:]: over.get(c, row[c]) for c in names | set(over) if c.startswith("f_")}
            i = int(got["row"])
            found += 1
            if row["time"] != EPOCH + dt.timedelta(microseconds=i * 1_000_003):
                wrong.append(f"{model}: row {i} has the time {row['time']}")
            for name in columns:
                want = wanted(name, i)
                value = got.get(name)
                value = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value) if isinstance(value, str) else value
                if not same(value, want):
                    wrong.append(f"{model}: row {i}, {name} is {value!r}, want {want!r}")
    if found != rows:
        wrong.append(f"{model}: {found} records of {rows} rows")


for name, options in LAYOUTS.items():
    path, rows, columns = write(name, **options)
    run("model", "register", name, "--state", "experimental")
    run("register", f"{name}@1", "--draft")
    run("predictions", "import", path, "--model", name, "--version", "1", "--map", "time=at")
    check(name, rows, columns)

# What cannot be a value of a record is refused, in one line that names the column and the way out.
REFUSED = {
    "list": column(9, pa.list_(pa.int32()), lambda i: [i]),
    "struct": column(9, pa.struct([("a", pa.int32())]), lambda i: {"a": i}),
    "map": column(9, pa.map_(pa.string(), pa.int32()), lambda i: [("a", i)]),
    "vector": column(9, pa.list_(pa.float32(), 3), lambda i: [1, 2, 3]),
    "time32": column(9, pa.time32("ms"), lambda i: i),
    "time64": column(9, pa.time64("us"), lambda i: i),
    "bytes": column(9, pa.binary(), lambda i: b"\xff\xfe%d" % i),
    "fixed": column(9, pa.binary(4), lambda i: b"abcd"),
}
at = pa.array([EPOCH] * 9, pa.timestamp("us", "UTC"))
for name, values in REFUSED.items():
    path = f"{scratch}/refused-{name}.parquet"
    pq.write_table(pa.table({"at": at, name: values}), path)
    args = ["predictions", "import", path, "--model", "plain", "--version", "1", "--map", "time=at"]
    said = run(*args, code=2).stderr
    if said.count("\n") != 1 or f"the column {name} cannot be read" not in said or f"--skip {name}" not in said:
        wrong.append(f"{name} is refused with {said!r}")
    run(*args, "--skip", name)
pq.write_table(pa.table({"at": at[:0]}), f"{scratch}/empty.parquet")
if "has no rows" not in run("predictions", "import", f"{scratch}/empty.parquet", "--model", "plain", "--version", "1", "--map", "time=at", code=2).stderr:
    wrong.append("a file without rows is not called that")

# Damaged files: taken, or refused in one line; never a crash.
whole = open(f"{scratch}/zstd-v2.parquet", "rb").read()
draw = random.Random(1)
for n in range(12):
    data = bytearray(whole)
    if n % 2:
        del data[draw.randrange(len(data)) :]
    for _ in range(n % 4 * 3):
        if data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    open(f"{scratch}/damaged.parquet", "wb").write(data)
    done = subprocess.run([tallystick, "predictions", "import", f"{scratch}/damaged.parquet", "--model", "plain", "--version", "1", "--map", "time=at"], capture_output=True, text=True, timeout=300)
    if done.returncode not in (0, 1, 2) or "goroutine" in done.stderr or done.returncode == 2 and not done.stderr.splitlines()[-1].startswith("tallystick: "):
        wrong.append(f"damaged file {n}: exit code {done.returncode}: {done.stderr[:400]}")

for line in wrong[:30]:
    print("DEVIATES", line)
print(f"{len(LAYOUTS)} files of PyArrow {pa.__version__} imported, {len(REFUSED)} refused, 12 damaged ones tried; {len(wrong)} deviations")
sys.exit(bool(wrong))
