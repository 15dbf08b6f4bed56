"""Records predictions with a Tallystick server, from a thread of its own. Standard library only.

    recorder = Recorder("https://tallystick.example.org", token, model="credit", version="3")
    app.add_middleware(PredictionMiddleware, recorder=recorder, paths={"/predict"})

A handler says what it predicted:

    request.state.prediction.update(features=..., score=..., output=...)

and the caller finds the id of the record in the header Prediction-Id.
"""

import atexit
import base64
import gzip
import hashlib
import hmac
import http.client
import json
import logging
import math
import os
import queue
import random
import re
import ssl
import threading
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

log = logging.getLogger("tallystick")

MAX_BODY = 4 << 20  # bytes of a batch, before it is packed; the server takes 8 MiB
MAX_INPUT = 1 << 20  # bytes of a request of which a digest is made
MAX_KEPT = 256 << 10  # bytes of a body that the server may keep


class QueueFull(Exception):
    """The prediction was not recorded: too many wait for the server."""


def new_id() -> str:
    """Returns a UUID of version 7 (RFC 9562)."""
    bits = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | 7 << 76
    bits = bits & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=bits))


def finite(value):
    """Returns value in the form that JSON has for it."""
    if isinstance(value, dict):
        return {name: finite(v) for name, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


class Recorder:
    """Sends records in batches, in order. What waits is bounded: record raises QueueFull beyond.

    A batch is sent until the server has answered, under one id, so that it is kept once. rejected(record,
    reason) is called for each record that the server does not take; without it the log is told. What waits in
    memory is lost with the process, but for close(), which runs at exit: a device that is often without its
    server wants the Go client, which keeps its buffer on disk.
    """

    def __init__(self, url, token, *, batch=500, linger=0.5, waiting=10_000, timeout=10.0, rejected=None, **defaults):
        parts = urllib.parse.urlsplit(url)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("the server needs https: the token would go in the clear")
        self._address, self._secure = parts.netloc, parts.scheme == "https"
        self._token, self._batch, self._linger, self._timeout = token, batch, linger, timeout
        self._defaults, self._rejected = defaults, rejected or self._tell
        self._queue = queue.Queue(waiting)
        self._closing = threading.Event()
        self._deadline = math.inf
        self._connection = None
        self.taken = self.refused = self.lost = 0
        self._thread = threading.Thread(target=self._run, name="tallystick-recorder", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def record(self, record: dict) -> str:
        """Hands a record over and returns its id. It does not wait for the server."""
        if self._closing.is_set():
            raise QueueFull("the recorder is closed")
        whole = {"id": new_id(), "time": datetime.now(timezone.utc).isoformat(), **self._defaults, **record}
        line = json.dumps(finite(whole), allow_nan=False)
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            raise QueueFull("too many predictions wait for the server") from None
        return whole["id"]

    def close(self, timeout: float = 30.0) -> bool:
        """Sends what waits, for as long as timeout, and returns whether all of it was answered."""
        self._deadline = min(self._deadline, time.monotonic() + timeout)
        self._closing.set()
        self._thread.join(timeout + self._timeout)
        return not self._thread.is_alive() and self.lost == 0

    def _tell(self, record, reason):
        log.error("prediction %s was not taken: %s", record.get("id"), reason)

    def _run(self):
        while lines := self._gather():
            self._deliver(lines)

    def _gather(self):
        """Returns the lines of the next batch; none once all is sent and the recorder closed."""
        lines, size, until = [], 0, None
        while len(lines) < self._batch and size < MAX_BODY:
            wait = 0.1 if until is None else until - time.monotonic()
            try:
                line = self._queue.get(timeout=max(wait, 0.001)) if not self._closing.is_set() else self._queue.get_nowait()
            except queue.Empty:
                if lines and (self._closing.is_set() or time.monotonic() >= until):
                    return lines
                if self._closing.is_set() and not lines:
                    return lines
                continue
            lines.append(line)
            size += len(line)
            until = until or time.monotonic() + self._linger
        return lines

    def _deliver(self, lines):
        batch, pause = str(uuid.uuid4()), 0.5
        body = gzip.compress("\n".join(lines).encode())
        while True:
            try:
                status, after, answer = self._post(batch, body)
            except (OSError, http.client.HTTPException) as fault:
                status, after, answer = 0, 0.0, {"detail": str(fault)}
            if status in (200, 207, 422):
                rejected = answer.get("rejected") or []
                self.taken += len(lines) - len(rejected)
                self.refused += len(rejected)
                for one in rejected:
                    self._rejected(json.loads(lines[one["index"]]), one["message"])
                return
            if status in (400, 409, 413, 415):  # it would be no better the next time
                self.refused += len(lines)
                for line in lines:
                    self._rejected(json.loads(line), answer.get("detail", status))
                return
            wait = max(after, pause * random.uniform(0.5, 1.5))
            if time.monotonic() + wait > self._deadline:
                self.lost += len(lines)
                log.error("%d predictions were not recorded before the end: %s", len(lines), answer.get("detail", status))
                return
            log.warning("predictions wait: %s", answer.get("detail", status))
            self._sleep(wait)
            pause = min(2 * pause, 60.0)

    def _sleep(self, wait):
        """Sleeps; the end of the process shortens what is not asked for by its deadline."""
        until = time.monotonic() + wait
        while time.monotonic() < min(until, self._deadline):
            time.sleep(min(0.1, max(0.0, until - time.monotonic())))

    def _post(self, batch, body):
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Batch-Id": batch,
        }
        if self._connection is None:
            if self._secure:
                self._connection = http.client.HTTPSConnection(self._address, timeout=self._timeout, context=ssl.create_default_context())
            else:
                self._connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
        try:
            self._connection.request("POST", "/api/v1/predictions", body, headers)
            response = self._connection.getresponse()
            text = response.read()
        except BaseException:
            self._connection.close()
            self._connection = None
            raise
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        after = response.headers.get("Retry-After", "")
        return response.status, float(after) if after.isdigit() else 0.0, answer


class Body:
    """What was sent, as long as it is not too large for the server to keep."""

    def __init__(self, headers):
        types = [value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"]
        self._type, self._parts, self._size = types[0] if types else "", [], 0

    def add(self, part):
        self._size += len(part)
        if self._size <= MAX_KEPT:
            self._parts.append(part)
        else:
            self._parts.clear()

    def sent(self):
        """Returns the body as a record has it, None if there is none or it was too large."""
        if 0 < self._size <= MAX_KEPT:
            data = {"base64": base64.b64encode(b"".join(self._parts)).decode()}
            return {**data, "type": self._type} if self._type.isprintable() and 0 < len(self._type) <= 128 and self._type.isascii() else data
        return None


class PredictionMiddleware:
    """ASGI middleware that records a prediction for each request to one of paths.

    It measures the latency, makes a digest of the input (keyed, if key is given: nobody else can then try
    inputs until one fits), takes over the trace of the header traceparent, and adds what the handler put into
    request.state.prediction. If nothing more can wait for the server, requests are answered as before and the
    log is told; with strict=True they are answered by 503 from then on.

    With bodies=True it sends what came and what was answered, too, each up to 256 KiB. The server keeps of that
    what the rules of the model say, and drops the rest.
    """

    def __init__(self, app, *, recorder, paths, key=None, strict=False, bodies=False):
        self.app, self.recorder, self.paths, self.key, self.strict, self.bodies = app, recorder, set(paths), key, strict, bodies

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] not in self.paths:
            await self.app(scope, receive, send)
            return
        record = {"id": new_id(), "route": scope["path"], **trace(scope)}
        said = scope.setdefault("state", {})["prediction"] = {}
        digest = hmac.new(self.key, digestmod=hashlib.sha256) if self.key else hashlib.sha256()
        started, size, status, held, silenced = time.perf_counter(), 0, 500, None, False
        asked = Body(scope.get("headers", [])) if self.bodies else None

        async def hearing():
            nonlocal size
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size <= MAX_INPUT:
                digest.update(part)
            if asked:
                asked.add(part)
            return message

        async def saying(message):
            nonlocal status, held, silenced
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"prediction-id", record["id"].encode())]
                held = message  # until the record is handed over
                return
            if held is not None:
                begin, held = held, None
                if not hand_over(begin, message) and self.strict:
                    body = b'{"detail":"the prediction could not be recorded"}'
                    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"application/json"), (b"retry-after", b"5")]})
                    await send({"type": "http.response.body", "body": body})
                    silenced = True
                    return
                await send(begin)
            if not silenced:
                await send(message)

        def hand_over(begin=None, message=None):
            record["latency_us"] = int((time.perf_counter() - started) * 1e6)
            record["status"] = "ok" if status < 500 else "error"
            if 0 < size <= MAX_INPUT:
                record["input_digest"] = "sha256:" + digest.hexdigest()
                if self.key:
                    record["input_keyed"] = True
            if asked and (sent := asked.sent()):
                record["request_body"] = sent
            if self.bodies and message and not message.get("more_body"):  # of what is streamed the end is not known
                answered = Body(begin["headers"])
                answered.add(message.get("body", b""))
                if sent := answered.sent():
                    record["response_body"] = sent
            try:
                self.recorder.record({**record, **said})
            except (QueueFull, ValueError, TypeError) as fault:
                log.error("a prediction was not recorded: %s", fault)
                return False
            return True

        try:
            await self.app(scope, hearing, saying)
        except Exception:
            if held is None and status == 500:
                hand_over()
            raise


TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def trace(scope):
    """Returns the ids of the header traceparent (W3C Trace Context), if it has some."""
    for name, value in scope.get("headers", []):
        if name == b"traceparent" and (found := TRACEPARENT.match(value.decode("latin-1"))):
            return {"trace_id": found[1], "span_id": found[2]}
    return {}
