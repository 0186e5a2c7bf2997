"""What the page may send, checked before anything looks at it (ARCHITECTURE.md, "The envelope").

The page is not trusted: kinds, types, sizes and ranges are enforced here, and what does not fit is refused and counted.
"""

from __future__ import annotations

import binascii
from typing import Annotated, Any, Literal

import msgspec
import pybase64
from msgspec import Meta, Struct

from ..audio.clip import Clip
from ..errors import AudioError

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Ms = Annotated[float, Meta(ge=-1e12, le=1e13)]
Text = Annotated[str, Meta(max_length=20_000)]
# 200 ms of audio is the most a message should carry, the pre-roll after a stall some seconds: 5 s as base64.
Payload = Annotated[str, Meta(max_length=320_000)]
Frames = Annotated[int, Meta(ge=1, le=250)]

MicState = Literal[
    "off", "asking", "live", "muted", "denied", "insecure", "policy", "webview", "no_device", "busy", "ended"
]


class Message(Struct, tag_field="k", kw_only=True):
    """The envelope: version, sequence number per view, the page's clock in ms, and the view."""

    v: Literal[1]
    seq: Annotated[int, Meta(ge=0)]
    t: Ms
    view: Id


class Hello(Message, tag="hello"):
    visible: bool = True
    lang: str = "en"


class Bye(Message, tag="bye"):
    pass


class Mic(Message, tag="mic"):
    n: Annotated[int, Meta(ge=0)]
    frames: Frames
    pcm: Payload
    rms: Annotated[list[float], Meta(max_length=250)]


class MicStateChanged(Message, tag="mic_state"):
    state: MicState
    detail: Text = ""
    rate: float | None = None


class Talk(Message, tag="talk"):
    on: bool
    how: Literal["toggle", "hold"] = "toggle"


class Stop(Message, tag="stop"):
    pass


class Say(Message, tag="say"):
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


class Approve(Message, tag="approve"):
    call: Id
    allow: bool


class Hear(Message, tag="hear"):
    row: Id


class File(Message, tag="file"):
    """An audio file that was chosen, as base64; at most 7 MB."""

    name: Annotated[str, Meta(max_length=1000)]
    data: Annotated[str, Meta(max_length=9_500_000)]

    def clip(self, most: float) -> Clip:
        """Return what is in it, the first ``most`` seconds. It takes a while: not on a loop.

        Raises
        ------
        AudioError
            It is not audio; the message names the file.
        """
        data = decoded(self.data)
        try:
            return Clip.load(data, most=most)
        except AudioError as error:
            error.message = error.message.replace(f"This data ({len(data)} bytes)", repr(self.name))
            raise


class Export(Message, tag="export"):
    format: Literal["md", "json", "wav"]


class Companion(Message, tag="companion"):
    on: bool


class Device(Message, tag="device"):
    on: bool


class Connect(Message, tag="connect"):
    pass


class Ping(Message, tag="ping"):
    rtt: Ms | None = None
    offset: Ms | None = None


class First(Message, tag="first"):
    item: Id
    at: Ms


class Played(Message, tag="played"):
    items: Annotated[dict[Id, Ms], Meta(max_length=100)]
    buffered_ms: Ms = 0.0
    underruns: Annotated[int, Meta(ge=0)] = 0
    playing: bool = False


class Flushed(Message, tag="flushed"):
    id: int
    item: Id | None = None
    heard_ms: Ms = 0.0
    unplayed_ms: Ms = 0.0
    underruns: Annotated[int, Meta(ge=0)] = 0
    asked: Ms = 0.0
    at: Ms = 0.0


class PageError(Message, tag="error"):
    message: Text
    stack: Text = ""


AnyMessage = (
    Hello
    | Bye
    | Mic
    | MicStateChanged
    | Talk
    | Stop
    | Say
    | Approve
    | Hear
    | File
    | Export
    | Companion
    | Device
    | Connect
    | Ping
    | First
    | Played
    | Flushed
    | PageError
)
KINDS = frozenset(str(kind.__struct_config__.tag) for kind in AnyMessage.__args__)


def decoded(text: str) -> bytes:
    """Return the bytes that base64 text of the page stands for.

    Raises
    ------
    AudioError
        It is not base64.
    """
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AudioError("The page sent broken audio.", fix="Record or load it again.") from error


def parse(content: Any, kinds: Any = AnyMessage) -> Any:
    """Return a message of the page; kinds: a union of those that may come.

    Raises
    ------
    ValueError
        It does not fit; the sentence says where.
    """
    try:
        return msgspec.convert(content, kinds)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
