"""`Cost`: what tokens cost by the published prices, and `Ledger`: what the turns of a conversation cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..protocol import catalog
from .reducer import Conversation
from .state import TurnState
from .usage import Usage, total, usages

Currency = Literal["CNY", "USD"]

CURRENCIES: dict[str, Currency] = {"cn": "CNY", "global": "USD"}
FREE = {
    "local": "The local engine costs nothing.",
    "cn/step_plan": "Step Plan is a subscription: it is not billed by the token.",
}


@dataclass(frozen=True)
class Cost:
    """What something cost by the published prices. An aid, not a bill.

    Attributes
    ----------
    cny, usd
        The same tokens by the mainland's price list and by the overseas one; None where there is no price for the
        model. Nothing is converted: the lists differ.
    currency
        In which of them the session is billed; None at an address of your own, whose prices are not known.
    estimated
        Whether tokens were estimated, because the service did not count them; see `Usage`.
    notes
        What else should be known, as sentences.
    as_of
        The date of the prices.
    """

    cny: float | None
    usd: float | None
    currency: Currency | None
    estimated: bool = False
    notes: tuple[str, ...] = ()
    as_of: str = ""

    @property
    def amount(self) -> float | None:
        """What it cost in `currency`, None where that is not known."""
        return self.of(self.currency) if self.currency is not None else None

    def of(self, currency: Currency) -> float | None:
        """Return what it cost by the price list in a currency."""
        return self.cny if currency == "CNY" else self.usd

    def __str__(self) -> str:
        known: dict[Currency, float | None] = {"CNY": self.cny, "USD": self.usd}
        if self.currency is not None:
            known = {self.currency: self.amount}
        if self.amount == 0:
            return "nothing"
        amounts = " or ".join(f"{value:.4f} {name}" for name, value in known.items() if value is not None)
        return f"{'about ' if self.estimated else ''}{amounts}" if amounts else "unknown"

    def __repr__(self) -> str:
        return f"Cost({' '.join([str(self) + ('.' if self.notes else ''), *self.notes])})"


def cost_of(usage: Usage, model: str, cluster: str, *, web_search: bool = False) -> Cost:
    """Price tokens.

    Parameters
    ----------
    usage
        What was used.
    model, cluster
        Where; "cn" and "global" have price lists.
    web_search
        Whether the session lets the service search the web.
    """
    as_of = catalog.as_of()["prices"]
    if cluster in FREE:
        return Cost(0.0, 0.0, "CNY", notes=(FREE[cluster],), as_of=as_of)
    cny, usd = (_by_list(usage, catalog.price(model, name)) for name in ("cn", "global"))
    currency = CURRENCIES.get(cluster)
    notes = []
    price = catalog.price(model, cluster)
    if price is not None and not price.output:
        notes.append(f"{model} was free on {as_of}.")
    elif currency is not None and price is None:
        notes.append(f"No price of {model} is published for this cluster.")
    elif currency is None and (cny is not None or usd is not None):
        notes.append("By the public price lists; what this address asks is not known.")
    if usage.estimated:
        notes.append("Estimated: the service did not count all tokens.")
    if web_search:
        each = catalog.item_price("web_search_call", currency or "CNY")
        asks = f" ({each:g} {currency or 'CNY'} each)" if each is not None else ""
        notes.append(f"Web searches{asks} happen inside the service and are not in it.")
    return Cost(cny, usd, currency, bool(usage.estimated), tuple(notes), as_of)


def _by_list(usage: Usage, price: catalog.Price | None) -> float | None:
    if price is None:
        return None
    fresh = usage.input_tokens - usage.cached_tokens
    tokens = (
        fresh * price.input + usage.cached_tokens * price.cached_input + usage.output_tokens * price.output
    )
    return tokens / 1e6


@dataclass(frozen=True)
class Ledger:
    """What the turns of a conversation used and cost.

    Attributes
    ----------
    preface
        Instructions and tools, as text: input of every answer.
    web_search
        Whether the service may search the web.
    """

    conversation: Conversation
    model: str
    cluster: str
    preface: str = ""
    web_search: bool = False

    def usage(self, turns: Iterable[TurnState] | None = None) -> Usage:
        """Return what turns used, all of them unless some are given; a response counts when it has ended."""
        found = usages(self.conversation, self.preface)
        if turns is None:
            return total(found.values())
        return total(found[number] for turn in turns for number in list(turn.responses) if number in found)

    def cost(self, turns: Iterable[TurnState] | None = None) -> Cost:
        """Return what turns cost."""
        return cost_of(self.usage(turns), self.model, self.cluster, web_search=self.web_search)
