"""A brain behind HTTP: any chat server with the shape of OpenAI's ``/v1/chat/completions``, such as Ollama or vLLM.

The answer is spoken sentence by sentence while the server is still writing it. Function tools go to the server and its
calls come back; ``retrieval`` puts the best passage into the question through the tool's template; ``web_search`` has
only stepnb's bundled offline collection.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stepnb.errors import ConfigError, EngineError
from stepnb.local.brain.retrieval import Retriever, search_collection
from stepnb.local.library import Library
from stepnb.local.parts import (
    BrainRequest,
    Message,
    Piece,
    Sentence,
    Thought,
    ToolCall,
    separated,
    split_sentences,
)

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
MAX_ANSWER = 128_000
"""Characters of an answer's deltas as JSON, thoughts and calls included; the rest is not read."""

_MAX_ERROR = 300
_MORE = "\0"
_INSTALL = 'Install it with: pip install "stepnb[local]"'


class HttpBrain:
    """Answers with the model of a chat server.

    Parameters
    ----------
    url
        The server's base URL, such as ``http://127.0.0.1:11434/v1``.
    model
        The name the server knows the model by.
    api_key
        Sent as a bearer token if given.
    library
        The documents for ``retrieval`` tools; None: there are none.

    Raises
    ------
    ConfigError
        The URL is none, or there is no model name.
    EngineError
        httpx is not installed.
    """

    def __init__(
        self, url: str, model: str, *, api_key: str | None = None, library: Library | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"The brain's address is {url!r}.", fix="Write one like http://127.0.0.1:11434/v1."
            )
        if not model:
            raise ConfigError("The brain's model has no name.", fix="Name a model the chat server has.")
        try:
            import httpx
        except ImportError:
            raise EngineError(
                "A brain behind HTTP needs httpx, which is not installed.", fix=_INSTALL
            ) from None
        self._url = url.rstrip("/")
        self._model = model
        self._retriever = Retriever(library) if library is not None else None
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            trust_env=False,  # the server is near; a proxy for the web is not for it
        )

    def check(self) -> None:
        """See that the server is there.

        Raises
        ------
        EngineError
            It does not answer, or refuses the key.
        """
        import httpx

        try:
            response = httpx.get(
                f"{self._url}/models",
                headers=self._client.headers,
                timeout=CONNECT_TIMEOUT_S,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status_code in (401, 403):
            raise EngineError(
                f"The chat server at {self._url} refuses the key.", fix="Give the brain its API key."
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def stream(self, request: BrainRequest) -> AsyncGenerator[Piece]:
        """Answer the end of a conversation, piece by piece.

        Yields
        ------
        Thought, Sentence or ToolCall
            Sentences as soon as they are complete; calls at the end.

        Raises
        ------
        EngineError
            The server did not answer, or with something else than a chat completion.
        """
        import httpx

        body = self._body(request)
        try:
            async with self._client.stream("POST", f"{self._url}/chat/completions", json=body) as response:
                if response.status_code != 200:
                    raise await _refused(response)
                calls: dict[int, dict[str, str]] = {}
                written = ""
                size = 0
                async for delta in _deltas(response):
                    size += len(json.dumps(delta))
                    if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                        yield Thought(str(thought))
                    written += str(delta.get("content") or "")
                    # The mark at the end shows a sentence as complete when the space after it has come.
                    *complete, written = split_sentences(written + _MORE)
                    written = written.removesuffix(_MORE)
                    for sentence in complete:
                        yield Sentence(sentence)
                    _collect(calls, delta.get("tool_calls"))
                    if size > MAX_ANSWER:
                        break
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        for sentence in split_sentences(written):
            yield Sentence(sentence)
        for _, call in sorted(calls.items()):
            yield ToolCall(call["name"], _checked_arguments(call))

    def _unreachable(self, error: Exception) -> EngineError:
        return EngineError(
            f"The chat server at {self._url} does not answer: {str(error) or type(error).__name__}.",
            fix="Start it, or correct the address.",
        )

    def _body(self, request: BrainRequest) -> dict[str, Any]:
        functions = [
            {"type": "function", "function": tool["function"]}
            for tool in request.tools
            if tool["type"] == "function"
        ]
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [*self._system(request), *messages_of(self._grounded(request))],
            "stream": True,
            "seed": request.seed,
        }
        if functions:
            body |= {"tools": functions, "tool_choice": request.tool_choice}
        return body

    def _system(self, request: BrainRequest) -> list[dict[str, Any]]:
        spoken = (
            "Your answer is read aloud: short sentences, no markup." if "audio" in request.modalities else ""
        )
        text = f"{request.instructions}\n\nIt is {request.now:%A, %d %B %Y, %H:%M}. {spoken}".strip()
        return [{"role": "system", "content": text}]

    def _grounded(self, request: BrainRequest) -> Sequence[Message]:
        """Put what retrieval and the search found into the question."""
        *before, last = request.history or (Message("user", ""),)
        if last.role != "user":
            return request.history
        retrieval = [tool for tool in request.tools if tool["type"] == "retrieval"]
        found = self._retriever.ask(retrieval, last.text) if self._retriever and retrieval else None
        if found is not None:
            return [*before, Message("user", found.prompt)]
        if any(tool["type"] == "web_search" for tool in request.tools):
            page = search_collection(last.text)
            if page is not None:
                note = f"{last.text}\n\n(From a small offline collection, not the web: {page.text})"
                return [*before, Message("user", note)]
        return request.history


def messages_of(history: Sequence[Message]) -> list[dict[str, Any]]:
    """Write a conversation as chat messages.

    A call without an output is left out, because servers refuse it; an output without its call becomes a user message.
    """
    answered = {message.call_id for message in history if message.role == "tool"}
    written: list[dict[str, Any]] = []
    known: set[str] = set()
    for message in history:
        if message.role == "tool":
            if message.call_id in known:
                written.append({"role": "tool", "tool_call_id": message.call_id, "content": message.text})
            else:
                written.append({"role": "user", "content": f"Output of a tool: {message.text}"})
            continue
        if message.role == "user":
            written.append({"role": "user", "content": message.text})
            continue
        calls = [call for call in message.calls if call.call_id in answered]
        known |= {call.call_id for call in calls}
        if not calls and not message.text:
            continue
        # What is said and the calls after it are one message of the assistant.
        if not (written and written[-1]["role"] == "assistant"):
            written.append({"role": "assistant", "content": ""})
        entry = written[-1]
        entry["content"] += separated(entry["content"], message.text) if message.text else ""
        if calls:
            entry["tool_calls"] = entry.get("tool_calls", []) + [
                {
                    "id": call.call_id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in calls
            ]
    return written


async def _deltas(response: httpx.Response) -> AsyncIterator[Mapping[str, Any]]:
    """Read the deltas of a streamed completion; a server that does not stream gives one."""
    if "text/event-stream" not in response.headers.get("content-type", ""):
        yield _choice(json_of(await response.aread()), "message")
        return
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            yield _choice(json_of(data), "delta")


def json_of(data: str | bytes) -> Mapping[str, Any]:
    """Decode a JSON object.

    Raises
    ------
    EngineError
        It is none, or it reports an error.
    """
    try:
        decoded = json.loads(data)
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, Mapping):
        raise EngineError("The chat server answered with something that is no chat completion.")
    if decoded.get("error"):
        raise EngineError(f"The chat server reports an error: {str(decoded['error'])[:_MAX_ERROR]}.")
    return decoded


def _choice(decoded: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    choices = decoded.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    delta = first.get(key) if isinstance(first, Mapping) else None
    return delta if isinstance(delta, Mapping) else {}


def _collect(calls: dict[int, dict[str, str]], pieces: object) -> None:
    """Add the pieces of calls that a delta brings, by their index."""
    for place, piece in enumerate(pieces if isinstance(pieces, list) else []):
        if not isinstance(piece, Mapping):
            continue
        index = piece.get("index")
        call = calls.setdefault(index if isinstance(index, int) else place, {"name": "", "arguments": ""})
        function = piece.get("function")
        if isinstance(function, Mapping):
            call["name"] += str(function.get("name") or "")
            arguments = function.get("arguments") or ""
            call["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)


def _checked_arguments(call: Mapping[str, str]) -> str:
    arguments = call["arguments"].strip() or "{}"
    try:
        fits = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        fits = False
    if not fits or not call["name"]:
        raise EngineError(
            f"The model called {call['name'] or 'a tool'} with arguments that are no JSON object."
        )
    return arguments


async def _refused(response: httpx.Response) -> EngineError:
    body = (await response.aread()).decode("utf-8", "replace")
    return EngineError(
        f"The chat server answered {response.status_code}: {' '.join(body.split())[:_MAX_ERROR]}",
        fix="Look at the model's name and the server's log.",
    )
