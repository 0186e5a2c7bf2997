from __future__ import annotations

import dataclasses
import json
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from stepnb.errors import ConfigError
from stepnb.protocol.codec import decode, encode, to_wire
from stepnb.protocol.config import (
    Difference,
    ServerVAD,
    SessionConfig,
    changed_keys,
    echo_differences,
    vad_of,
)
from stepnb.protocol.events import SessionInfo, SessionUpdate, SessionUpdated, TurnDetection


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str

    def to_wire(self) -> dict[str, Any]:
        return {"type": "function", "function": {"name": self.name}}


def echoed(**session: Any) -> SessionInfo:
    """Return a session object as it comes from the wire."""
    event = decode(json.dumps({"type": "session.updated", "session": session})).event
    assert isinstance(event, SessionUpdated)
    return event.session


def vad_echo(**changes: Any) -> dict[str, Any]:
    return to_wire(ServerVAD().to_wire()) | changes


# ServerVAD -------------------------------------------------------------------------------------------------


def test_vad_on_the_wire() -> None:
    vad = ServerVAD(prefix_padding_ms=1, silence_duration_ms=2, energy_awakeness_threshold=3)
    assert to_wire(vad.to_wire()) == {
        "type": "server_vad",
        "prefix_padding_ms": 1,
        "silence_duration_ms": 2,
        "energy_awakeness_threshold": 3,
    }


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(ServerVAD)])
@pytest.mark.parametrize("odd", [-1, 1e9, 10**9, 2.0, "500", None, True, float("nan")])
def test_an_odd_vad_setting_gets_a_sentence(name: str, odd: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        ServerVAD(**{name: odd})
    assert caught.value.message == f"{name} is {odd!r}."
    assert caught.value.fix is not None
    assert caught.value.fix.startswith("Write a whole number from 0 to ")


@pytest.mark.parametrize(
    ("name", "limit"),
    [("prefix_padding_ms", 10_000), ("silence_duration_ms", 60_000), ("energy_awakeness_threshold", 5000)],
)
def test_the_ends_of_the_range_are_in_it(name: str, limit: int) -> None:
    for value in (0, limit):
        assert getattr(ServerVAD(**{name: value}), name) == value
    with pytest.raises(ConfigError, match=f"from 0 to {limit}"):
        ServerVAD(**{name: limit + 1})


def test_a_threshold_on_the_other_scale_is_explained() -> None:
    with pytest.raises(ConfigError, match=r"0\.5 on a scale of 0 to 1 is 2500\."):
        ServerVAD(energy_awakeness_threshold=0.5)  # type: ignore[arg-type]


# SessionConfig ---------------------------------------------------------------------------------------------


def test_the_first_update_says_everything() -> None:
    config = SessionConfig(voice="v", instructions="i", tools=(Tool("t"),))
    assert to_wire(config.session_info()) == {
        "modalities": ["text", "audio"],
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "voice": "v",
        "instructions": "i",
        "turn_detection": vad_echo(),
        "tools": [{"type": "function", "function": {"name": "t"}}],
    }


def test_push_to_talk_is_an_explicit_null() -> None:
    frame = encode(SessionUpdate(session=SessionConfig(vad=None).session_info()))
    assert json.loads(frame)["session"]["turn_detection"] is None


def test_what_the_service_chooses_is_left_out() -> None:
    info = SessionConfig().session_info()
    assert info.voice is UNSET
    assert info.instructions is UNSET
    assert info.tools == []


def test_empty_instructions_are_not_the_services_own() -> None:
    assert SessionConfig(instructions="").session_info().instructions == ""


@pytest.mark.parametrize(
    ("keys", "written"),
    [
        ({"voice"}, {"voice": "v"}),
        ({"instructions"}, {"instructions": "i"}),
        ({"vad"}, {"turn_detection": None}),
        ({"tools"}, {"tools": []}),
        ({"voice", "vad"}, {"voice": "v", "turn_detection": None}),
        (set(), {}),
    ],
)
def test_a_later_update_says_only_what_changed(keys: set[str], written: dict[str, Any]) -> None:
    config = SessionConfig(voice="v", instructions="i", vad=None)
    assert to_wire(config.session_info(frozenset(keys))) == written


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({}, set()),
        ({"voice": "w"}, {"voice"}),
        ({"instructions": None}, {"instructions"}),
        ({"vad": None}, {"vad"}),
        ({"vad": ServerVAD(silence_duration_ms=400)}, {"vad"}),
        ({"vad": ServerVAD()}, set()),
        ({"tools": (Tool("a"),)}, set()),
        ({"tools": (Tool("b"),)}, {"tools"}),
        ({"voice": "w", "tools": ()}, {"voice", "tools"}),
    ],
)
def test_changed_keys(change: dict[str, Any], keys: set[str]) -> None:
    old = SessionConfig(voice="v", instructions="i", tools=(Tool("a"),))
    new = dataclasses.replace(old, **change)
    assert changed_keys(old, new) == keys
    assert changed_keys(new, old) == keys


# The echo --------------------------------------------------------------------------------------------------

SENT = SessionConfig(voice="v", instructions="i").session_info()
SENT_OFF = SessionConfig(voice="v", vad=None).session_info()
ON = (500, 500, 2500)


def test_a_faithful_echo_has_no_differences() -> None:
    echo = json.loads(encode(SessionUpdate(session=SENT)))["session"]
    assert echo_differences(SENT, echoed(**echo, id="s", model="m")) == []


def test_a_voice_put_in_by_the_service_is_reported() -> None:
    echo = echoed(voice="w", instructions="i", turn_detection=vad_echo())
    assert echo_differences(SENT, echo) == [Difference("voice", "v", "w")]


def test_instructions_the_service_changed_are_reported() -> None:
    echo = echoed(voice="v", instructions="short", turn_detection=vad_echo())
    assert echo_differences(SENT, echo) == [Difference("instructions", "i", "short")]


@pytest.mark.parametrize("echo", [{}, {"turn_detection": None}, {"turn_detection": {"type": ""}}])
def test_the_three_ways_of_saying_no_vad(echo: dict[str, Any]) -> None:
    assert vad_of(echoed(**echo)) is None
    assert echo_differences(SENT_OFF, echoed(**echo)) == []
    assert echo_differences(SENT, echoed(**echo)) == [Difference("vad", ON, None)]


def test_a_vad_nobody_asked_for_is_reported() -> None:
    assert echo_differences(SENT_OFF, echoed(turn_detection=vad_echo())) == [Difference("vad", None, ON)]


@pytest.mark.parametrize(
    ("echo", "taken"),
    [
        (vad_echo(silence_duration_ms=100), (500, 100, 2500)),
        (vad_echo(energy_awakeness_threshold="1200"), (500, 500, 1200)),
        ({"type": "server_vad", "prefix_padding_ms": 300}, (300, 500, 2500)),
        ({"type": "server_vad", "threshold": 0.24}, (500, 500, 1200)),
    ],
)
def test_vad_settings_taken_otherwise_are_reported(echo: dict[str, Any], taken: tuple[int, int, int]) -> None:
    assert echo_differences(SENT, echoed(turn_detection=echo)) == [Difference("vad", ON, taken)]


@pytest.mark.parametrize(
    "echo",
    [
        {"type": "server_vad"},
        {"type": "server_vad", "silence_duration_ms": 500},
        {"type": "server_vad", "threshold": 0.5},
        vad_echo(threshold=0.9),
        vad_echo(silence_duration_ms="500"),
        {"type": "server_vad", "threshold": "loud"},
        {"type": "server_vad", "threshold": 7},
        {"type": "server_vad", "threshold": True},
    ],
)
def test_vad_settings_the_echo_leaves_out_count_as_taken(echo: dict[str, Any]) -> None:
    assert echo_differences(SENT, echoed(turn_detection=echo)) == []


def test_only_what_was_sent_is_compared() -> None:
    sent = SessionConfig(voice="v").session_info(frozenset({"voice"}))
    assert echo_differences(sent, echoed(instructions="other", turn_detection=vad_echo())) == []
    assert echo_differences(msgspec.structs.replace(sent, voice=UNSET), echoed(voice="w")) == []


def test_vad_of_a_vad_with_no_settings() -> None:
    assert vad_of(SessionInfo(turn_detection=TurnDetection(type="server_vad"))) == (None, None, None)
