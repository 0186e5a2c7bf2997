"""Experiments: prompts x voices x settings over the same inputs, run, stored, scored and compared."""

from . import scorers as scorers
