"""One implementation for plain code and for coroutines: ``x.f(...)`` waits, ``await x.f.aio(...)`` does not block."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from ..service.loop import io_thread

_PIECE = 0.5

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")


class both(Generic[S, P, T]):  # noqa: N801 - a decorator
    """Make a method of one that returns a coroutine.

    What the method does before it returns the coroutine (checking arguments, say) is done in the caller's thread, the
    coroutine runs on the I/O thread. An interrupted cell cancels it.

    Parameters
    ----------
    method
        ``async def``, or a function that returns a coroutine.
    """

    def __init__(self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> None:
        self._method = method
        functools.update_wrapper(self, method)  # type: ignore[arg-type] # it is called through __get__

    @overload
    def __get__(self, instance: None, owner: type[S]) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type[S]) -> Both[P, T]: ...
    def __get__(self, instance: S | None, owner: type[S]) -> Self | Both[P, T]:
        if instance is None:
            return self
        return Both(functools.partial(self._method, instance), self._method)


class Both(Generic[P, T]):
    """A method of an object: call it and get the result, or await its `aio`."""

    def __init__(self, start: Callable[P, Coroutine[Any, Any, T]], method: Callable[..., Any]) -> None:
        self._start = start
        functools.update_wrapper(self, method)
        signature = inspect.signature(method)
        self.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        future = io_thread.submit(self._start(*args, **kwargs))
        try:
            # Every coroutine bounds its own waits; the pieces are for interrupts, which do not end a wait on Windows.
            while not wait([future], _PIECE).done:
                pass
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def aio(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same without blocking the caller's loop."""
        return await asyncio.wrap_future(io_thread.submit(self._start(*args, **kwargs)))

    def __repr__(self) -> str:
        name = getattr(self, "__name__", "?")
        return f"<{name}(...) waits, await {name}.aio(...) does not block>"
