"""How a clip shows itself on a page: a player and its waveform, without scripts, complete when saved."""

from __future__ import annotations

import pybase64

from stepnb.audio import analysis
from stepnb.audio.clip import Clip, FileFormat

WAV_BYTES = 500_000
"""PCM up to this (10 s at 24 kHz) is embedded as WAV, which all browsers play; above, as smaller FLAC."""

MAX_BYTES = 6_000_000
"""PCM above this (125 s at 24 kHz) is not embedded: it would swell the notebook."""

_BINS = 320
_HEIGHT = 40

# Teal, drawn towards the page's own text colour: darker on a light page, lighter on a dark one.
_COLOR = "color-mix(in srgb, #0b7a75 75%, currentColor)"


def player_html(clip: Clip) -> str:
    """Make the HTML of a clip: a player, its waveform, its duration, rate and peak.

    Returns
    -------
    str
        At most about 8 MB; up to 10 s at 24 kHz 0.7 MB. In place of a player too long to embed, a sentence.
    """
    if not clip.pcm:
        return f"<div>Empty clip: no samples, {_kilohertz(clip.rate)}</div>"
    peak = max(abs(int(clip.samples.min())), abs(int(clip.samples.max())))
    level = f"{analysis.dbfs(peak):.1f}".replace("-", "\N{MINUS SIGN}")
    loudness = f"peak {level} dBFS" if peak else "digital silence"
    facts = f"{_length(clip.duration)} · {_kilohertz(clip.rate)} · {loudness}"
    return (
        '<div style="display:flex;flex-wrap:wrap;align-items:center;gap:6px 14px;max-width:720px">'
        f"{_player(clip)}"
        f"{_waveform_svg(clip, peak, facts)}"
        f'<span style="font-size:12px;font-variant-numeric:tabular-nums;white-space:nowrap">{facts}</span>'
        "</div>"
    )


def _player(clip: Clip) -> str:
    if len(clip.pcm) > MAX_BYTES:
        return "<span>Too long to embed a player: cut it, as in clip[0:60], or clip.save('clip.flac').</span>"
    file_format: FileFormat = "WAV" if len(clip.pcm) <= WAV_BYTES else "FLAC"
    data = pybase64.b64encode_as_string(clip.encoded(file_format))
    return (
        '<audio controls preload="metadata" style="height:36px;width:300px;max-width:100%" '
        f'src="data:audio/{file_format.lower()};base64,{data}"></audio>'
    )


def _waveform_svg(clip: Clip, peak: int, facts: str) -> str:
    low, high = analysis.envelope(clip.samples, _BINS)
    # Scaled to the clip's own peak, which is printed beside it.
    middle = _HEIGHT / 2
    scale = (middle - 1) / max(peak, 1)
    above = [f"{i} {middle - scale * top:.1f}" for i, top in enumerate(high.tolist())]
    below = [f"{i} {middle - scale * bottom:.1f}" for i, bottom in enumerate(low.tolist())]
    outline = "M" + "L".join(above + below[::-1]) + "Z"
    return (
        f'<svg role="img" aria-label="Waveform: {facts}" preserveAspectRatio="none" '
        f'viewBox="0 0 {max(low.size - 1, 1)} {_HEIGHT}" '
        f'style="flex:1 1 160px;min-width:120px;max-width:320px;height:{_HEIGHT}px">'
        f'<path d="{outline}" vector-effect="non-scaling-stroke" style="fill:{_COLOR};stroke:{_COLOR}"/>'
        "</svg>"
    )


def _length(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _kilohertz(rate: int) -> str:
    return f"{rate / 1000:g} kHz"
