"""Voices against the engine: official ones, and the way from a clip to a session that speaks with it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import stepnb as sn
from stepnb.local.cloning import measure
from stepnb.local.engine import LocalEngine
from stepnb.rest.cloning import reference
from stepnb.rest.library import Library
from stepnb.rest.progress import Progress
from stepnb.rest.voices import _progress
from stepnb.service.loop import io_thread
from tests.engine.rest import HIGH_FAST, LOW_SLOW, clip
from tests.engine.rest_proxy import Fault, RestProxy

CONSENT = "Ada Example, my own voice, 25 November 2026"
SAMPLE = "Please bring an umbrella and a warm coat today."


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7, speed=None) as engine:
        yield engine


@pytest.fixture
def voices(engine: LocalEngine, tmp_path: Path) -> sn.Voices:
    return sn.Voices(engine.url, api_key=engine.key, library=tmp_path / "voices.sqlite")


def pitch(sound: sn.Clip) -> float:
    return measure(sound.resample(24_000).samples / 32768).pitch


def low() -> sn.Clip:
    return sn.Clip.load(clip(LOW_SLOW))


def test_low_and_high_clips_are_heard_in_preview_speech_and_session(
    engine: LocalEngine, voices: sn.Voices
) -> None:
    heard: dict[str, list[float]] = {}
    for speaker in (LOW_SLOW, HIGH_FAST):
        reference = sn.Clip.load(clip(speaker))
        made = voices.clone(reference, consent=CONSENT, accept_cost=True)
        with sn.Session(engine.url, api_key=engine.key, voice=made) as session:
            said = session.ask("hello").wait(timeout=30).audio
        found = {
            "reference": reference,
            "preview": voices.preview(reference, SAMPLE),
            "speech": voices.speak(SAMPLE, made),
            "session": said,
        }
        for way, sound in found.items():
            heard.setdefault(way, []).append(pitch(sound))
    for way, (lower, higher) in heard.items():
        assert lower < 0.6 * higher, way


def test_a_clone_needs_consent_and_confirmation(engine: LocalEngine, voices: sn.Voices) -> None:
    for consent in (None, "", "  "):
        with pytest.raises(sn.NeedsConsent, match="who speaks and agreed"):
            voices.clone(low(), consent=consent, accept_cost=True)
    with pytest.raises(sn.NeedsConfirmation, match=r"9\.90 CNY .*accept_cost=True") as caught:
        voices.clone(low(), consent=CONSENT)
    assert caught.value.currency == "CNY"
    for cluster, price, currency in (
        ("cn", 9.9, "CNY"),
        ("global", 1.5, "USD"),
        ("cn/step_plan", 9.9, "CNY"),
    ):
        with pytest.raises(sn.NeedsConfirmation) as caught:
            sn.Voices(cluster, api_key="k").clone(low(), consent=CONSENT)
        assert (caught.value.price, caught.value.currency) == (price, currency)


def test_the_same_clip_is_paid_for_once_in_all_notebooks(engine: LocalEngine, voices: sn.Voices) -> None:
    with RestProxy(engine) as proxy:
        library = voices.library.path
        first = sn.Voices(proxy.url, api_key=engine.key, library=library)
        made = first.clone(
            low()[0:8], "The words.", consent=CONSENT, accept_cost=True, name="Ada", notes="dry room"
        )
        other_notebook = sn.Voices(proxy.url, api_key=engine.key, library=library)
        again = other_notebook.clone(low()[0:8], consent="Somebody else", accept_cost=True)
        assert again == made
        assert proxy.seen["POST /v1/audio/voices"] == proxy.seen["POST /v1/files"] == 1
        (listed,) = (voice for voice in other_notebook.list() if voice.id == made.id)
    assert (listed.name, listed.notes, listed.transcript) == ("Ada", "dry room", "The words.")
    assert listed.consent == again.consent == CONSENT
    assert listed.consented_at is not None
    assert listed.created is not None
    assert listed.model == "stepaudio-2.5-tts"
    assert listed.clip == low()[0:8]
    page = listed._repr_html_()
    assert "Ada" in page
    assert CONSENT in page
    assert "<audio" in page


def test_a_clone_that_was_made_before_is_not_shown_as_an_upload(
    voices: sn.Voices, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Progress, "say", lambda _, state: said.append(state))
    for _ in range(2):
        voices.clone(low()[0:7.5], consent=CONSENT, accept_cost=True)
    assert said == ["cloning", "ready", "ready"]


def test_the_hash_is_of_the_sound_not_of_the_file(voices: sn.Voices, tmp_path: Path) -> None:
    low().save(tmp_path / "clip.flac")
    assert (
        voices.upload(low()) == voices.upload(tmp_path / "clip.flac") == voices.upload(clip(LOW_SLOW, "FLAC"))
    )
    assert voices.upload(low()[0:6]) != voices.upload(low())


def test_a_lost_library_costs_nothing(engine: LocalEngine, tmp_path: Path) -> None:
    with RestProxy(engine) as proxy:
        made = sn.Voices(proxy.url, api_key=engine.key, library=tmp_path / "one").clone(
            low(), consent=CONSENT, accept_cost=True
        )
        before = proxy.seen["POST /v1/audio/voices"]
        again = sn.Voices(proxy.url, api_key=engine.key, library=tmp_path / "two").clone(
            low(), consent=CONSENT, accept_cost=True
        )
        assert again.id == made.id
        assert proxy.seen["POST /v1/audio/voices"] == before


def test_what_the_service_calls_duplicated_is_a_voice_like_any(
    engine: LocalEngine, voices: sn.Voices
) -> None:
    answer = b'{"id": "voice-tone-Known00001", "object": "audio.voice", "duplicated": true}'
    with RestProxy(engine, Fault("POST", "/v1/audio/voices", 200, body=answer)) as proxy:
        own = sn.Voices(proxy.url, api_key=engine.key, library=voices.library.path)
        made = own.clone(low()[0:5.5], consent=CONSENT, accept_cost=True)
        assert made.id == "voice-tone-Known00001"
        assert own.clone(low()[0:5.5], consent=CONSENT, accept_cost=True) == made
        # The engine does not list it; the library still does.
        assert own.list()[-1] == made


def test_another_model_is_another_voice(engine: LocalEngine, voices: sn.Voices) -> None:
    with RestProxy(engine) as proxy:
        own = sn.Voices(proxy.url, api_key=engine.key, library=voices.library.path)
        own.clone(low()[0:6.5], consent=CONSENT, accept_cost=True)
        own.clone(low()[0:6.5], consent=CONSENT, accept_cost=True, model="step-tts-2")
        assert proxy.seen["POST /v1/audio/voices"] == 2
        assert proxy.seen["POST /v1/files"] == 1


def test_names_and_notes_can_be_changed(voices: sn.Voices) -> None:
    made = voices.clone(low(), consent=CONSENT, accept_cost=True, name="Ada")
    voices.describe(made, notes="hoarse")
    voices.describe(made.id, name="Ada L.")
    (listed,) = (voice for voice in voices.list() if voice == made)
    assert (listed.name, listed.notes) == ("Ada L.", "hoarse")
    with pytest.raises(sn.ConfigError, match="does not know"):
        voices.describe("voice-tone-0000000000", name="x")


@pytest.mark.parametrize("format", ["wav", "mp3", "flac", "opus"])
def test_a_preview_in_any_container(engine: LocalEngine, voices: sn.Voices, format: str) -> None:
    async def preview() -> sn.Clip:
        # What the service documents as WAV and what it sends may differ: the option is ours, the container is its.
        what = sn.Clip.load(clip(LOW_SLOW))
        body = {"model": "stepaudio-2.5-tts", "sample_text": SAMPLE, "response_format": format}
        return await voices._preview(reference(what), body, _progress(reference(what)))

    sound = io_thread.submit(preview()).result(60)
    assert 1 < sound.duration < 6
    assert np.abs(sound.samples).max() > 3000


@pytest.mark.parametrize("sent", ["bm90IGF1ZGlv", "%%%", "UklGRiQAAABXQVZF"])
def test_a_preview_that_is_not_audio(engine: LocalEngine, voices: sn.Voices, sent: str) -> None:
    body = f'{{"sample_audio": "{sent}"}}'.encode()
    with RestProxy(engine, Fault("POST", "/v1/audio/voices/preview", 200, body=body)) as proxy:
        own = sn.Voices(proxy.url, api_key=engine.key, library=voices.library.path)
        with pytest.raises(sn.AudioError):
            own.preview(low(), SAMPLE)


def test_all_pages_of_own_voices(engine: LocalEngine, voices: sn.Voices) -> None:
    pages = [
        b'{"data": [{"id": 3, "file_id": 1}], "has_more": true, "last_id": 3}',
        b'{"data": [{"id": "2", "created_at": 1770000123}], "has_more": false}',
    ]
    with RestProxy(engine, *(Fault("GET", "/v1/audio/voices", 200, body=page) for page in pages)) as proxy:
        own = sn.Voices(proxy.url, api_key=engine.key, library=voices.library.path).list()
    assert [voice.id for voice in own] == ["3", "2"]
    assert "2026-02-02" in repr(own[1])
    assert "not noted here" in own._repr_html_()


def test_it_can_be_awaited(voices: sn.Voices) -> None:
    async def work() -> tuple[sn.Clip, sn.ClonedVoice]:
        heard, made = await asyncio.gather(
            voices.preview.aio(low(), SAMPLE), voices.clone.aio(low(), consent=CONSENT, accept_cost=True)
        )
        return heard, made

    heard, made = asyncio.run(work())
    assert heard.duration > 1
    assert made.id.startswith("voice-tone-")


def test_two_notebooks_that_clone_the_same_at_once_pay_once(engine: LocalEngine, tmp_path: Path) -> None:
    with RestProxy(engine) as proxy:
        both = [sn.Voices(proxy.url, api_key=engine.key, library=tmp_path / "l.sqlite") for _ in range(2)]

        async def race() -> list[sn.ClonedVoice]:
            calls = (own.clone.aio(low()[0:7], consent=CONSENT, accept_cost=True) for own in both)
            return await asyncio.gather(*calls)

        first, second = asyncio.run(race())
        assert first == second
        assert proxy.seen["POST /v1/audio/voices"] == 1


def test_official_voices_say_what_is_known() -> None:
    mainland = sn.Voices("cn", api_key="k").official("stepaudio-2.5-realtime")
    known = {voice.id: mainland.known(voice) for voice in mainland}
    assert known["linjiajiejie"].startswith("accepted")
    assert known["tianmeinvsheng"].startswith("rejected")
    assert "vibrant-youth" not in known
    page = mainland._repr_html_()
    assert "邻家姐姐" in page
    assert "rejected" in page
    overseas = {voice.id for voice in sn.Voices("global", api_key="k").official()}
    assert "lively-girl" in overseas
    assert "linjiajiejie" not in overseas


def test_voices_of_the_other_cluster_are_mapped_on_request() -> None:
    overseas, mainland = sn.Voices("global", api_key="k"), sn.Voices("cn", api_key="k")
    assert overseas.equivalent("cixingnansheng") == "magnetic-voiced-male"
    assert mainland.equivalent("magnetic-voiced-male") == "cixingnansheng"
    assert overseas.equivalent("lively-girl") == "lively-girl"
    assert mainland.equivalent("zixinnansheng") == overseas.equivalent("zixinnansheng") == "zixinnansheng"
    for unknown in ("wenjingxuejie", "voice-tone-Ab12Cd34Ef"):
        with pytest.raises(sn.ConfigError, match=r"voices\.official\(\)"):
            overseas.equivalent(unknown)


def test_a_session_takes_an_official_voice(engine: LocalEngine) -> None:
    voice = sn.Voices("cn", api_key="k").official()[0]
    with sn.Session(engine.url, api_key=engine.key, voice=voice) as session:
        assert session._core.settings.config.voice == voice.id
        session.update(voice="linjiajiejie")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: v.preview(low(), "x" * 51), "51 characters"),
        (lambda v: v.preview(low(), " "), "nothing to say"),
        (lambda v: v.preview(low(), "x", model="stepaudio-2.5-realtime"), "not a speech model"),
        (lambda v: v.speak("x" * 1001, "linjiajiejie"), "1001 characters"),
        (lambda v: v.speak("x", "linjiajiejie", speed=3), "0.5 to 2"),
        (lambda v: v.upload(sn.Clip.silence(6)), "digital silence"),
        (lambda v: v.upload(low()[0:4.9]), "4.9 s long"),
        (lambda v: v.upload(low() + low()), r"clip\[0:9\]"),
        (lambda v: v.upload(b""), "is empty"),
        (lambda v: v.upload(b"not audio at all"), "not audio"),
    ],
)
def test_what_the_service_would_refuse_is_said_before(voices: sn.Voices, call: object, words: str) -> None:
    with pytest.raises((sn.ConfigError, sn.AudioError), match=words):
        call(voices)  # type: ignore[operator]
    assert not voices.library.path.exists()


def test_the_library_is_private_and_has_no_key(engine: LocalEngine, voices: sn.Voices) -> None:
    voices.clone(low(), consent=CONSENT, accept_cost=True)
    assert voices.library.path.stat().st_mode & 0o077 == 0
    for path in voices.library.path.parent.iterdir():
        assert engine.key.encode() not in path.read_bytes()
    with sqlite3.connect(voices.library.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_where_the_library_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEPNB_LIBRARY", str(tmp_path / "named.sqlite"))
    assert Library().path == tmp_path / "named.sqlite"
    assert Library(tmp_path / "given").path == tmp_path / "given"
    monkeypatch.delenv("STEPNB_LIBRARY")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Library().path == tmp_path / "stepnb" / "voices.sqlite"


def test_practice_leaves_nothing_in_the_users_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEPNB_LIBRARY", str(tmp_path / "mine.sqlite"))
    first, second = sn.Voices("local"), sn.Voices("local")
    made = first.clone(low(), consent=CONSENT, accept_cost=True)
    assert second.clone(low(), consent=CONSENT, accept_cost=True) == made
    assert not (tmp_path / "mine.sqlite").exists()
    for voices in (first, second):
        voices.close()
