"""Which ways around a missing microphone the kernel can offer: those that need it to be where the person is."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

# Each is set where a kernel runs for somebody who sits elsewhere, and says which.
_ELSEWHERE = {
    "SSH_CONNECTION": "it was started over SSH",
    "JUPYTERHUB_API_URL": "it belongs to a JupyterHub",
    "KUBERNETES_SERVICE_HOST": "it runs in a cluster",
    "COLAB_RELEASE_TAG": "it runs in Colab",
    "CODESPACES": "it runs in a codespace",
    "REMOTE_CONTAINERS": "it runs in a container",
    "GITPOD_WORKSPACE_ID": "it runs in a workspace of Gitpod",
}
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))


def elsewhere(environment: Mapping[str, str]) -> str | None:
    """Why the kernel is taken to run on another machine than the browser; None: nothing says so.

    Nothing proves that it runs on the same one: what is offered then may still not open. ``STEPNB_LOCAL=1`` or ``0``
    overrules all signs.
    """
    said = environment.get("STEPNB_LOCAL", "")
    if said:
        return None if said != "0" else "STEPNB_LOCAL says so"
    for name, reason in _ELSEWHERE.items():
        if environment.get(name):
            return reason
    if any(path.exists() for path in _CONTAINER_FILES):
        return "it runs in a container"
    return None


def rungs() -> list[str]:
    """Return what the panel may offer; the page leaves out what its own address speaks against."""
    if elsewhere(os.environ):
        return []
    return ["companion", *(["device"] if importlib.util.find_spec("sounddevice") else [])]
