"""`Budget`: no new turn begins once a session has cost what it may."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ..conversation.cost import CURRENCIES, FREE, Cost, Currency, Ledger
from ..errors import BudgetExhausted, ConfigError
from ..protocol import catalog

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(CNY|USD)", re.IGNORECASE)
_CLUSTERS = {currency: cluster for cluster, currency in CURRENCIES.items()}


@dataclass(frozen=True)
class Limit:
    """The most a session may cost."""

    amount: float
    currency: Currency

    def __str__(self) -> str:
        return f"{self.amount:g} {self.currency}"


def limit_of(budget: float | str | None, model: str, cluster: str) -> Limit | None:
    """Check a budget.

    Raises
    ------
    ConfigError
        No amount above 0, the wrong currency, or nothing to reckon by.
    """
    if budget is None:
        return None
    bills_in = CURRENCIES.get(cluster, "CNY" if cluster in FREE else None)
    limit = _read(budget, bills_in)
    if bills_in is not None and limit.currency != bills_in:
        raise ConfigError(
            f"The budget is in {limit.currency}, and the cluster {cluster} bills in {bills_in}.",
            fix=f"Write budget='... {bills_in}'.",
        )
    if cluster not in FREE and catalog.price(model, _CLUSTERS[limit.currency]) is None:
        raise ConfigError(
            f"No price of {model} in {limit.currency} is known, so a budget could not be kept.",
            fix="Leave the budget out, or use a model with a published price.",
        )
    return limit


def _read(budget: float | str, bills_in: Currency | None) -> Limit:
    if isinstance(budget, str) and (written := _WRITTEN.fullmatch(budget.strip())) and float(written[1]):
        return Limit(float(written[1]), cast(Currency, written[2].upper()))
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget < math.inf:
        raise ConfigError(
            f"budget is {budget!r}.", fix="Write an amount above 0: budget=2.5 or budget='2.5 CNY'."
        )
    if bills_in is None:
        raise ConfigError(
            "What this address asks for tokens is not known, so the budget needs a currency.",
            fix=f"Write budget='{budget:g} CNY' to reckon by the mainland's prices, or USD for the overseas ones.",
        )
    return Limit(float(budget), bills_in)


class Budget:
    """Compares what a session has cost with what it may.

    Parameters
    ----------
    ledger
        Returns what the turns cost.
    notice
        Tells the person that it is used up, and what to do.
    """

    def __init__(
        self, limit: Limit | None, ledger: Callable[[], Ledger], notice: Callable[[str, str], None]
    ) -> None:
        self.limit = limit
        self._ledger = ledger
        self._notice = notice
        self._spent: Cost | None = None  # what it had cost when the budget was used up

    @property
    def exhausted(self) -> BudgetExhausted | None:
        """Why no turn may begin, None as long as one may."""
        if self._spent is None:
            return None
        return BudgetExhausted(
            f"The budget of {self.limit} is used up: the session has cost {self._spent}.",
            fix="Raise it: session.update(budget=...), or None for no limit.",
        )

    def set(self, limit: Limit | None) -> None:
        """Change the limit."""
        self.limit, self._spent = limit, None
        self.count()

    def count(self) -> bool:
        """Reckon up what has been spent; return whether the budget was used up just now."""
        if self.limit is None or self._spent is not None:
            return False
        cost = self._ledger().cost()
        if (cost.of(self.limit.currency) or 0.0) < self.limit.amount:
            return False
        self._spent = cost
        if (error := self.exhausted) is not None:
            self._notice(error.message, error.fix or "")
        return True
