"""Bytes and audio, in memory and on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.record import AudioRef, joined
from stepnb.errors import ConfigError
from stepnb.recording.store import AudioStore, Blob


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    file = os.open(tmp_path / "blob", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    yield file
    os.close(file)


@given(
    steps=st.lists(st.one_of(st.binary(max_size=20), st.none()), max_size=20),
    start=st.integers(0, 100),
    length=st.integers(0, 100),
)
def test_a_blob_reads_as_one_wherever_it_lies(
    tmp_path_factory: pytest.TempPathFactory, steps: list[bytes | None], start: int, length: int
) -> None:
    file = os.open(tmp_path_factory.mktemp("blob") / "blob", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        blob, whole = Blob(), b""
        blob.attach(file)
        for step in steps:
            if step is None:
                blob.write_out(blob.pieces)
                assert blob.waiting == 0
            else:
                assert blob.append(step) == len(whole)
                whole += step
        assert blob.size == len(whole)
        assert blob.read(start, length) == whole[start : start + length]
        assert os.fstat(file).st_size == blob.size - blob.waiting
    finally:
        os.close(file)


def test_only_what_was_there_at_the_time_is_written(descriptor: int) -> None:
    blob = Blob()
    blob.attach(descriptor)
    blob.append(b"first")
    count = blob.pieces
    blob.append(b"later")
    blob.write_out(count)
    assert os.pread(descriptor, 100, 0) == b"first" and blob.waiting == 5


refs = st.builds(AudioRef, st.integers(-1, 30), st.integers(0, 10), st.sampled_from(["input", "output"]))


@given(st.lists(refs))
def test_joined_stretches_hold_the_same_audio(stretches: list[AudioRef]) -> None:
    def samples(of: list[AudioRef]) -> list[tuple[str, int]]:
        return [(ref.lane, ref.offset + n if ref.kept else -1) for ref in of for n in range(ref.length)]

    assert samples(joined(stretches)) == samples(stretches)


@pytest.mark.parametrize(("keep", "kept"), [("all", "ab"), ("input", "a"), ("output", "b"), ("none", "")])
def test_only_chosen_audio_is_kept(keep: Any, kept: str) -> None:
    store = AudioStore(keep)
    sent, came = store.append(b"a", "input"), store.append(b"b", "output")
    assert store.read([sent, came]) == kept.encode() and store.size == len(kept)
    assert (sent.length, came.length) == (1, 1)
    assert (sent.kept, came.kept) == ("a" in kept, "b" in kept)
    assert sent.part(0, 1).kept == sent.kept


def test_other_choices_are_refused() -> None:
    with pytest.raises(ConfigError, match="keep_audio is 'some'"):
        AudioStore("some")  # type: ignore[arg-type]
