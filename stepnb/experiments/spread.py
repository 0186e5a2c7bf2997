"""Spreading runs over the workers of a Dask cluster.

Limits, order, claims and the store stay where the experiment is: a worker gets one case, makes the run, and sends it
back. One that dies is replaced by the scheduler, and its case goes to another.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import ConfigError
from ..optional import library
from .perform import Outcome, perform
from .plan import Case
from .runner import Perform, experiment_thread


def performer(client: Any) -> Perform:
    """Return what makes a run on a worker.

    Parameters
    ----------
    client
        A ``dask.distributed.Client``.

    Raises
    ------
    ConfigError
        It is something else.
    MissingLibrary
        distributed is not installed.
    """
    if not isinstance(client, library("distributed", "Spreading runs over a cluster", "dask").Client):
        raise ConfigError(
            f"dask is a {type(client).__name__}.", fix="Give a Client: from dask.distributed import Client."
        )

    connection: Any = client

    async def on_worker(case: Case) -> Outcome:
        # pure=False: a run that is made again is a new one, and never a cached result.
        future = connection.submit(_made, case, pure=False)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
        try:
            await ended.wait()
            result: Outcome = await asyncio.to_thread(future.result)
            return result
        except asyncio.CancelledError:
            future.cancel()
            raise

    return on_worker


def _made(case: Case) -> Outcome:
    """Make a run, on a worker; with the key that is found there."""
    return experiment_thread.submit(perform(case, None)).result()
