"""The parent's side of the pipe: one ``stepnb.local.worker`` process, driven from asyncio."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

from stepnb.errors import EngineError
from stepnb.local.worker import SIZES, FrameError, Header, pack, unpack_header, unpack_sizes

logger = logging.getLogger("stepnb.local")

END_TIMEOUT_S = 2.0  # for a child to end by itself after its stdin closed
_SECRETS = ("STEPFUN_API_KEY", "STEP_API_KEY")
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class ChildFailed(Exception):
    """The process crashed, hung or spoke nonsense; another one may do better."""


class Child:
    """A worker process. Made by `Child.start`; `end` must be called.

    After a `ChildFailed`, or when a `call` was cancelled, the pipe may be out of step: the child is only good for
    `end` then, which is what `usable` says.
    """

    def __init__(self, role: str, process: asyncio.subprocess.Process) -> None:
        self.role = role
        self.usable = False  # until it says that it is ready
        self.pid = process.pid
        self._process = process
        self._log_task = asyncio.create_task(self._log_stderr(), name=f"stepnb {role} stderr")

    @classmethod
    async def start(cls, *arguments: str, timeout_s: float) -> Child:
        """Start a process and wait until it is ready.

        Parameters
        ----------
        arguments
            The worker's arguments, the role first.
        timeout_s
            How long it may take.

        Raises
        ------
        ChildFailed
            It ended or did not get ready in time.
        EngineError
            It cannot work here at all, for example because a library is missing.
        """
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        # -P: a random.py beside the notebook must not be imported instead of the library's. The child still has to find
        # this very stepnb, installed or not.
        paths = [_PACKAGE_ROOT, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        # What it writes while it starts is removed here: a child that is killed cannot do it.
        with tempfile.TemporaryDirectory(prefix="stepnb-", ignore_cleanup_errors=True) as folder:
            environment["TMPDIR"] = folder
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "stepnb.local.worker",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
            )
            child = cls(arguments[0], process)
            try:
                async with asyncio.timeout(timeout_s):
                    header, _ = await child._read()
            except TimeoutError:
                await child.end()
                raise ChildFailed(f"the {child.role} process was not ready after {timeout_s:g} s") from None
            except BaseException:
                await child.end()
                raise
        if "error" in header:
            await child.end()
            raise EngineError(
                f"The local engine's {child.role} cannot start: {header['error']}.",
                fix="Its parts are installed by: pip install 'stepnb[local]'.",
            )
        child.usable = True
        return child

    async def call(self, header: Header, body: bytes, *, timeout_s: float) -> tuple[Header, bytes]:
        """Send one request and wait for its reply.

        Raises
        ------
        ChildFailed
            The process crashed, hung or spoke nonsense.
        EngineError
            It refused this request; the next one may go well.
        """
        usable, self.usable = self.usable, False
        if not usable:
            raise ChildFailed(f"the {self.role} process is out of step")
        assert self._process.stdin is not None
        try:
            async with asyncio.timeout(timeout_s):
                self._process.stdin.write(pack(header, body))
                await self._process.stdin.drain()
                reply, data = await self._read()
        except TimeoutError:
            raise ChildFailed(f"the {self.role} process did not answer within {timeout_s:g} s") from None
        except (ConnectionError, FrameError) as error:
            raise ChildFailed(f"the {self.role} process failed: {error}") from error
        self.usable = True
        if "error" in reply:
            raise EngineError(f"The local engine's {self.role} failed: {reply['error']}.")
        return reply, data

    async def end(self) -> None:
        """Let the process end, by force if it does not do so itself."""
        was_usable, self.usable = self.usable, False
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            if was_usable:
                async with asyncio.timeout(END_TIMEOUT_S):
                    await self._process.wait()
        except TimeoutError:
            logger.warning("the %s process did not end by itself and was killed", self.role)
        finally:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            await self._log_task

    async def _read(self) -> tuple[Header, bytes]:
        assert self._process.stdout is not None
        try:
            head_size, body_size = unpack_sizes(await self._process.stdout.readexactly(SIZES.size))
            header = unpack_header(await self._process.stdout.readexactly(head_size))
            return header, await self._process.stdout.readexactly(body_size)
        except asyncio.IncompleteReadError:
            raise ChildFailed(f"the {self.role} process ended unexpectedly") from None
        except FrameError as error:
            raise ChildFailed(f"the {self.role} process sent no frame: {error}") from error

    async def _log_stderr(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(
            8192
        ):  # not readline: a line may be longer than its limit
            logger.warning("%s: %s", self.role, chunk.decode(errors="replace").rstrip())
