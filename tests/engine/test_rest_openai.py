"""The openai package as a foreign client, where its shapes allow: files, speech and vector stores."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.rest import LOW_SLOW, clip

openai = pytest.importorskip("openai")


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    with LocalEngine(seed=7) as engine:
        client = openai.OpenAI(base_url=engine.rest_url, api_key=engine.key, max_retries=0, timeout=60)
        with client:
            yield client


def test_files(client: openai.OpenAI) -> None:
    file = client.files.create(file=("clip.wav", clip(LOW_SLOW)), purpose="storage")
    assert file.id.startswith("file-") and file.bytes == len(clip(LOW_SLOW)) and file.status == "processed"
    assert client.files.retrieve(file.id).filename == "clip.wav"
    assert file.id in [listed.id for listed in client.files.list()]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError, match="there is no file"):
        client.files.retrieve(file.id)


def test_content(client: openai.OpenAI) -> None:
    file = client.files.create(file=("notes.md", b"# Notes\n\nwords"), purpose="file-extract")
    assert client.files.content(file.id).text == "# Notes\n\nwords"


@pytest.mark.parametrize("format", ["mp3", "wav", "opus", "flac", "pcm"])
def test_speech(client: openai.OpenAI, format: str) -> None:
    speech = client.audio.speech.create(
        model="step-tts-2", voice="linjiajiejie", input="Hello there.", response_format=format, speed=1.2
    )
    assert len(speech.content) > 2000


def test_streamed_speech(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="step-tts-2", voice="linjiajiejie", input="Hello there."
    ) as speech:
        assert b"".join(speech.iter_bytes())


def test_vector_stores(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(name="manual")
    assert client.vector_stores.retrieve(store.id).file_counts.total == 0
    for number in range(3):
        client.vector_stores.create(name=f"manual_{number}")
    assert len(list(client.vector_stores.list(limit=2))) == 4  # it walks the pages itself
    assert client.vector_stores.delete(store.id).deleted


def test_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="voice nobody is not valid") as caught:
        client.audio.speech.create(model="step-tts-2", voice="nobody", input="Hello.")
    assert caught.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError, match="must be one of"):
        client.files.create(file=("a.exe", io.BytesIO(b"MZ")), purpose="storage")
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").files.list()
