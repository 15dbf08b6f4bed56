"""Encodes prediction records from their JSON, by docs/prediction.md alone: a record a line, its encoding and leaf a line."""

import hashlib, json, math, struct, sys
from datetime import datetime, timedelta, timezone

TAGS = """id salt time model version_requested version version_source environment route actor subject trace_id span_id input_digest
input_keyed features features_ref output score threshold rule rationale attributions latency_us status decided_by by from why flags extra
body_rule request_type request_digest response_type response_digest""".split()
NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def uvarint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + uvarint(n >> 7)


def text(s):
    return uvarint(len(s.encode())) + s.encode()


def typed(v):
    v = NUMBERS.get(v, v) if isinstance(v, str) else v
    if isinstance(v, float) and v.is_integer() and -(2**63) <= v < 2**63:
        v = int(v)
    if v is None or isinstance(v, bool):
        return bytes([0 if v is None else 1 + v])
    if isinstance(v, int) and -(2**63) <= v < 2**63:
        return b"\3" + uvarint(2 * v if v >= 0 else -2 * v - 1)
    if isinstance(v, (int, float)):
        return b"\4" + (bytes.fromhex("7ff8000000000000") if v != v else struct.pack(">d", v))
    if isinstance(v, bytes):
        return b"\6" + uvarint(len(v)) + v
    if isinstance(v, dict):
        return b"\7" + uvarint(len(v)) + b"".join(text(k) + typed(x) for k, x in sorted(v.items(), key=lambda e: e[0].encode()))
    return b"\10" + uvarint(len(v)) + b"".join(map(text, v)) if isinstance(v, list) else b"\5" + text(v)


for record in map(json.loads, sys.stdin):
    record |= record.pop("override", {})
    for way in "request", "response":
        record |= {f"{way}_{key}": value for key, value in record.pop(f"{way}_body", {}).items()}
    for name in record.keys() & {"id", "salt", "trace_id", "span_id", "input_digest", "request_digest", "response_digest"}:
        record[name] = bytes.fromhex(record[name].removeprefix("sha256:").replace("-", ""))
    record["time"] = (datetime.fromisoformat(record["time"]) - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
    if "extra" in record:
        record["extra"] = json.dumps(record["extra"], separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    encoding = b"\1" + b"".join(bytes([i]) + typed(record[name]) for i, name in enumerate(TAGS, 1) if name in record)
    print(encoding.hex(), hashlib.sha256(b"\0" + encoding).hexdigest())
