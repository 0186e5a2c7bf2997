"""Scorers on turns of a scripted conversation, and the judge on a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import stepnb as sn
from stepnb import scorers as sc
from stepnb.experiments.inputs import Input
from stepnb.experiments.scoring import Context, prepared
from stepnb.experiments.text import characters, normal_words, tokens

TONE = sn.Clip((6000 * np.sin(2 * np.pi * 200 * np.arange(48000) / 24000)).astype(np.int16), 24000)


def turn(**facts: Any) -> Any:
    """Return what a scorer reads of a turn."""
    empty = {
        "transcript": "", "audio": sn.Clip.silence(0), "user": "hello", "user_transcript": None, "tool_calls": [],
        "status": "completed", "heard_ms": None,
    }  # fmt: skip
    return SimpleNamespace(**empty | facts)


def score(scorer: Any, the_turn: Any, **one: Any) -> Any:
    return scorer(the_turn, Context(Input("hello", **one), [the_turn]))


def test_words_of_english_and_chinese() -> None:
    assert tokens("Don’t panic, 你好 WORLD-42!") == ["don't", "panic", "你", "好", "world", "42"]
    assert normal_words("ＡＢＣ  d") == "abc d"
    assert characters("你好, world") == "你好world"


def test_error_rates() -> None:
    heard = turn(user=TONE, user_transcript="what is the weather in berlin")
    assert score(sc.WER(), heard, said="What is the weather in Paris?") == pytest.approx(1 / 6)
    assert score(sc.WER(), heard) is None  # nobody said what was said
    assert score(sc.CER(of="answer"), turn(transcript="今天天气好"), expect="今天天气很好") == pytest.approx(
        1 / 6
    )
    assert score(sc.CER(of="answer"), turn(transcript="x")) is None


def test_text() -> None:
    answer = turn(transcript="It is 21 degrees in Paris.")
    assert score(sc.Contains("PARIS"), answer) is True
    assert score(sc.Contains(), answer, expect="London") is False
    assert score(sc.Contains(), answer) is None
    assert score(sc.Matches(r"\d+ degrees"), answer) is True
    with pytest.raises(sn.ConfigError, match="no regular expression"):
        sc.Matches("(")
    schema = {"type": "object", "required": ["city"]}
    assert score(sc.FitsSchema(schema), turn(transcript='```json\n{"city": "Paris"}\n```')) is True
    assert score(sc.FitsSchema(schema), turn(transcript='{"town": 1}')) is False
    assert score(sc.FitsSchema(schema), answer) is False
    assert score(sc.Language(), answer) == "en"
    assert score(sc.Language("zh"), turn(transcript="今天的天气非常好，我们去公园吧。")) is True
    assert score(sc.Language(), turn()) is None


def test_tools() -> None:
    call = SimpleNamespace(name="weather", arguments={"city": "Paris", "days": 2})
    called = turn(tool_calls=[call])
    assert score(sc.Called("weather"), called) is True
    assert score(sc.Called("weather", {"city": "paris "}), called) is True
    assert score(sc.Called("weather", {"city": "London"}), called) is False
    assert score(sc.Called("time"), called) is False
    assert score(sc.Called(None), called) is False
    assert score(sc.Called(None), turn()) is True


def test_sound() -> None:
    spoken = turn(audio=TONE, transcript="one two three four")
    assert score(sc.Duration(), spoken) == 2.0
    assert score(sc.WordsPerMinute(), spoken) == pytest.approx(120)
    assert score(sc.Pitch(), spoken) == pytest.approx(200, rel=0.02)
    # A full-scale sine at 997 Hz is -3.01 LUFS by definition; this one is at another frequency and level.
    assert -22 < score(sc.Loudness(), spoken) < -15
    for scorer in (sc.Duration(), sc.WordsPerMinute(), sc.Pitch(), sc.Loudness()):
        assert score(scorer, turn()) is None, scorer


def test_an_interruption_that_did_not_happen_is_not_exercised() -> None:
    cut = turn(status="interrupted", audio=TONE, heard_ms=500.0)
    assert score(sc.Interrupted(), cut) == {"heard": 500.0, "unheard": 1500.0}
    assert score(sc.Interrupted(), turn(audio=TONE, heard_ms=2000.0)) is None


def test_scorers_have_names_and_identities() -> None:
    first, second = prepared([sc.Contains("a"), sc.Contains("b", name="b")])
    assert (first.name, second.name) == ("contains", "b")
    assert first.id == prepared([sc.Contains("a")])[0].id != prepared([sc.Contains("c")])[0].id
    with pytest.raises(sn.ConfigError, match="Two scorers are called 'contains'"):
        prepared([sc.Contains("a"), sc.Contains("b")])
    with pytest.raises(sn.ConfigError, match="is no scorer"):
        prepared([sc.WER])


class Server(ThreadingHTTPServer):
    replies: list[str]
    asked: list[dict[str, Any]]
    keys: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.keys.append(self.headers.get("Authorization"))
        reply = self.server.replies.pop(0)
        status = 500 if reply == "broken" else 200
        body = json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.replies, server.asked, server.keys = [], [], []
    ended: Future[None] = Future()

    def serve() -> None:
        server.serve_forever(0.05)
        ended.set_result(None)

    threading.Thread(target=serve, daemon=True).start()
    yield server
    server.shutdown()
    ended.result(10)
    server.server_close()


def test_a_judge_is_a_chat_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "judge-secret")
    judge = sc.Judge(
        "Is it friendly?", f"http://127.0.0.1:{server.server_port}/v1", "m", key_name="JUDGE_KEY"
    )
    server.replies += ['Sure: {"score": 4, "reason": "kind"}', "no idea", '{"score": 9}', "broken"]
    answer = turn(transcript="Hello, nice to meet you!")
    assert score(judge, answer, expect="a greeting") == 4
    assert server.keys == ["Bearer judge-secret"]
    told = server.asked[0]["messages"][0]["content"]
    assert "Is it friendly?" in told and "nice to meet you" in told and "a greeting" in told
    with pytest.raises(sn.ExperimentError, match="did not reply with a score"):
        score(judge, answer)
    with pytest.raises(sn.ExperimentError, match="gave 9 on a scale from 1 to 5"):
        score(judge, answer)
    with pytest.raises(sn.ExperimentError, match="HTTP 500"):
        score(judge, answer)
    assert score(judge, turn()) is None
    assert "judge-secret" not in repr(judge)


def test_a_judge_that_is_not_there_says_so() -> None:
    judge = sc.Judge("Is it friendly?", "http://127.0.0.1:9/v1", "m")
    with pytest.raises(sn.ExperimentError, match="cannot be reached"):
        score(judge, turn(transcript="x"))
    with pytest.raises(sn.ConfigError, match=r"no \{answer\}"):
        sc.Judge("x", "http://127.0.0.1:9/v1", "m", prompt="How good is it?")
