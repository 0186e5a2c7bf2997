"""Whisper ears, with a real model made here: so small that it says the same word, whatever it hears."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepnb.errors import ConfigError, EngineError
from stepnb.local.choices import choose_ears
from stepnb.local.parts import Heard
from stepnb.local.whisper_ears import WhisperEars
from tests.engine.desk import tone

WIDTH = 64
WORD = "Hello."
SPECIALS = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
SPECIALS += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]


def make_model(directory: Path) -> None:
    """Write a Whisper whose layers do nothing and whose output goes by position alone: `WORD`, then the end."""
    specs = pytest.importorskip("ctranslate2").specs
    tokenizers = pytest.importorskip("tokenizers")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    times = [f"<|{at * 0.02:.2f}|>" for at in range(1501)]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[])
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([*SPECIALS, *times])
    tokenizer.save(str(directory / "tokenizer.json"))

    size = len(letters) + len(SPECIALS) + len(times)
    spec = specs.WhisperSpec(1, 1, 1, 1)
    encoder, decoder = spec.encoder, spec.decoder

    def zeros(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.zeros(shape, np.float32)

    def linear(layer: Any, outputs: int, inputs: int) -> None:
        layer.weight, layer.bias = zeros(outputs, inputs), zeros(outputs)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), zeros(WIDTH)

    encoder.conv1.weight, encoder.conv1.bias = zeros(WIDTH, 80, 3), zeros(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = zeros(WIDTH, WIDTH, 3), zeros(WIDTH)
    encoder.position_encodings.encodings = zeros(1500, WIDTH)
    decoder.position_encodings.encodings = np.eye(448, WIDTH, dtype=np.float32)
    decoder.embeddings.weight = zeros(size, WIDTH)
    for side in (encoder, decoder):
        norm(side.layer_norm)
        layer = side.layer[0]
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
        linear(layer.self_attention.linear[1], WIDTH, WIDTH)
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
        linear(layer.ffn.linear_1, WIDTH, 4 * WIDTH)
    attention = decoder.layer[0].attention
    norm(attention.layer_norm)
    for place, outputs in enumerate((WIDTH, 2 * WIDTH, WIDTH)):
        linear(attention.linear[place], outputs, WIDTH)
    output = zeros(size, WIDTH)
    said = tokenizer.encode(WORD, add_special_tokens=False).ids
    for place, token in enumerate([*said, len(letters)], start=1):  # the prompt takes two positions, 0 and 1
        output[token, place] = 1.0
    decoder.projection.weight = output
    spec.register_vocabulary([*letters, *SPECIALS, *times])
    spec.validate()
    spec.save(str(directory))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whisper")
    make_model(directory)
    return directory


def test_it_is_loaded_and_hears(model: Path) -> None:
    async def main() -> tuple[Heard, Heard, Heard]:
        ears = choose_ears(f"whisper:{model}")
        try:
            return await ears.hear(tone(800)), await ears.hear(tone(800)), await ears.hear(tone(50))
        finally:
            await ears.close()

    first, again, short = asyncio.run(main())
    assert first.text == WORD.strip() and 0 < first.confidence <= 1
    assert again == first
    assert short == Heard("", 0.0)


def test_closed_ears_do_not_hear(model: Path) -> None:
    async def main() -> None:
        ears = WhisperEars(str(model))
        await ears.close()
        with pytest.raises(EngineError, match="closed"):
            await ears.hear(tone(800))

    asyncio.run(main())


def test_no_such_model(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    for name in ("no-such-size", str(tmp_path)):
        with pytest.raises(EngineError, match=r"cannot be loaded.*base\.en"):
            choose_ears(f"whisper:{name}")


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineError, match="pip install faster-whisper"):
        choose_ears("whisper:base.en")


@pytest.mark.parametrize("name", ["", "whisper", "whisper:", "dolphin"])
def test_no_such_ears(name: str) -> None:
    with pytest.raises(ConfigError, match="whisper:MODEL"):
        choose_ears(name)
