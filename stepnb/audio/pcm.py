"""PCM16LE mono, the only audio format on the wire: base64 <-> bytes <-> numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

from stepnb.errors import AudioError

RATE = 24_000
"""Sample rate of the wire, Hz."""

BYTES_PER_MS = 48
"""24 samples of 2 bytes."""

PEAK = 32_768
"""Full scale of int16: -1.0 is -32768, +1.0 saturates at 32767."""


def decode(b64: str) -> bytes:
    """Decode base64 text into PCM16LE.

    Parameters
    ----------
    b64
        Padded base64 in the standard alphabet, without spaces or line breaks.

    Returns
    -------
    bytes
        PCM16LE, an even number of bytes.

    Raises
    ------
    AudioError
        The text is not such base64, or holds half a sample.
    """
    try:
        pcm = pybase64.b64decode(b64, validate=True)
    except ValueError as error:
        raise AudioError(
            f"This audio is not base64 ({len(b64)} characters).",
            fix="Use the standard alphabet with padding and without line breaks.",
        ) from error
    return _whole_samples(pcm)


def encode(pcm: bytes) -> str:
    """Encode PCM16LE as base64 text.

    Raises
    ------
    AudioError
        The number of bytes is odd.
    """
    return pybase64.b64encode_as_string(_whole_samples(pcm))


def to_samples(pcm: bytes) -> NDArray[np.int16]:
    """Look at PCM16LE as samples, without a copy.

    Returns
    -------
    (n,) int16
        Read-only, because `pcm` is.

    Raises
    ------
    AudioError
        The number of bytes is odd.
    """
    return np.frombuffer(_whole_samples(pcm), dtype="<i2")


def to_bytes(samples: NDArray[np.int16]) -> bytes:
    """Pack samples: (n,) int16 as PCM16LE."""
    return samples.astype("<i2", copy=False).tobytes()


def from_float(samples: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """Quantise floats to int16, saturating.

    int16 samples divided by 32768 come back unchanged.

    Parameters
    ----------
    samples
        Any shape, floats; full scale is [-1, 1] and what lies beyond is clipped to it.

    Returns
    -------
    int16
        The same shape.

    Raises
    ------
    AudioError
        A sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise AudioError(
            "The samples contain NaN or infinite values.",
            fix="Replace them first, for example with numpy.nan_to_num(samples).",
        )
    scaled: NDArray[Any] = np.rint(samples * np.float32(PEAK))
    return scaled.clip(-PEAK, PEAK - 1).astype(np.int16)


def _whole_samples(pcm: bytes) -> bytes:
    if len(pcm) % 2:
        raise AudioError(
            f"PCM16 audio has two bytes per sample, but this has {len(pcm)} bytes.",
            fix="It was cut inside a sample: cut at even byte offsets.",
        )
    return pcm
