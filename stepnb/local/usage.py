"""``usage`` of a response, as an estimate: how the service counts, above all audio, is not published."""

from __future__ import annotations

from typing import Any

from stepnb.local.parts import BrainRequest

AUDIO_MS_PER_TOKEN = 80
_LATIN_CHARS_PER_TOKEN = 4


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text: one per Chinese character, one per four others."""
    chinese = sum("\u3400" <= char <= "\u9fff" for char in text)
    return chinese + -(-(len(text) - chinese) // _LATIN_CHARS_PER_TOKEN)


def estimate(request: BrainRequest, heard_ms: int, reply: str, spoken_ms: int) -> dict[str, Any]:
    """Return the ``usage`` of a response.

    Parameters
    ----------
    request
        What the brain was given.
    heard_ms
        Length of the user's recordings in the conversation, ms.
    reply
        The text of the answer, with the arguments of its calls.
    spoken_ms
        Length of its audio, ms.
    """
    said = [message.text for message in request.history]
    called = [call.arguments for message in request.history for call in message.calls]
    text_in = sum(map(text_tokens, [request.instructions, *said, *called]))
    audio_in = heard_ms // AUDIO_MS_PER_TOKEN
    text_out, audio_out = text_tokens(reply), spoken_ms // AUDIO_MS_PER_TOKEN
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {"cached_tokens": 0, "text_tokens": text_in, "audio_tokens": audio_in},
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }
