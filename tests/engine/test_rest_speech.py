"""Speech: formats, voices, and what of a text is spoken."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import soundfile

from stepnb.errors import EngineError
from stepnb.local.engine import LocalEngine
from stepnb.local.parts import VoiceSettings
from stepnb.protocol import catalog
from tests.engine.rest import connect, refused

TEXT = "Hello, the weather is nice today."


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with LocalEngine(seed=7) as engine, connect(engine) as http:
        yield http


def say(http: httpx.Client, **changes: Any) -> httpx.Response:
    body = {"model": "step-tts-2", "input": TEXT, "voice": "linjiajiejie", "response_format": "pcm"}
    return http.post("/audio/speech", json=body | changes)


def pcm(http: httpx.Client, **changes: Any) -> bytes:
    return say(http, **changes).raise_for_status().content


@pytest.mark.parametrize(
    ("format", "kind", "container"),
    [
        ("wav", "audio/wav", "WAV"),
        ("mp3", "audio/mpeg", "MP3"),
        ("flac", "audio/flac", "FLAC"),
        ("opus", "audio/ogg", "OGG"),
    ],
)
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_formats(http: httpx.Client, format: str, kind: str, container: str, rate: int) -> None:
    response = say(http, response_format=format, sample_rate=rate)
    assert response.headers["content-type"] == kind
    info = soundfile.info(io.BytesIO(response.content))
    assert info.format == container and info.channels == 1
    assert info.samplerate == (24000 if (format, rate) == ("opus", 22050) else rate)
    assert info.duration == pytest.approx(len(pcm(http)) / 48000, abs=0.1)


def test_pcm(http: httpx.Client) -> None:
    response = say(http)
    assert response.headers["content-type"] == "audio/pcm"
    assert len(pcm(http, sample_rate=8000)) == pytest.approx(len(response.content) / 3, abs=4)
    wav = say(http, response_format="wav").content
    assert soundfile.read(io.BytesIO(wav), dtype="int16")[0].tobytes() == response.content


def test_speed_and_volume(http: httpx.Client) -> None:
    usual = pcm(http)
    assert len(pcm(http, speed=2.0)) < 0.7 * len(usual) < len(pcm(http, speed=0.5))
    peaks = [max(map(abs, memoryview(pcm(http, volume=volume)).cast("h"))) for volume in (0.5, 1.0)]
    assert peaks[0] == pytest.approx(peaks[1] / 2, abs=2)
    assert max(memoryview(pcm(http, volume=2.0)).cast("h")) <= 32767


@pytest.mark.parametrize("model", ["stepaudio-2.5-tts", "step-tts-2", "step-tts-mini"])
def test_voices_of_a_model(http: httpx.Client, model: str) -> None:
    allowed = {voice.id for voice in catalog.voices(model)}
    others = [voice.id for voice in catalog.voices() if voice.id not in allowed]
    assert pcm(http, model=model, voice=min(allowed))
    for voice in [*others[:1], "nobody", "voice-tone-0000000000"]:
        refused(say(http, model=model, voice=voice), 400, f"voice {voice} is not valid")


def test_the_retired_name_still_answers(http: httpx.Client) -> None:
    assert pcm(http, model="step-tts-vivid") == pcm(http)


def test_directions_are_not_spoken_by_the_newest(http: httpx.Client) -> None:
    directed = {"input": "(whispering) Hello（低声）."}
    assert pcm(http, model="stepaudio-2.5-tts", **directed) == pcm(
        http, model="stepaudio-2.5-tts", input="Hello ."
    )
    assert len(pcm(http, **directed)) > len(pcm(http, input="Hello ."))


def test_markdown_and_pronunciation(http: httpx.Client) -> None:
    marked = "# Hello\n\n- the **weather** is [nice](https://example.com) `today`."
    plain = "Hello\n\nthe weather is nice today."
    assert pcm(http, input=marked, markdown_filter=True) == pcm(http, input=plain)
    mapped = pcm(http, input="OMG today.", pronunciation_map={"tone": ["OMG/oh my goodness"]})
    assert mapped == pcm(http, input="oh my goodness today.")
    refused(say(http, pronunciation_map={"tone": ["OMG"]}), 400, "word/replacement")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"voice_label": {"emotion": "happy"}, "model": "stepaudio-2.5-tts"}, "voice_label cannot"),
        ({"voice_label": {"emotion": "happy", "style": "slow"}}, "exactly one"),
        ({"voice_label": {}}, "exactly one"),
        ({"instruction": "calm"}, "instruction can be used with"),
        ({"return_url": True}, "leave return_url out"),
        ({"input": ""}, "input"),
        ({"input": "…"}, "nothing to pronounce"),
        ({"sample_rate": 44100}, "sample_rate"),
    ],
)
def test_refused(http: httpx.Client, changes: dict[str, Any], words: str) -> None:
    refused(say(http, **changes), 400, words)


def test_labels_and_instructions_are_taken(http: httpx.Client) -> None:
    assert pcm(http, voice_label={"emotion": "happy"})
    assert pcm(http, model="stepaudio-2.5-tts", instruction="calmly")


def test_events(http: httpx.Client) -> None:
    response = say(http, stream_format="sse")
    assert response.headers["content-type"].startswith("text/event-stream")
    frames = response.text.split("\n\n")
    assert frames.pop() == "" and frames.pop() == "data: [DONE]"
    events = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    assert b"".join(base64.b64decode(event["audio"]) for event in events) == pcm(http)


def test_both_languages(http: httpx.Client) -> None:
    assert len(pcm(http, input="今天天气很好。Nice weather.")) > len(pcm(http, input="Nice weather."))


def test_a_mouth_that_fails() -> None:
    class Broken:
        async def speak(self, text: str, voice: VoiceSettings) -> bytes:
            raise EngineError("The mouth is full.")

        async def close(self) -> None: ...

    with LocalEngine(mouth=Broken()) as engine, connect(engine) as http:
        refused(say(http), 500, "The mouth is full.")
