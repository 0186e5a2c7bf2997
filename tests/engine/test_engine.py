"""The engine as an object: its life, its bounds, its determinism."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import logging
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from stepnb.errors import ConfigError, EngineError, PortInUse
from stepnb.local.engine import LocalEngine
from stepnb.local.outbox import Outbox
from stepnb.local.parts import Heard
from stepnb.local.profile import LIVE
from stepnb.local.shared import acquire_shared, release_shared
from tests.engine.client import MODEL, TIMEOUT_S, VAD, Client, silence, transcript_of
from tests.engine.conftest import NOON
from tests.engine.order import Event


def script(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_addresses_and_secrecy() -> None:
    engine = LocalEngine(seed=5)
    with pytest.raises(EngineError, match="not been started"):
        _ = engine.url
    with engine:
        assert engine.url.startswith("ws://127.0.0.1:") and engine.url.endswith("/v1/realtime")
        assert engine.rest_url.startswith("http://127.0.0.1:") and engine.rest_url.endswith("/v1")
        assert engine.running and engine.profile is LIVE
        assert engine.key not in repr(engine) and len(engine.key) >= 24
        assert engine.key != LocalEngine().key
    assert not engine.running and "not running" in repr(engine)
    with engine, Client(engine):  # it can be started again
        pass


def test_the_repr_says_what_is_unusual() -> None:
    assert repr(LocalEngine()) == "<LocalEngine not running, profile live, seed 0>"
    odd = LocalEngine("docs:text_times=true", seed=7, faults=["jitter", "close:times=1"])
    assert (
        repr(odd)
        == "<LocalEngine not running, profile docs, text_times=True, seed 7, faults: jitter, close:times=1>"
    )


def test_port_in_use(engine: LocalEngine) -> None:
    port = int(engine.url.split(":")[2].split("/")[0])
    with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 is taken. Choose another"):
        LocalEngine(port=port).start()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "loud"}, "no profile 'loud'"),
        ({"port": 70000}, "port is 70000"),
        ({"speed": -1}, "speed is -1"),
        ({"api_key": "ключ"}, "API key"),
        ({"api_key": ""}, "API key"),
    ],
)
def test_wrong_arguments(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        LocalEngine(**options)  # type: ignore[arg-type]


def test_unusable_host() -> None:
    with pytest.raises(EngineError, match=r"cannot listen on 192\.0\.2\.1"):
        LocalEngine(host="192.0.2.1").start()


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "uvicorn" else found(name, *rest)
    )
    with pytest.raises(EngineError, match=r'needs uvicorn.*pip install "stepnb\[local\]"'):
        LocalEngine().start()


def test_a_part_that_cannot_be_made_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise EngineError("The ears are missing.")

    monkeypatch.setattr("stepnb.local.engine.choose_parts", broken)
    threads = threading.enumerate()
    with pytest.raises(EngineError, match="The ears are missing"):
        LocalEngine().start()
    assert threading.enumerate() == threads


def test_nothing_is_left() -> None:
    # In a process of its own, where no other engine's threads and children come and go.
    ended = script("""
        import asyncio, threading
        import psutil
        from websockets.exceptions import ConnectionClosed
        from stepnb.local.engine import LocalEngine
        from stepnb.local.mouth import EspeakMouth
        from stepnb.local.parts import VoiceSettings
        from tests.engine.client import VAD, Client, silence

        process = psutil.Process()

        def once():
            speech = asyncio.run(EspeakMouth().speak("What is two plus two?", VoiceSettings(variant="f3")))
            engine = LocalEngine(seed=7, speed=1.0).start()
            with Client(engine) as client:
                client.update(turn_detection=VAD)
                client.append(speech + silence(1000))
                client.until("response.audio.delta")
                assert process.children(recursive=True), "the ears are in a child process"
                engine.close()  # in the middle of an answer
                try:
                    client.until("never")
                except ConnectionClosed as closed:
                    assert closed.rcvd.code == 1012
            for thread in threading.enumerate():
                if thread is not threading.main_thread():
                    thread.join(10)  # those that wait for a child end right after it
            return process.num_fds(), len(process.net_connections()), threading.active_count(), process.children()

        first = once()
        assert first[1:] == (0, 1, []), first
        assert once() == first
    """)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def hanging_client(engine: LocalEngine) -> socket.socket:
    """Open a session and ask it for so much, without reading, that the engine cannot write any more."""
    protocol = ClientProtocol(parse_uri(f"{engine.url}?model={MODEL}"))
    request = protocol.connect()
    request.headers["Authorization"] = f"Bearer {engine.key}"
    protocol.send_request(request)
    raw = socket.create_connection(("127.0.0.1", protocol.uri.port), timeout=TIMEOUT_S)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(b"".join(protocol.data_to_send()))
    while protocol.state is not State.OPEN:
        protocol.receive_data(raw.recv(4096))
        protocol.events_received()
    raw.settimeout(0.5)  # a send that takes longer found all buffers full
    update = json.dumps({"type": "session.update", "session": {"instructions": "x" * 90_000}}).encode()
    try:
        while True:
            protocol.send_text(update)
            raw.sendall(b"".join(protocol.data_to_send()))
    except (TimeoutError, ConnectionError):  # or was cut off already
        return raw


def test_close_does_not_wait_for_a_client_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    before = set(threading.enumerate())
    engine = LocalEngine(speed=None).start()
    with hanging_client(engine):
        engine.close()
        assert not engine.running
        assert not [t for t in threading.enumerate() if t.name == "stepnb engine" and t not in before]
        assert not caplog.records
        engine.close()  # once more does no harm


def test_a_client_that_does_not_read_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("stepnb.local.server.Outbox", functools.partial(Outbox, 0.2))
    with LocalEngine(speed=None, max_sessions=1) as engine, hanging_client(engine) as raw:
        raw.settimeout(TIMEOUT_S)
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(1 << 20):  # what was on its way, then the end
                pass
        assert "a client was cut off" in caplog.text
        with Client(engine):  # its place is free again
            pass


def test_same_seed_same_events(speech: Callable[[str], bytes]) -> None:
    def script(seed: int) -> list[Event]:
        with LocalEngine(seed=seed, speed=None, now=lambda: NOON) as engine, Client(engine) as client:
            client.ask("Tell me a joke.")
            client.ask("Another one, please.", modalities=["text"])
            client.update(turn_detection=VAD)
            client.append(silence(500) + speech("What is two plus two?") + silence(1000))
            client.until("response.done")
            return client.events

    first = script(7)
    assert script(7) == first
    assert script(8)[0]["session"]["id"] != first[0]["session"]["id"]


def test_eight_sessions_at_once(engine: LocalEngine) -> None:
    def talk(number: int) -> tuple[str, set[str]]:
        with Client(engine) as client:
            events = client.ask(f"What is {number} plus {number}?")
            assert client.order.finished == 1
            return transcript_of(events), {event["event_id"] for event in client.events}

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(talk, range(1, 9)))
    assert len({text for text, _ in results}) == 8, "every session got its own answer"
    ids = [event_id for _, session_ids in results for event_id in session_ids]
    assert len(ids) == len(set(ids)), "ids are unique in an engine"


def test_failing_ears_fail_the_turn_and_not_the_session() -> None:
    class Deaf:
        async def hear(self, pcm: bytes) -> Heard:
            raise EngineError("The ears are gone.")

        async def close(self) -> None: ...

    with LocalEngine(ears=Deaf(), speed=None) as engine, Client(engine) as client:
        client.update(turn_detection=VAD)
        tone = b"".join(
            int(6000 * (-1) ** (n // 60)).to_bytes(2, "little", signed=True) for n in range(24 * 500)
        )
        client.append(tone + silence(800))
        assert client.until("response.done")[-1]["response"]["status"] == "failed"
        assert client.ask("What is two plus two?")[-1]["response"]["status"] == "completed"


def test_shared_engine_is_counted() -> None:
    first, second = acquire_shared(), acquire_shared()
    assert first is second and first.running
    release_shared()
    assert first.running
    release_shared()
    assert not first.running
    release_shared()  # once too often does no harm
    third = acquire_shared()
    assert third is not first and third.running
    release_shared()


def test_small_frames_are_not_delayed() -> None:
    # A socket of protocol 0 keeps Nagle's algorithm: 40 ms between a cancel and its response.done.
    with LocalEngine()._bind() as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_forgotten_engine_does_not_hold_up_the_end_of_the_process() -> None:
    ended = script("""
        from stepnb.local.engine import LocalEngine
        from stepnb.local.shared import acquire_shared
        acquire_shared()
        LocalEngine().start()
    """)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_an_engine_starts_without_what_only_documents_need() -> None:
    ended = script("""
        import sys
        from stepnb.local.engine import LocalEngine
        with LocalEngine():
            print(sorted({"scipy", "matplotlib", "pandas", "IPython"} & sys.modules.keys()))
    """)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_an_engine_of_its_own() -> None:
    ended = script("""
        import os, warnings
        from stepnb.local.shared import acquire_shared, release_shared
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: this process has threads
        parents = acquire_shared()
        child = os.fork()
        if not child:
            mine = acquire_shared()
            good = mine is not parents and mine.running and mine.url != parents.url
            release_shared()
            os._exit(0 if good else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert parents.running
        release_shared()
    """)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
