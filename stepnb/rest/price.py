"""What a cloned voice costs, in words and as the error that asks for a yes."""

from __future__ import annotations

from ..errors import NeedsConfirmation
from ..protocol import catalog


def price_of_a_clone(cluster: str) -> str:
    """Return what a voice costs, for people: with the date of the price."""
    currencies = ("CNY", "USD") if cluster in ("local", "custom") else (_currency(cluster),)
    prices = {currency: catalog.item_price("voice_clone", currency) for currency in currencies}
    return " or ".join(f"{price:.2f} {currency}" for currency, price in prices.items() if price is not None)


def _currency(cluster: str) -> str:
    return "USD" if cluster == "global" else "CNY"


def needs_confirmation(cluster: str) -> NeedsConfirmation:
    """Return the error of a cloning whose price nobody has agreed to."""
    currency = _currency(cluster)
    amount = catalog.item_price("voice_clone", currency)
    known = f"{price_of_a_clone(cluster)} (price of {catalog.as_of()['prices']})"
    said = f"The service charges {known} for each cloned voice, at once."
    if cluster == "local":
        amount, said = 0.0, f"The service would charge {known} for this; the local engine charges nothing."
    return NeedsConfirmation(
        said,
        price=amount,
        currency=currency,
        fix="Hear it first with voices.preview(clip, '...'); then add accept_cost=True.",
    )
