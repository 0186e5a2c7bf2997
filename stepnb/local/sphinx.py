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

SEARCH = {
    # The acoustic model's mean speaker with a somewhat shorter vocal tract: a middle of lower and higher voices.
    "warp_params": "1.12",
    # pocketsphinx prunes for dictation with a hundred thousand words: with its own beams the right words of this small
    # book are lost before the language model can speak for them. One wide pass over the word tree, and the best path
    # through the lattice it leaves, mishear less than three narrow ones did and cost less.
    "fwdflat": False,
    "pl_window": 0,
    "beam": 1e-60,
    "pbeam": 1e-60,
    "wbeam": 1e-45,
    "lpbeam": 1e-55,
    "lponlybeam": 1e-45,
    # The language model counts half as much again as in dictation; without the bonus for every word it would then
    # prefer few words.
    "lw": 9.75,
    "bestpathlw": 14.25,
    "wip": 5.0,
}
"""How the phrase book is searched. Chosen, like `LM_WEIGHT`, on sentences that the measured ones are not among."""

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
        options: dict[str, object] = {"hmm": str(_MODEL / "en-us"), "loglevel": "ERROR"}
        with tempfile.TemporaryDirectory(prefix="stepnb-ears-") as folder:
            if model == "general":
                options |= {"lm": str(_MODEL / "en-us.lm.bin"), "dict": str(_MODEL / "cmudict-en-us.dict")}
            else:
                book = phrasebook.load()
                lm, dictionary = Path(folder) / "book.lm", Path(folder) / "book.dict"
                lm.write_text(arpa.trigram_model(book.training, weight=LM_WEIGHT))
                dictionary.write_text(pronunciations(book))
                options |= {"lm": str(lm), "dict": str(dictionary)} | SEARCH
            # The model files are read here and not needed afterwards.
            self._decoder = pocketsphinx.Decoder(pocketsphinx.Config(**options))

    def handle(self, header: Header, body: bytes) -> tuple[Header, bytes]:
        """Recognise ``body``, PCM16LE mono 16 kHz.

        Returns
        -------
        header, body
            ``{"text": str, "confidence": 0 to 1}`` and nothing.
        """
        # Noise statistics outlive an utterance; without this the same audio would be heard differently each time. The
        # cepstral mean does not: it is taken from the utterance, which is processed as a whole.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(body, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        if found is None:
            return {"text": "", "confidence": 0.0}, b""
        return {"text": phrasebook.display(found.hypstr), "confidence": min(max(found.prob, 0.0), 1.0)}, b""


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
