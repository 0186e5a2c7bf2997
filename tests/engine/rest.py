"""What the tests of the REST side share: a plain HTTP client, clips, and the documented endpoints."""

from __future__ import annotations

import asyncio
import functools
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from stepnb.local.engine import LocalEngine
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, VoiceSettings

Json = dict[str, Any]

SPEC: Json = json.loads((Path(__file__).parents[1] / "data" / "rest.json").read_text("utf-8"))
CLONE_MODEL = "stepaudio-2.5-tts"
# Speakers that cloning itself never uses.
LOW_SLOW = VoiceSettings(english="en", variant="m5", pitch=15, rate=140)
HIGH_FAST = VoiceSettings(english="en", variant="f5", pitch=75, rate=190)

_TEXT = (
    "The old bridge over the river was closed last winter, and nobody knows when it will open again. "
    "We walked along the water."
)


def connect(engine: LocalEngine) -> httpx.Client:
    headers = {"Authorization": f"Bearer {engine.key}"}
    return httpx.Client(base_url=engine.rest_url, headers=headers, trust_env=False, timeout=60)


@functools.cache
def clip(speaker: VoiceSettings, format: str = "WAV") -> bytes:
    """A reference clip: 6 to 9 s of speech."""
    with ThreadPoolExecutor(1) as pool:  # asyncio.run does not work in the thread of the browser tests
        pcm = pool.submit(lambda: asyncio.run(EspeakMouth().speak(_TEXT, speaker))).result(60)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.frombuffer(pcm, "<i2"), SAMPLE_RATE, format=format)
    return buffer.getvalue()


def upload(http: httpx.Client, name: str, data: bytes, purpose: str = "storage") -> str:
    """Upload a file; returns its id."""
    response = http.post("/files", data={"purpose": purpose}, files={"file": (name, data)})
    assert response.status_code == 200, response.text
    file_id: str = response.json()["id"]
    return file_id


def cloned(http: httpx.Client, speaker: VoiceSettings) -> str:
    """Clone a speaker; returns the voice's id."""
    file_id = upload(http, "clip.wav", clip(speaker))
    response = http.post("/audio/voices", json={"model": CLONE_MODEL, "file_id": file_id})
    assert response.status_code == 200, response.text
    voice_id: str = response.json()["id"]
    return voice_id


def refused(response: httpx.Response, status: int, words: str) -> None:
    """Check an error's status, shape and words."""
    assert response.status_code == status, response.text
    assert response.headers["x-trace-id"]
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == {"message", "type"}
    assert words in body["error"]["message"] and body["error"]["type"]
