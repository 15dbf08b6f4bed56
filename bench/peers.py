"""Runs tallystick audit and Evidently's data-drift preset on the same two Parquet files.

python peers.py TALLYSTICK DATA REFERENCE prints wall and CPU seconds and the peak of resident memory
of both processes, each from its start to its end, and the ratios. The audit does more than compare: it
profiles columns, measures performance, looks for slices and leaks, judges, records and signs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def run(command: list[str], env: dict[str, str] | None = None) -> tuple[dict[str, float], str, int]:
    """Returns what the command cost, what it printed, and its exit code."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cost = {
        "wall s": time.monotonic() - started,
        "CPU s": usage.ru_utime + usage.ru_stime,
        "peak MiB": usage.ru_maxrss / 1024,
    }
    return cost, printed, process.returncode


def main(tallystick: str, data: str, reference: str) -> int:
    here = os.path.dirname(os.path.realpath(__file__))
    with tempfile.TemporaryDirectory() as scratch:
        env = dict(os.environ, XDG_DATA_HOME=scratch + "/data", XDG_STATE_HOME=scratch + "/state")
        ours, printed, code = run(
            [tallystick, "audit", data, "--reference", reference, "--label", "label", "--score", "score",
             "--out", scratch + "/out", "--format", "json"], env)  # fmt: skip
        if code not in (0, 1):  # 1: the gate refuses, because nothing was promised
            print(f"tallystick ended with {code}", file=sys.stderr)
            return 1
        report = json.loads(printed)
    theirs, printed, code = run([sys.executable, os.path.join(here, "evidently_drift.py"), data, reference])
    if code != 0:
        print(f"Evidently ended with {code}", file=sys.stderr)
        return 1
    peer = json.loads(printed)
    print(f"{peer['rows']:,} rows x {peer['columns']} columns against a reference of {report['drift']['reference_rows']:,} rows")
    print(f"{'':24}" + "".join(f"{name:>12}" for name in ours))
    for name, cost in (("tallystick audit", ours), ("Evidently, drift only", theirs)):
        print(f"{name:24}" + "".join(f"{v:12.1f}" for v in cost.values()))
    print(f"{'ratio':24}" + "".join(f"{theirs[k] / ours[k]:12.1f}" for k in ours))
    print(f"Evidently without its imports: read {peer['read_seconds']:.1f} s, compared {peer['compare_seconds']:.1f} s")
    print(f"columns that drift, where nothing has changed: tallystick {report['drift']['drifted']}, Evidently {peer['drifted']:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
