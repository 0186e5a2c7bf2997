"""Cloning that can be heard: two speakers, their clones, and sessions that speak with them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from stepnb.local.cloning import Traits, measure
from stepnb.local.engine import LocalEngine
from stepnb.protocol import catalog
from tests.engine.client import Client, audio_of, transcript_of
from tests.engine.rest import CLONE_MODEL, HIGH_FAST, LOW_SLOW, clip, cloned, connect, refused, upload

SAMPLE = "Please bring an umbrella and a warm coat today."
assert len(SAMPLE) <= 50


@dataclass
class Place:
    engine: LocalEngine
    http: httpx.Client
    files: dict[str, str]
    voices: dict[str, str]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with LocalEngine(seed=7, speed=None) as engine, connect(engine) as http:
        speakers = {"low": LOW_SLOW, "high": HIGH_FAST}
        files = {name: upload(http, "clip.wav", clip(speaker)) for name, speaker in speakers.items()}
        voices = {name: cloned(http, speaker) for name, speaker in speakers.items()}
        yield Place(engine, http, files, voices)


def traits(pcm: bytes) -> Traits:
    return measure(np.frombuffer(pcm, "<i2") / 32768)


def preview(place: Place, file_id: str) -> bytes:
    body = {
        "model": CLONE_MODEL,
        "file_id": file_id,
        "sample_text": SAMPLE,
        "response_format": "pcm",
    }
    answer = place.http.post("/audio/voices/preview", json=body)
    return base64.b64decode(answer.raise_for_status().json()["sample_audio"])


def speech(place: Place, voice: str, text: str) -> bytes:
    body = {"model": CLONE_MODEL, "input": text, "voice": voice, "response_format": "pcm"}
    return place.http.post("/audio/speech", json=body).raise_for_status().content


def in_session(engine: LocalEngine, voice: str, **session: Any) -> tuple[bytes, str]:
    with Client(engine) as client:
        assert client.update(voice=voice, **session)["session"]["voice"] == voice
        events = client.ask("hello")
        return audio_of(events), transcript_of(events)


def test_low_and_high_in_preview_speech_and_session(place: Place) -> None:
    heard: dict[str, Callable[[str], bytes]] = {
        "preview": lambda name: preview(place, place.files[name]),
        "speech": lambda name: speech(place, place.voices[name], SAMPLE),
        "session": lambda name: in_session(place.engine, place.voices[name])[0],
    }
    for way, listen in heard.items():
        low, high = traits(listen("low")), traits(listen("high"))
        assert low.pitch < 0.6 * high.pitch, way
        assert low.rate < 0.9 * high.rate, way


def test_the_clone_keeps_the_pitch_of_its_clip(place: Place) -> None:
    for name, low, high in (("low", 55, 90), ("high", 230, 320)):
        assert low < traits(preview(place, place.files[name])).pitch < high


def test_preview_speech_and_session_are_the_same_voice(place: Place) -> None:
    for name in ("low", "high"):
        assert preview(place, place.files[name]) == speech(place, place.voices[name], SAMPLE)
        audio, text = in_session(place.engine, place.voices[name])
        assert audio == speech(place, place.voices[name], text)


def test_a_clone_is_none_of_the_official_voices(place: Place) -> None:
    said = {voice: speech(place, voice, "Hello.") for voice in (*place.voices.values(), "linjiajiejie")}
    assert len(set(said.values())) == 3


def test_the_same_clip_is_the_same_voice(place: Place) -> None:
    body = {"model": CLONE_MODEL, "file_id": place.files["low"], "text": "The old bridge."}
    for file_id in (place.files["low"], upload(place.http, "again.wav", clip(LOW_SLOW))):
        answer = place.http.post("/audio/voices", json=body | {"file_id": file_id}).json()
        assert answer == {"id": place.voices["low"], "object": "audio.voice", "duplicated": True}
    with LocalEngine(seed=99) as engine, connect(engine) as http:
        fresh = http.post("/audio/voices", json=body | {"file_id": upload(http, "a.wav", clip(LOW_SLOW))})
        assert fresh.json() == {"id": place.voices["low"], "object": "audio.voice"}


def test_a_preview_makes_nothing(place: Place) -> None:
    before = place.http.get("/audio/voices").json()
    mp3 = upload(place.http, "clip.mp3", clip(LOW_SLOW, "MP3"))
    assert preview(place, mp3)
    assert place.http.get("/audio/voices").json() == before


def test_a_preview_that_is_always_wav() -> None:
    with LocalEngine(profile="live:preview_is_wav=true") as engine, connect(engine) as http:
        body = {
            "model": CLONE_MODEL,
            "file_id": upload(http, "clip.wav", clip(LOW_SLOW)),
            "sample_text": "hello",
        }
        for asked, magic in (
            ({}, b"RIFF"),
            ({"response_format": "mp3"}, b"RIFF"),
            ({"response_format": "flac"}, b"fLaC"),
        ):
            answer = http.post("/audio/voices/preview", json=body | asked).raise_for_status()
            assert base64.b64decode(answer.json()["sample_audio"]).startswith(magic)


def test_the_list(place: Place) -> None:
    body = place.http.get("/audio/voices", params={"order": "asc", "limit": 1}).json()
    assert [entry["id"] for entry in body["data"]] == [place.voices["low"]] and body["has_more"]
    rest = place.http.get("/audio/voices", params={"order": "asc", "after": body["last_id"]}).json()
    assert [entry["id"] for entry in rest["data"]] == [place.voices["high"]] and not rest["has_more"]
    back = place.http.get("/audio/voices", params={"order": "asc", "before": rest["first_id"]}).json()
    assert back["data"] == body["data"]


def test_clips_that_cannot_be_cloned(place: Place) -> None:
    def clone(name: str, data: bytes, purpose: str = "storage") -> httpx.Response:
        file_id = upload(place.http, name, data, purpose)
        body = {"model": CLONE_MODEL, "file_id": file_id}
        preview_body = body | {"sample_text": "Hello."}
        again = place.http.post("/audio/voices/preview", json=preview_body)
        answer = place.http.post("/audio/voices", json=body)
        assert again.json() == answer.json()
        return answer

    wav = clip(LOW_SLOW)
    refused(clone("a.wav", wav[:50_000]), 400, "between 5 and 10 seconds")
    refused(clone("a.wav", b"RIFF\0\0\0\0WAVE" + bytes(100)), 400, "not audio")
    refused(clone("a.wav", wav[:44] + bytes(len(wav) - 44)), 400, "no speech found")
    refused(clone("a.png", b"\x89PNG\r\n\x1a\n"), 400, "wav or mp3")
    refused(clone("a.txt", b"words", "file-extract"), 400, "wav or mp3")
    missing = {"model": CLONE_MODEL, "file_id": "file-none"}
    refused(place.http.post("/audio/voices", json=missing), 404, "no file file-none")


def test_sample_text_of_51_characters(place: Place) -> None:
    body = {"model": CLONE_MODEL, "file_id": place.files["low"]}
    for text in ("", "x" * 51):
        refused(
            place.http.post("/audio/voices/preview", json=body | {"sample_text": text}), 400, "sample_text"
        )
    refused(place.http.post("/audio/voices/preview", json=body | {"sample_text": "..."}), 400, "pronounce")


@pytest.mark.parametrize("model", [known.id for known in catalog.models() if known.cloned_voices])
def test_models_that_take_clones(place: Place, model: str) -> None:
    with Client(place.engine, model) as client:
        assert client.update(voice=place.voices["low"])["session"]["voice"] == place.voices["low"]


def test_a_voice_that_was_never_cloned(place: Place) -> None:
    with Client(place.engine) as client:
        error = client.refusal("session.update", session={"voice": "voice-tone-0000000000"})
        assert "voice-tone-0000000000 is not valid" in error["message"]


def test_a_clone_survives_a_restart_and_reaches_other_engines(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with LocalEngine(store=path, speed=None) as engine, connect(engine) as http:
        voice = cloned(http, LOW_SLOW)
        first = in_session(engine, voice)
        with LocalEngine(store=path, speed=None) as other:
            assert in_session(other, voice) == first
    with LocalEngine(store=path, speed=None) as engine, connect(engine) as http:
        assert http.get("/audio/voices").json()["first_id"] == voice
        assert in_session(engine, voice) == first


def test_memory_forgets() -> None:
    engine = LocalEngine()
    with engine, connect(engine) as http:
        upload(http, "a.txt", b"words", "retrieval-text")
    with engine, connect(engine) as http:
        assert http.get("/files").json()["data"] == []
