"""Trains two models of the same data, writes what the first says as predictions and saves the second for MLflow to serve.

    replay.py DIRECTORY
"""

import json
import sys
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

scratch = Path(sys.argv[1])
rng = np.random.default_rng(47)
n = 200
data = pd.DataFrame({
    "age": rng.integers(18, 80, n), "city": rng.choice(["York", "Leeds", "Hull"], n), "income": np.round(rng.normal(30, 8, n), 3),
})
data.loc[:4, "income"] = [30.0, 31.0, 29.0, 28.0, 35.0]  # whole numbers in a column of others
y = (data.income + 0.1 * data.age + 3 * (data.city == "Hull") + rng.normal(0, 4, n) > 34).astype(int)


def model(strength):
    columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(C=strength, max_iter=10_000)).fit(data, y)


first, second = model(1.0), model(0.0005)
mlflow.sklearn.save_model(second, str(scratch / "model"), signature=infer_signature(data, second.predict(data)), serialization_format="cloudpickle", pip_requirements=["scikit-learn"])
then, now = first.predict(data), second.predict(data)
with open(scratch / "sent.ndjson", "w") as sent, open(scratch / "ids", "w") as ids:
    for i, row in data.iterrows():
        prediction = f"019cb300-0000-7000-8000-{i:012d}"
        features = {"age": int(row.age), "city": row.city, "income": float(row.income)}
        sent.write(json.dumps({"id": prediction, "model": "credit", "version": "1", "features": features, "output": int(then[i])}) + "\n")
        ids.write(prediction + "\n")
(scratch / "want.json").write_text(json.dumps({"sent": n, "answered": n, "changed": int((then != now).sum())}))
