"""Record tests/data/ears_microphone anew: what the engine's ears get through the page's microphone.

    pytest tests/browser/record_ears.py     (on a quiet machine, or before everything else: nice -n -15 ...)

Every sentence of sentences.tsv is spoken into the microphone of real JupyterLab, through Chromium's echo cancellation,
noise suppression and gain control, and cut by the session's VAD; an answer is heard in between. What the ears are given
is kept, all of it. Speech that took longer than it was spoken means that the machine was too busy; the end of the run
says how many did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from stepnb.local import phrasebook
from stepnb.local.ears import condition
from stepnb.local.parts import SAMPLE_RATE
from tests.bench.ears_wer import MICROPHONE, VOICES, bare, recordings
from tests.browser._panel import Panel, evaluate, soon
from tests.browser._signal import Sound
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

# An engine whose ears keep what they are given, and whose brain is brief.
CELL = """
import itertools, pathlib
import stepnb as sn
from stepnb.local.ears import SphinxEars
from stepnb.local.parts import BrainReply

folder, numbers = pathlib.Path({folder!r}), itertools.count()

class Ears(SphinxEars):
    async def hear(self, pcm):
        heard = await super().hear(pcm)
        (folder / f"{{next(numbers):03}}.pcm").write_bytes(pcm)
        return heard

class Brain:
    def reply(self, request):
        return BrainReply(text="Okay, I have heard you.", language="en")

engine = sn.LocalEngine(ears=Ears(), brain=Brain()).start()
s = sn.Session(cluster=engine.url, api_key=engine.key)
s
"""


@pytest.mark.timeout(570)
def test_record(
    open_notebook: OpenNotebook, ear: Recorder, mouth: Mouth, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    spoken = {
        display: sentence
        for sentence in phrasebook.load().held_out(2000)
        for display in [phrasebook.display(sentence)]
    }
    notebook = open_notebook(CELL.format(folder=str(tmp_path)))
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    taken: list[tuple[str, np.ndarray, float]] = []
    for file, voice, said in recordings():
        pcm = _speak(spoken[said], voice)
        before = sorted(tmp_path.iterdir())
        mouth.say(Sound(np.frombuffer(pcm, "<i2"), SAMPLE_RATE)).wait()
        soon(lambda before=before: len(list(tmp_path.iterdir())) > len(before), said)
        panel.wait_for(40, answering="false", state="listening")
        pieces = [path for path in sorted(tmp_path.iterdir()) if path not in before]
        heard = b"".join(path.read_bytes() for path in pieces)
        stretch = len(condition(heard)) / len(condition(pcm))
        taken.append((file, np.frombuffer(heard, "<i2"), stretch))
        figure(f"{file} {voice:9} {said:50} {len(pieces)} utterance, {stretch:.2f} of its length")
    evaluate(notebook, "engine.close()")
    for file, samples, _ in taken:
        sf.write(MICROPHONE / file, samples, SAMPLE_RATE)
    figure(
        f"{sum(abs(stretch - 1) > 0.1 for *_, stretch in taken)} of {len(taken)} are over 10 % longer or shorter"
    )


def _speak(sentence: str, voice: str) -> bytes:
    # Playwright's loop runs on this thread.
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        ((_, (pcm,)),) = pool.submit(asyncio.run, bare([sentence], VOICES[voice])).result()
    return pcm
