"""What a `Clip` can do to become a stimulus; `stepnb.audio.signals` does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from stepnb.audio.pcm import RATE

if TYPE_CHECKING:
    from stepnb.audio.clip import Clip


class Stimuli:
    """Noise, echo, lost packets, a telephone: methods of every `Clip`. What is random is the same for the same seed."""

    __slots__ = ()

    @property
    def _clip(self) -> Clip:
        return cast("Clip", self)  # nothing else is one

    def mix(self, noise: Clip, snr_db: float) -> Clip:
        """Add noise, repeated or cut to the clip's length, at a signal-to-noise ratio.

        The clip's level is its RMS without pauses (frames more than 30 dB below the loudest), the noise's that of all
        of it. Where the sum would clip, both are turned down together.

        Raises
        ------
        AudioError
            One of them is empty or silent, or the ratio is not from -100 to 100 dB.
        """
        from stepnb.audio.signals import mix

        return mix(self._clip, noise, snr_db)

    @classmethod
    def pink_noise(cls, seconds: float, *, rate: int = RATE, seed: int = 0) -> Clip:
        """Make noise with equal power in every octave above 20 Hz, at -26 dBFS; the same for the same seed."""
        from stepnb.audio.signals import pink_noise

        return pink_noise(seconds, rate, seed)

    @classmethod
    def babble(
        cls, seconds: float, *, voices: int = 8, speech: Sequence[Clip] = (), rate: int = RATE, seed: int = 0
    ) -> Clip:
        """Make many people talk at once, at -26 dBFS; the same for the same seed.

        Parameters
        ----------
        voices
            How many, 1 to 100.
        speech
            Clips to make it of, each repeated from a random place on; none: syllables of no language (needs scipy).

        Raises
        ------
        AudioError
            A number out of range, or a silent clip.
        MissingLibrary
            scipy is not installed.
        """
        from stepnb.audio.signals import babble

        return babble(seconds, rate, voices, speech, seed)

    def echo(self, delay_ms: float, gain_db: float = -12.0) -> Clip:
        """Add the clip to itself, later by `delay_ms` (0 to 60000) and at `gain_db` (-100 to 0).

        The clip grows by the delay.

        Raises
        ------
        AudioError
            A number out of range.
        """
        from stepnb.audio.signals import echo

        return echo(self._clip, delay_ms, gain_db)

    def packet_loss(self, rate: float, *, packet_ms: float = 20, burst: float = 1.0, seed: int = 0) -> Clip:
        """Replace lost packets by silence; the same for the same seed.

        Parameters
        ----------
        rate
            Share of packets that are lost, 0 to 1.
        packet_ms
            Length of a packet, 1 to 1000 ms.
        burst
            How many are lost one after the other, on average (Gilbert's model); 1 or more.

        Raises
        ------
        AudioError
            A number out of range.
        """
        from stepnb.audio.signals import packet_loss

        return packet_loss(self._clip, rate, packet_ms, burst, seed)

    def telephone(self) -> Clip:
        """Let it come through a telephone: 300 to 3400 Hz, 8 kHz, 8 bits of G.711 mu-law; needs scipy."""
        from stepnb.audio.signals import telephone

        return telephone(self._clip)
