"""Words and characters of transcripts, as error rates count them. English and Chinese may stand in one sentence."""

from __future__ import annotations

import re
import unicodedata

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_TOKEN = re.compile(rf"{_HAN}|[^\W_]+(?:['’][^\W_]+)*")


def tokens(text: str) -> list[str]:
    """Return the words of a text, in small letters and without punctuation; a Chinese character is one."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _TOKEN.findall(plain)


def normal_words(text: str) -> str:
    """Return the words of a text, parted by spaces."""
    return " ".join(tokens(text))


def characters(text: str) -> str:
    """Return the letters and digits of a text without anything between them."""
    return "".join(tokens(text)).replace("'", "")


def speech_rate(text: str, seconds: float) -> float | None:
    """Return words a minute, None where nothing was said."""
    count = len(tokens(text))
    return 60 * count / seconds if count and seconds > 0 else None
