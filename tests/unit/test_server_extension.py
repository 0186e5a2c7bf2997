"""The Jupyter server sends the kernel's messages at once."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from stepnb import server_extension


def test_the_servers_own_connection_is_made_prompt() -> None:
    settings: dict[str, Any] = {server_extension.SETTING: ZMQChannelsWebsocketConnection}
    server_extension._load_jupyter_server_extension(
        SimpleNamespace(web_app=SimpleNamespace(settings=settings))
    )
    made = settings[server_extension.SETTING]
    assert issubclass(made, ZMQChannelsWebsocketConnection) and made is not ZMQChannelsWebsocketConnection


def test_a_connection_sends_at_once_and_is_otherwise_what_it_was() -> None:
    calls: list[Any] = []

    class Connection:
        def __init__(self) -> None:
            self.websocket_handler = SimpleNamespace(set_nodelay=calls.append)

        def connect(self) -> str:
            calls.append("connect")
            return "connected"

    assert server_extension.prompt(Connection)().connect() == "connected"
    assert calls == [True, "connect"]


def test_a_server_without_kernels_of_its_own_is_left_alone() -> None:
    settings: dict[str, Any] = {}
    server_extension._load_jupyter_server_extension(
        SimpleNamespace(web_app=SimpleNamespace(settings=settings))
    )
    assert settings == {}


def test_installing_switches_it_on() -> None:
    config = json.loads((Path(__file__).parents[2] / "jupyter-config" / "stepnb.json").read_text())
    (point,) = server_extension._jupyter_server_extension_points()
    assert config["ServerApp"]["jpserver_extensions"] == {point["module"]: True}
