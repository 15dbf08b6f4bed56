"""Writes the Parquet files of this directory, with pyarrow 21 or later: python write.py

Row i of each column is a formula of i that interop_test.go repeats; rows with i % 7 == 3 are missing.
"""
import datetime as dt, decimal, math, uuid
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

N = 150
def column(typ, value):
    return pa.array([None if i % 7 == 3 else value(i) for i in range(N)], typ)

epoch = dt.datetime(1970, 1, 1)
def double(i):
    return {10: math.nan, 20: math.inf, 30: -math.inf}.get(i, i / 8 - 3)

table = pa.table({
    "flag": column(pa.bool_(), lambda i: i % 3 == 0),
    "i8": column(pa.int8(), lambda i: i - 100 if i < 128 else 0),
    "u16": column(pa.uint16(), lambda i: 65535 - i),
    "i32": column(pa.int32(), lambda i: (i * 7919 - 500) * (-1) ** i),
    "u32": column(pa.uint32(), lambda i: 2**32 - 1 - i),
    "i64": column(pa.int64(), lambda i: i * i * 1_000_003 - 10**12),
    "u64": column(pa.uint64(), lambda i: 2**63 + i * 4096),
    "f16": column(pa.float16(), lambda i: np.float16(i / 4 - 5)),
    "f32": column(pa.float32(), lambda i: i / 16 - 1),
    "f64": column(pa.float64(), double),
    "text": column(pa.string(), lambda i: f"välue {i * i % 11}"),
    "constant": pa.array(["same"] * N),
    "level": pa.DictionaryArray.from_arrays(
        pa.array([None if i % 7 == 3 else 2 - i % 3 for i in range(N)], pa.int32()), ["low", "mid", "high", "unused"]),
    "raw": column(pa.binary(), lambda i: b"\xff\xfe%d" % i),
    "money": column(pa.decimal128(9, 2), lambda i: decimal.Decimal(i * 125 - 700) / 100),
    "big": column(pa.decimal128(30, 4), lambda i: decimal.Decimal(i * 10**20 - 10**21 + 1) / 10000),
    "date": column(pa.date32(), lambda i: dt.date(2020, 2, 28) + dt.timedelta(days=i)),
    "ms": column(pa.timestamp("ms"), lambda i: epoch + dt.timedelta(milliseconds=i * 1234567)),
    "us": column(pa.timestamp("us", "UTC"), lambda i: epoch - dt.timedelta(microseconds=i * 1234567)),
    "ns": pa.array([None if i % 7 == 3 else i * 1234567891 for i in range(N)], pa.timestamp("ns")),
    "uuid": column(pa.uuid(), lambda i: uuid.UUID(int=i << 64 | 7).bytes),
    "nothing": pa.nulls(N),
    "list": column(pa.list_(pa.int32()), lambda i: [i]),
    "struct": column(pa.struct([("a", pa.int32()), ("b", pa.string())]), lambda i: {"a": i, "b": "x"}),
    "last": pa.array(range(N), pa.int64()),
})

def write(name, **options):
    options = {"row_group_size": 64, "data_page_size": 256, "write_batch_size": 16} | options
    pq.write_table(table, name + ".parquet", store_schema=False, **options)

ints = ["i8", "u16", "i32", "u32", "i64", "u64", "date", "ms", "us", "ns", "last"]
write("plain-none-v1", compression="none", use_dictionary=False, data_page_version="1.0", write_page_checksum=True)
write("dictionary-snappy-v1", compression="snappy", data_page_version="1.0")
write("dictionary-zstd-v2", compression="zstd", data_page_version="2.0", row_group_size=N)
write("delta-gzip-v2", compression="gzip", data_page_version="2.0", use_dictionary=False, column_encoding=
    dict.fromkeys(ints, "DELTA_BINARY_PACKED") | {"text": "DELTA_BYTE_ARRAY", "constant": "DELTA_LENGTH_BYTE_ARRAY", "uuid": "DELTA_BYTE_ARRAY"})
write("split-brotli-v1", compression="brotli", data_page_version="1.0", use_dictionary=False, column_encoding=
    dict.fromkeys(ints + ["f32", "f64", "f16", "uuid"], "BYTE_STREAM_SPLIT"))
write("plain-lz4-v2", compression="lz4", data_page_version="2.0", use_dictionary=False)
write("int96-snappy-v1", compression="snappy", data_page_version="1.0", use_deprecated_int96_timestamps=True, version="1.0")
