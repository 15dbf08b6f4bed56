"""Evidently's data-drift preset on two Parquet files: python evidently_drift.py DATA REFERENCE.

Prints the seconds that reading and comparing took, without the imports, and how many columns drift.
"""

import json
import sys
import time

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def main(data: str, reference: str) -> None:
    started = time.monotonic()
    current, base = pd.read_parquet(data), pd.read_parquet(reference)
    read = time.monotonic()
    numbers = list(current.select_dtypes("number").columns)
    definition = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[c for c in current.columns if c not in numbers],
    )
    result = Report([DataDriftPreset()]).run(
        Dataset.from_pandas(current, data_definition=definition),
        Dataset.from_pandas(base, data_definition=definition),
    )
    drifted = json.loads(result.json())["metrics"][0]["value"]
    json.dump(
        {
            "rows": len(current),
            "columns": len(current.columns),
            "read_seconds": read - started,
            "compare_seconds": time.monotonic() - read,
            "drifted": drifted["count"],
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
