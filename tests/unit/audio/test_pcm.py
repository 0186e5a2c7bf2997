from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stepnb.audio import pcm
from stepnb.errors import AudioError

int16_arrays = hnp.arrays(np.int16, st.integers(0, 300))


def test_constants_agree() -> None:
    assert pcm.BYTES_PER_MS * 1000 == 2 * pcm.RATE


@given(int16_arrays)
def test_every_step_of_the_codec_is_lossless(samples: np.ndarray) -> None:
    data = pcm.to_bytes(samples)
    assert pcm.encode(data) == base64.b64encode(samples.astype("<i2").tobytes()).decode()
    assert pcm.decode(pcm.encode(data)) == data
    np.testing.assert_array_equal(pcm.to_samples(data), samples)


def test_bytes_are_little_endian() -> None:
    assert pcm.to_bytes(np.array([1, -2], np.int16)) == b"\x01\x00\xfe\xff"
    assert pcm.to_samples(b"\x01\x00\xfe\xff").tolist() == [1, -2]
    assert pcm.to_bytes(np.array([1, -2], ">i2")) == b"\x01\x00\xfe\xff"


def test_samples_are_read_only_for_good() -> None:
    samples = pcm.to_samples(bytes(4))
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        samples.setflags(write=True)


@pytest.mark.parametrize(
    "text", ["A", "AAA", "AAAA\n", "AA AA", "-_-_", "AAAA=", "AA==AA==", "\u00e9AAA", "=AAA", "\ud800AAA"]
)
def test_what_is_not_strict_base64_is_refused(text: str) -> None:
    with pytest.raises(AudioError, match="not base64"):
        pcm.decode(text)


@given(st.text(max_size=40))
def test_any_text_decodes_or_is_an_audio_error(text: str) -> None:
    try:
        data = pcm.decode(text)
    except AudioError:
        return
    assert len(data) % 2 == 0


def test_half_a_sample_is_refused() -> None:
    odd = base64.b64encode(b"123").decode()
    for act in (lambda: pcm.decode(odd), lambda: pcm.encode(b"123"), lambda: pcm.to_samples(b"123")):
        with pytest.raises(AudioError, match="3 bytes"):
            act()


@given(int16_arrays, st.sampled_from([np.float32, np.float64]))
def test_floats_made_of_int16_come_back(samples: np.ndarray, dtype: type) -> None:
    np.testing.assert_array_equal(pcm.from_float(samples.astype(dtype) / 32768), samples)


def test_floats_saturate_and_round() -> None:
    values = np.array([1.0, 7.5, -1.0, -7.5, 0.6 / 32768, -0.6 / 32768, 0.4 / 32768])
    assert pcm.from_float(values).tolist() == [32767, 32767, -32768, -32768, 1, -1, 0]


@given(hnp.arrays(np.float64, 20, elements=st.floats(-2, 2)))
def test_quantising_is_within_half_a_step_and_monotone(values: np.ndarray) -> None:
    quantised = pcm.from_float(values).astype(np.float64)
    assert np.abs(quantised - np.clip(values * 32768, -32768, 32767)).max() <= 0.5
    assert (np.diff(quantised[np.argsort(values)]) >= 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(AudioError, match="nan_to_num"):
        pcm.from_float(np.array([0.0, bad]))
