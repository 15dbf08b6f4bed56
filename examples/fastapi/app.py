"""A model behind FastAPI, every prediction of which is recorded.

TALLYSTICK_SERVER and TALLYSTICK_TOKEN say where and by whom; TALLYSTICK_INPUT_KEY is a key for the digests of
inputs. With TALLYSTICK_BODIES=yes what came and what was answered is sent along, for the rules of the model.
"""

import math
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from pydantic import BaseModel

from tallystick_recorder import PredictionMiddleware, Recorder

recorder = Recorder(os.environ["TALLYSTICK_SERVER"], os.environ["TALLYSTICK_TOKEN"], model="credit", version="1", environment="example")


@asynccontextmanager
async def lifespan(app):
    yield
    recorder.close()


app = FastAPI(lifespan=lifespan)
key = os.environ.get("TALLYSTICK_INPUT_KEY", "").encode() or None
app.add_middleware(PredictionMiddleware, recorder=recorder, paths={"/predict"}, key=key, bodies=os.environ.get("TALLYSTICK_BODIES") == "yes")


class Applicant(BaseModel):
    income: float
    debt: float
    city: str
    customer: str


@app.post("/predict")
async def predict(applicant: Applicant, request: Request):
    score = 1 / (1 + math.exp((applicant.income - 4 * applicant.debt) / 10_000))
    decision = "refuse" if score >= 0.5 else "grant"
    request.state.prediction.update(
        features={"income": applicant.income, "debt": applicant.debt, "city": applicant.city},
        subject=applicant.customer, score=score, threshold=0.5, rule="refuse at or above the threshold", output=decision, decided_by="automated",
    )
    return {"decision": decision}
