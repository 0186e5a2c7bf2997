from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from stepnb import errors
from stepnb.errors import (
    AudioError,
    AuthenticationError,
    ConfigError,
    HandshakeError,
    ServiceError,
    StepnbError,
    TurnTimeout,
)

TREE = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, StepnbError)]


def test_every_error_is_public_and_named_once() -> None:
    from stepnb import _ERRORS

    assert sorted(_ERRORS) == sorted(cls.__name__ for cls in TREE)


def make(cls: type[StepnbError]) -> StepnbError:
    keywords: dict[str, Any] = {"fix": "Do that.", "trace_id": "t-1"}
    if issubclass(cls, HandshakeError):
        keywords["status"] = 401
    if issubclass(cls, ServiceError):
        keywords |= {"type": "server_error", "code": "c", "param": "p"}
    return cls("This failed.", **keywords)


def drawn() -> dict[str, str]:
    """Return {class: parent} as the module's docstring draws it."""
    assert errors.__doc__ is not None
    parents: dict[str, str] = {}
    branch = ["StepnbError"]
    for line in errors.__doc__.splitlines():
        if match := re.match(r"    ([│ ]*)[├└]── (\w+)", line):
            depth = len(match[1]) // 4 + 1
            branch[depth:] = [match[2]]
            parents[match[2]] = branch[depth - 1]
    return parents


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {cls.__name__: cls.__bases__[0].__name__ for cls in TREE if cls is not StepnbError}
    assert drawn() == real


@pytest.mark.parametrize("cls", TREE)
def test_an_error_says_what_happened_what_to_do_and_its_trace_id(cls: type[StepnbError]) -> None:
    error = make(cls)
    assert str(error) == "This failed. Do that. (trace id t-1)"
    assert (error.message, error.fix, error.trace_id) == ("This failed.", "Do that.", "t-1")
    assert error.args == ("This failed.",)


def test_what_is_not_known_is_left_out() -> None:
    assert str(StepnbError("This failed.")) == "This failed."
    assert str(StepnbError("This failed.", trace_id="t")) == "This failed. (trace id t)"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize("cls", TREE)
def test_an_error_can_be_copied_and_sent_to_another_process(cls: type[StepnbError], again: Any) -> None:
    error = make(cls)
    error.add_note("in cell 3")
    twin = again(error)
    assert type(twin) is cls
    assert twin.__dict__ == error.__dict__
    assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)


@pytest.mark.parametrize(
    ("cls", "builtin"), [(ConfigError, ValueError), (AudioError, ValueError), (TurnTimeout, TimeoutError)]
)
def test_errors_that_are_also_builtin_ones(cls: type[StepnbError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match=r"This failed\. Do that\."):
        raise make(cls)


def test_a_handshake_error_has_its_status() -> None:
    error = make(AuthenticationError)
    assert isinstance(error, HandshakeError)
    assert error.status == 401


def test_a_service_error_has_what_the_service_named() -> None:
    error = make(ServiceError)
    assert isinstance(error, ServiceError)
    assert (error.type, error.code, error.param) == ("server_error", "c", "p")
    assert ServiceError("m").code is None
