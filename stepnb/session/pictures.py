"""`Pictures`: what a session and a recording can show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..plots.turntaking import TurnTaking
    from ..widgets.inspector import Inspector
    from ..widgets.timeline import Timeline

PlotKind = Literal["timeline", "waterfall", "latency"]


class Pictures:
    """Plots of a whole conversation, for `Session` and `Recording`."""

    def plot(self, kind: PlotKind = "timeline", **options: Any) -> Figure:
        """Draw the conversation.

        Parameters
        ----------
        kind
            "timeline" (who spoke when, with ``since=`` and ``until=`` in s), "waterfall" (where the time goes before
            each answer) or "latency" (how response times are distributed).
        options
            Those of the function of that name in `stepnb.plots`; ``ax=`` draws on axes of yours.

        Raises
        ------
        ConfigError
            Another kind, or an option out of range.
        """
        from ..plots import draw_conversation

        return draw_conversation(cast("Any", self), kind, **options)

    def timeline(self) -> Timeline:
        """Return the timeline as a widget: pan, zoom, click what was said to hear it.

        It shows what had happened when it was displayed; a saved page shows the picture `plot` draws.
        """
        from ..widgets.timeline import Timeline

        return Timeline(cast("Any", self))

    def inspector(self) -> Inspector:
        """Return every event and local record as a live table, to filter and to read without the audio.

        An event can be sent to a session by hand, and what is shown be saved.
        """
        from ..widgets.inspector import Inspector

        return Inspector(cast("Any", self))

    def report(self) -> TurnTaking:
        """Count how the two took turns: response times, overlap, interruptions, silences, talk, words, cost.

        Returns
        -------
        TurnTaking
            Shows itself as a page; ``.df()`` is a table of the turns, ``.summary`` the whole in figures.
        """
        from ..plots.turntaking import TurnTaking

        return TurnTaking(cast("Any", self))
