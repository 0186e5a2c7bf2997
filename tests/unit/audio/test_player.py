from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from stepnb.audio.clip import Clip
from stepnb.audio.player import MAX_BYTES, WAV_BYTES, player_html


def noise(samples: int, rate: int = 24000) -> Clip:
    return Clip(np.random.default_rng(2).integers(-32768, 32768, samples).astype(np.int16), rate)


def embedded(html: str) -> tuple[str, bytes]:
    found = re.search(r'src="data:audio/(\w+);base64,([^"]+)"', html)
    assert found
    return found[1], base64.b64decode(found[2], validate=True)


@pytest.mark.parametrize(
    ("samples", "kind"), [(24000, "wav"), (WAV_BYTES // 2, "wav"), (WAV_BYTES // 2 + 1, "flac")]
)
def test_the_player_holds_the_clip(samples: int, kind: str) -> None:
    clip = noise(samples)
    html = player_html(clip)
    assert "<audio controls" in html
    found, data = embedded(html)
    assert found == kind and Clip.load(data) == clip


def test_the_page_stays_small() -> None:
    # Noise is the worst case: FLAC cannot shrink it.
    longest = noise(MAX_BYTES // 2)
    assert len(player_html(longest)) < 8_100_000
    html = player_html(longest + Clip.silence(0.001))
    assert "<audio" not in html and "data:" not in html and len(html) < 10_000
    assert "Too long" in html and "save" in html and "<svg" in html


def test_length_rate_and_peak_are_told() -> None:
    assert "1.50 s · 24 kHz · peak \N{MINUS SIGN}6.0 dBFS" in player_html(Clip([0.5] * 36000, 24000))
    assert "500 ms · 22.05 kHz · digital silence" in player_html(Clip.silence(0.5, 22050))
    assert "4 min 0 s" in player_html(Clip.silence(239.9, 1000))
    assert "peak 0.0 dBFS" in player_html(Clip([-1.0], 24000))


def test_an_empty_clip_says_so() -> None:
    assert player_html(Clip([], 24000)) == "<div>Empty clip: no samples, 24 kHz</div>"


@pytest.mark.parametrize("samples", [1, 2, 100, 24000])
def test_the_waveform_is_well_formed_and_inside_its_box(samples: int) -> None:
    html = player_html(noise(samples)).replace(" controls ", ' controls="" ')
    svg = ET.fromstring(html).find("svg")
    assert svg is not None and svg.get("role") == "img"
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    path = svg.find("path")
    assert path is not None
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"]), float)
    assert len(points) == 2 * min(samples, 320)
    assert points.min() >= 0 and points[:, 0].max() <= width and points[:, 1].max() <= height


def test_the_waveform_shows_where_the_sound_is() -> None:
    html = player_html(Clip.silence(1) + noise(24000))
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", html), float)
    first, second = (points[points[:, 0] < 159], points[points[:, 0] > 161])
    assert np.ptp(first[:, 1]) == 0 and np.ptp(second[:, 1]) > 35


def test_there_is_no_script() -> None:
    assert not re.search(r"<script|\son\w+=|javascript:", player_html(noise(1000)))
