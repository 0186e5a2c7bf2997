"""The ears' side of the pipe: pocketsphinx with a language model of its own. Runs in the child only."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import pocketsphinx

from stepnb.local import arpa, phrasebook
from stepnb.local.worker import Header

SAMPLE_RATE = 16_000
LM_WEIGHT = 6.0
"""Every training sentence counts this often: how far the phrase book is trusted. Chosen on 30 sentences that were taken
out of training for it and are not among those of tests/bench/ears_wer.py."""

WARPS = ("1.0", "1.12", "1.25")
"""Every utterance is recognised once for each of these vocal tract lengths (the acoustic model's mean speaker and two
shorter ones) and the likeliest result wins: higher voices are misheard half as often, for 6 % of real time a pass."""

_MODEL = Path(pocketsphinx.get_model_path()) / "en-us"


class Recognizer:
    """Recognises one utterance at a time; each from the same state, so that the same audio gives the same text.

    Parameters
    ----------
    model
        ``"phrasebook"``: only the words of the phrase book, in orders like its sentences. ``"general"``: pocketsphinx's
        own model of English, which knows far more words and gets far fewer right.
    """

    def __init__(self, model: Literal["phrasebook", "general"] = "phrasebook") -> None:
        options = {"hmm": str(_MODEL / "en-us"), "loglevel": "ERROR"}
        with tempfile.TemporaryDirectory(prefix="stepnb-ears-") as folder:
            if model == "general":
                options |= {"lm": str(_MODEL / "en-us.lm.bin"), "dict": str(_MODEL / "cmudict-en-us.dict")}
            else:
                book = phrasebook.load()
                options |= {"lm": str(Path(folder) / "book.lm"), "dict": str(Path(folder) / "book.dict")}
                Path(options["lm"]).write_text(arpa.trigram_model(book.training, weight=LM_WEIGHT))
                Path(options["dict"]).write_text(pronunciations(book))
            # The model files are read here and not needed afterwards.
            self._decoders = [
                pocketsphinx.Decoder(pocketsphinx.Config(**options, warp_params=warp)) for warp in WARPS
            ]

    def handle(self, header: Header, body: bytes) -> tuple[Header, bytes]:
        """Recognise ``body``, PCM16LE mono 16 kHz.

        Returns
        -------
        header, body
            ``{"text": str, "confidence": 0 to 1}`` and nothing.
        """
        hypotheses = [found for decoder in self._decoders if (found := _decode(decoder, body))]
        if not hypotheses:
            return {"text": "", "confidence": 0.0}, b""
        best = max(hypotheses, key=lambda found: found.score)
        return {"text": phrasebook.display(best.hypstr), "confidence": min(max(best.prob, 0.0), 1.0)}, b""


def _decode(decoder: pocketsphinx.Decoder, pcm: bytes) -> pocketsphinx.Hypothesis | None:
    # Noise statistics outlive an utterance; without this the same audio would be heard differently each time. The
    # cepstral mean does not: it is taken from the utterance, which is processed as a whole.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    return decoder.hyp()


def pronunciations(book: phrasebook.PhraseBook) -> str:
    """Make a dictionary of the phrase book's words, in the recogniser's format.

    Raises
    ------
    ValueError
        A word is neither in the recogniser's dictionary nor in the phrase book's ``[pronunciations]``.
    """
    wanted = book.vocabulary()
    lines = [f"{word} {phones}" for word, phones in book.pronunciations.items()]
    known = set(book.pronunciations)
    with (_MODEL / "cmudict-en-us.dict").open(encoding="utf-8") as dictionary:
        for line in dictionary:
            word = line.split(None, 1)[0].split("(")[0]  # "a(2)" is another way to say "a"
            if word in wanted and word not in book.pronunciations:
                lines.append(line.strip())
                known.add(word)
    if missing := wanted - known:
        raise ValueError(f"no pronunciation for {', '.join(sorted(missing))}: add it to phrasebook.toml")
    return "\n".join([*lines, ""])
