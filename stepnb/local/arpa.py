"""A small trigram language model in the ARPA format, from weighted sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import log10

ORDER = 3
BEGIN, END = "<s>", "</s>"


def trigram_model(sentences: Iterable[tuple[str, float]], *, weight: float = 1.0) -> str:
    """Make an interpolated Witten-Bell model.

    A history that was followed by many different words leaves much to the shorter history: after "what is", anything
    may come; after "how much", hardly anything but "is".

    Parameters
    ----------
    sentences
        Sentences and how often each was said; fractions are welcome.
    weight
        Multiplies every count: a larger one trusts the sentences more, a smaller one smooths more.

    Returns
    -------
    str
        The model in the ARPA back-off format.
    """
    counts: list[dict[tuple[str, ...], float]] = [defaultdict(float) for _ in range(ORDER)]
    for sentence, count in sentences:
        words = (BEGIN, *sentence.split(), END)
        for order in range(1, ORDER + 1):
            for start in range(len(words) - order + 1):
                counts[order - 1][words[start : start + order]] += count * weight
    # <s> is given, never predicted.
    del counts[0][(BEGIN,)]

    totals: dict[tuple[str, ...], float] = defaultdict(float)
    followers: dict[tuple[str, ...], int] = defaultdict(int)
    for table in counts:
        for gram, count in table.items():
            totals[gram[:-1]] += count
            followers[gram[:-1]] += 1

    size = len(counts[0])
    probability: dict[tuple[str, ...], float] = {(): 1 / size}
    for table in counts:
        for gram, count in table.items():
            history = gram[:-1]
            lower = probability[gram[1:]]
            probability[gram] = (count + followers[history] * lower) / (totals[history] + followers[history])

    lines = ["\\data\\", f"ngram 1={size + 1}", *(f"ngram {n + 1}={len(counts[n])}" for n in range(1, ORDER))]
    for number, table in enumerate(counts, start=1):
        lines += ["", f"\\{number}-grams:"]
        grams = sorted([*table, (BEGIN,)] if number == 1 else table)
        for gram in grams:
            # -99: the format's "never".
            entry = f"{log10(probability[gram]) if gram in probability else -99:.4f} {' '.join(gram)}"
            if number < ORDER and totals.get(gram):
                entry += f" {log10(followers[gram] / (totals[gram] + followers[gram])):.4f}"
            lines.append(entry)
    return "\n".join([*lines, "", "\\end\\", ""])
