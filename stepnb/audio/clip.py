"""Clip: a piece of mono audio."""

from __future__ import annotations

import io
import math
import operator
import os
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import ArrayLike, NDArray

from stepnb.audio.pcm import PEAK, RATE, from_float, to_bytes, to_samples
from stepnb.audio.stimuli import Stimuli
from stepnb.errors import AudioError, AudioFileNotFound

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stepnb.audio.quality import Quality

MIN_RATE = 1_000
MAX_RATE = 384_000
MAX_CHANNELS = 32
MAX_FLOAT = 2.0
"""Floats a little beyond [-1, 1], as resamplers leave them, saturate; beyond this it is another unit."""

FileFormat = Literal["WAV", "FLAC"]
PlotKind = Literal["waveform", "level", "spectrogram", "mel", "pitch"]

_SAVE_FORMATS: dict[str, FileFormat] = {".wav": "WAV", ".flac": "FLAC"}


class Clip(Stimuli):
    """A piece of mono audio: int16 samples and their rate. Immutable; equal when both are equal.

    A notebook shows it as a player with its waveform. ``clip[1.0:2.5]`` cuts by seconds, ``a + b`` joins.

    Parameters
    ----------
    samples
        (n,) mono, or (n, channels), which is mixed down by averaging. int16, or floats in [-1, 1].
    rate
        Hz, 1000 to 384000.

    Raises
    ------
    AudioError
        Another type, shape or unit; NaN or infinite values; a rate out of range.
    """

    __slots__ = ("_pcm", "_rate")
    __iter__ = None  # or Python would iterate by calling clip[0]

    def __init__(self, samples: ArrayLike, rate: int) -> None:
        self._rate = _checked_rate(rate)
        self._pcm = to_bytes(_mono(np.asarray(samples)))

    @classmethod
    def from_pcm(cls, data: bytes, rate: int = RATE) -> Clip:
        """Make a clip of PCM16LE mono.

        Raises
        ------
        AudioError
            The number of bytes is odd, or the rate out of range.
        """
        return cls(to_samples(data), rate)

    @classmethod
    def silence(cls, seconds: float, rate: int = RATE) -> Clip:
        """Make a clip of digital silence.

        Raises
        ------
        AudioError
            `seconds` is negative or not finite, or the rate out of range.
        """
        count = _position(seconds, _checked_rate(rate))
        if count < 0:
            raise AudioError(f"A clip cannot last {seconds} s.", fix="Give the seconds as 0 or more.")
        return cls(np.zeros(count, np.int16), rate)

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes, *, most: float | None = None) -> Clip:
        """Read a WAV, FLAC, OGG or MP3 file; several channels are mixed down to one.

        Parameters
        ----------
        source
            The file's path, or its bytes.
        most
            Seconds to read at most: a small file can hold hours. None: all of it.

        Raises
        ------
        AudioFileNotFound
            There is no such file; also a FileNotFoundError.
        AudioError
            The file is empty or not audio in one of these formats.
        """
        if isinstance(source, bytes):
            return cls._decode(source, f"This data ({len(source)} bytes)", most)
        path = Path(source).expanduser()
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise AudioFileNotFound(
                f"There is no file {str(path)!r}.", fix=f"Relative paths start at {str(Path.cwd())!r}."
            ) from error
        except OSError as error:
            raise AudioError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
        return cls._decode(data, repr(str(path)), most)

    @classmethod
    def _decode(cls, data: bytes, name: str, most: float | None = None) -> Clip:
        if not data:
            raise AudioError(f"{name} is empty.", fix="Record or copy it again.")
        try:
            # float32 holds every int16 and int24 exactly, and MP3 and OGG may reach beyond full scale.
            with soundfile.SoundFile(io.BytesIO(data)) as file:
                rate = file.samplerate
                frames = -1 if most is None else round(most * rate)
                samples = file.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"{name} is not audio that can be read here.",
                fix="WAV, FLAC, OGG and MP3 can; convert others, for example: ffmpeg -i input.m4a output.wav",
            ) from error
        return cls(from_float(samples), rate)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the clip as a 16-bit ``.wav`` or ``.flac`` file; an existing file is replaced.

        Raises
        ------
        AudioError
            Another suffix, or an empty clip as FLAC, which has no form for it.
        OSError
            The file cannot be written.
        """
        target = Path(path).expanduser()
        file_format = _SAVE_FORMATS.get(target.suffix.lower())
        if file_format is None:
            raise AudioError(
                f"A clip cannot be saved as {target.name!r}.", fix="End the name with .wav or .flac."
            )
        if file_format == "FLAC" and not self._pcm:
            raise AudioError("An empty clip cannot be saved as FLAC.", fix="Save it as .wav.")
        target.write_bytes(self.encoded(file_format))

    def encoded(self, file_format: FileFormat) -> bytes:
        """Write the clip as the bytes of a 16-bit file; `file_format` is ``WAV`` or ``FLAC``."""
        buffer = io.BytesIO()
        soundfile.write(buffer, self.samples, self._rate, format=file_format, subtype="PCM_16")
        return buffer.getvalue()

    @property
    def samples(self) -> NDArray[np.int16]:
        """(n,) int16, read-only."""
        return to_samples(self._pcm)

    @property
    def pcm(self) -> bytes:
        """The samples as PCM16LE."""
        return self._pcm

    @property
    def rate(self) -> int:
        """Sample rate, Hz."""
        return self._rate

    @property
    def duration(self) -> float:
        """Length, s."""
        return len(self._pcm) / 2 / self._rate

    def resample(self, rate: int) -> Clip:
        """Convert to another rate with soxr's high quality; the same rate returns the clip itself.

        Raises
        ------
        AudioError
            The rate is out of range.
        """
        if _checked_rate(rate) == self._rate:
            return self
        # As float32, because soxr dithers when it writes int16.
        samples = self.samples.astype(np.float32) / np.float32(PEAK)
        return Clip(from_float(soxr.resample(samples, self._rate, rate, quality="HQ")), rate)

    def quality(self) -> Quality:
        """Judge the clip as a reference for cloning: duration, loudness, clipping, noise, pauses, bandwidth.

        The loudness is left out where pyloudnorm is not installed. Limits and their sources: `stepnb.audio.quality`.
        """
        from stepnb.audio.quality import judge

        return judge(self)

    def trim_silence(self) -> Clip:
        """Cut what is before the first and after the last speech, but for 100 ms; empty when nobody speaks."""
        from stepnb.audio.quality import trim_silence

        return trim_silence(self)

    def normalize(self, lufs: float = -23.0, *, peak_dbfs: float = -1.0) -> Clip:
        """Bring the clip to a loudness, or as near to it as the peak allows.

        Parameters
        ----------
        lufs
            Integrated loudness by ITU-R BS.1770-4, -70 to 0.
        peak_dbfs
            No sample goes beyond this, dB of full scale.

        Raises
        ------
        AudioError
            The clip is silent or shorter than 0.4 s, or a number out of range.
        MissingLibrary
            pyloudnorm is not installed.
        """
        from stepnb.audio.quality import normalize

        return normalize(self, lufs, peak_dbfs)

    def plot(self, kind: PlotKind = "waveform", **options: Any) -> Figure:
        """Draw the clip.

        Parameters
        ----------
        kind
            "waveform", "level" (in dBFS and the service's energy units), "spectrogram", "mel" or "pitch".
        options
            Those of the function of that name in `stepnb.plots`; ``ax=`` draws on axes of yours.

        Raises
        ------
        AudioError
            Another kind, or an option out of range.
        MissingLibrary
            A library the kind needs is not installed.
        """
        from stepnb.plots import draw_clip

        return draw_clip(self, kind, **options)

    def __getitem__(self, part: slice) -> Clip:
        """Cut by seconds: ``clip[1.0:2.5]``, ``clip[-0.5:]``; ends beyond the clip are the clip's ends.

        Raises
        ------
        AudioError
            An index instead of a range, a step, or an end that is not a finite number.
        """
        if not isinstance(part, slice) or part.step is not None:
            raise AudioError(
                "A clip is cut by a range of seconds, without a step.",
                fix="Write clip[1.0:2.5]; single samples are in clip.samples.",
            )
        start, stop = (None if end is None else _position(end, self._rate) for end in (part.start, part.stop))
        return Clip(self.samples[start:stop], self._rate)

    def __add__(self, other: Clip) -> Clip:
        """Join two clips of one rate.

        Raises
        ------
        AudioError
            The rates differ.
        """
        if not isinstance(other, Clip):
            return NotImplemented
        if other._rate != self._rate:
            raise AudioError(
                f"Clips of {self._rate} Hz and {other._rate} Hz cannot be joined.",
                fix=f"Resample one: b.resample({self._rate}).",
            )
        return Clip.from_pcm(self._pcm + other._pcm, self._rate)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Clip):
            return NotImplemented
        return self._rate == other._rate and self._pcm == other._pcm

    def __hash__(self) -> int:
        return hash((self._rate, self._pcm))

    def __repr__(self) -> str:
        return f"Clip({self.duration:.2f} s, {self._rate} Hz)"

    def _repr_html_(self) -> str:
        from stepnb.audio.player import player_html

        return player_html(self)


def _checked_rate(rate: int) -> int:
    try:
        number = operator.index(rate)
    except TypeError:
        number = 0
    if not MIN_RATE <= number <= MAX_RATE:
        raise AudioError(
            f"The rate is {rate!r}, but must be a whole number of Hz from {MIN_RATE} to {MAX_RATE}.",
            fix="Clip(samples, 24000) is the rate of the service.",
        )
    return number


def _position(seconds: float, rate: int) -> int:
    """Find the sample nearest to a time."""
    if not isinstance(seconds, Real) or not math.isfinite(seconds):
        raise AudioError(f"Time in a clip is counted in seconds, but {seconds!r} is not a finite number.")
    return round(float(seconds) * rate)


def _mono(samples: NDArray[Any]) -> NDArray[np.int16]:
    """Check samples and bring them to (n,) int16."""
    if samples.ndim not in (1, 2):
        raise AudioError(f"The samples have shape {samples.shape}, but must be (n,) or (n, channels).")
    if samples.ndim == 2 and not 1 <= samples.shape[1] <= MAX_CHANNELS:
        raise AudioError(
            f"The samples have shape {samples.shape}, but must be (n,) or (n, channels) "
            f"with 1 to {MAX_CHANNELS} channels.",
            fix="If the channels come first, transpose: samples.T.",
        )
    if np.issubdtype(samples.dtype, np.floating):
        peak = np.abs(samples).max(initial=0)
        if MAX_FLOAT < peak < np.inf:
            raise AudioError(
                f"The samples are floats up to {peak:.6g}, but must be in [-1, 1].",
                fix="If their full scale is 32768, divide them by it.",
            )
        samples = from_float(samples)
    elif samples.dtype != np.int16:
        raise AudioError(
            f"The samples are {samples.dtype}, but must be int16 or floats in [-1, 1].",
            fix="If the values are in the range of int16, use numpy.asarray(samples, dtype=numpy.int16).",
        )
    return samples if samples.ndim == 1 else np.rint(samples.mean(axis=1)).astype(np.int16)
