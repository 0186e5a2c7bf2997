"""The mouth's side of the pipe: espeak-ng through ctypes, in a process that speaks once.

Runs in the child only. espeak-ng is GPL-3.0-or-later; it is loaded here and never into the kernel.
"""

from __future__ import annotations

import ctypes
import re

import espeakng_loader

from stepnb.local.worker import Header

# Constants of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4

_BUFFER_MS = 200
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Samples, how many of them, events; a return value of 0 means: go on.
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def split_scripts(text: str) -> list[tuple[str, str]]:
    """Cut a text where its script changes.

    Digits, punctuation and spaces belong to the run before them (at the start: to the run after them), so that "3 点"
    is read in Mandarin and "Python 3" in English.

    Parameters
    ----------
    text
        English, Chinese or mixed text.

    Returns
    -------
    list of (language, run)
        Language is ``"zh"`` or ``"en"``; the runs make up the text.
    """
    runs: list[tuple[str, str]] = []
    for char in text:
        language = "zh" if _HAN.match(char) else "en" if char.isalpha() else ""
        if not runs:
            runs.append((language, char))
        elif language in ("", runs[-1][0]) or not runs[-1][0]:
            runs[-1] = (runs[-1][0] or language, runs[-1][1] + char)
        else:
            runs.append((language, char))
    return [(language or "en", run) for language, run in runs]


class Synthesizer:
    """espeak-ng, ready to speak.

    Raises
    ------
    RuntimeError
        The library does not start.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._chunks: list[bytes] = []
        self._callback = _Callback(self._collect)  # kept: the library holds only a pointer to it
        self.sample_rate = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS,
            _BUFFER_MS,
            espeakng_loader.get_data_path().encode(),
            _INITIALIZE_DONT_EXIT,
        )
        if self.sample_rate <= 0:
            raise RuntimeError(
                "espeak-ng did not start; reinstall it with: pip install --force-reinstall espeakng-loader"
            )
        self._library.espeak_SetSynthCallback(self._callback)
        # Breathy variants (+f2, +f3) are noisy by chance, and the library takes its seed from the wall clock.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))

    def handle(self, header: Header, body: bytes) -> tuple[Header, bytes]:
        """Speak ``body`` (UTF-8) with the settings in the header (the fields of ``VoiceSettings``).

        Returns
        -------
        header, body
            ``{"rate": Hz}`` and PCM16LE mono at that rate.
        """
        self._chunks.clear()
        for parameter, name in (
            (_RATE, "rate"),
            (_VOLUME, "volume"),
            (_PITCH, "pitch"),
            (_RANGE, "pitch_range"),
        ):
            self._check(
                self._library.espeak_SetParameter(parameter, int(header[name]), 0), f"{name} {header[name]}"
            )
        for language, run in split_scripts(_CONTROL.sub(" ", body.decode())):
            voice = header["mandarin"] if language == "zh" else header["english"]
            if header["variant"]:
                voice += "+" + header["variant"]
            self._check(self._library.espeak_SetVoiceByName(voice.encode()), f"voice {voice}")
            data = run.encode() + b"\0"
            done = self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data)), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
            )
            self._check(done, "text")
            self._check(self._library.espeak_Synchronize(), "end of text")
        return {"rate": self.sample_rate}, b"".join(self._chunks)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != 0:
            raise RuntimeError(f"espeak-ng refused the {what} (status {status})")
