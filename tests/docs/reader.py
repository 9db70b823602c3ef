"""A reader of the pages: a folder with the examples, a home, a shell, and what `make up` would have started.

What a shell keeps from one command to the next (variables, the folder) is kept from block to block of a page.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from enrichment_assets.installation.databases import embedded_server
from enrichment_assets.installation.stack import Ports, only_stack_of, stack_environment
from enrichment_assets.installation.told_addresses import addresses_told
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.settings import Settings
from tests.docs.pages import REPOSITORY, Block
from tests.harness.warm_program import WarmProgram

MAKE = {"make demo": "enrich demo", "make down": "enrich down"}
"""What is left of a target when the environment is there."""

UP = "make up"
"""Here: its receiver, its simulator and what it tells other commands, on free ports. Its daemon is left out, for it
would run each batch beside `enrich run`: a minute of CPU time. tests/platform and tests/integration have it whole."""

ADDRESSES = ("http://127.0.0.1:8710", "http://127.0.0.1:8720")
"""Receiver and simulator as the pages write them."""

KEEP = """{ export -p; printf 'cd %q\\n' "$PWD"; }"""


@dataclass(frozen=True)
class Command:
    """One command of a block, or a whole block of commands without output, and the lines that the page shows."""

    block: Block
    text: str
    shown: list[str] = field(default_factory=list)


def commands_of(block: Block) -> list[Command]:
    """A `sh` or `python` block is one script; in a `console` block each `$ ` begins a command, above its output."""
    if block.language == "sh":
        return [Command(block, block.text)]
    if block.language == "python":
        return [Command(block, f"python - <<'END'\n{block.text}END\n")]
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(block, line[2:] + "\n"))
        elif found and not found[-1].shown and _goes_on(found[-1].text):
            found[-1] = Command(block, found[-1].text + line.removeprefix("> ") + "\n")
        else:
            found[-1].shown.append(line)
    return found


def _goes_on(text: str) -> bool:
    return text.rstrip("\n").endswith("\\") or text.count('"') % 2 == 1


class Reader:
    """Types what the pages say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        binaries = folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        (binaries / "activate").write_text(f'PATH="{binaries}:$PATH"\n')
        python = binaries / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        shutil.copytree(REPOSITORY / "examples", folder / "examples")
        self.settings.home.mkdir(mode=0o700)  # a home further up, of somebody else, is not meant
        self._state = folder / ".shell"
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "USER", "SSL_CERT_FILE") if name in os.environ}
        self._environment = {**kept, "PATH": f"{binaries}:{os.environ['PATH']}", "TERM": "dumb", "NO_COLOR": "1"}
        self._environment["PYTHONPATH"] = str(REPOSITORY)
        self._program = WarmProgram(binaries, self._environment)
        self._program.wait_ready()
        self._up = ExitStack()
        self._real: dict[str, str] = {}
        self.new_page()

    @property
    def settings(self) -> Settings:
        """Of the home that the commands make in the folder."""
        return Settings(home=self.folder / ".enrich")

    def new_page(self) -> None:
        """A new terminal: the folder again, and no variables but those of a login."""
        self._state.write_text(f"cd {self.folder}\n")

    def type(self, text: str) -> tuple[int, str]:
        """Exit code, and what a terminal shows of it: standard output and errors, with the pages' ports."""
        if text.startswith(UP):
            self._bring_up()
            return 0, ""
        for target, command in MAKE.items():
            text = re.sub(rf"^{target}\b", command, text, flags=re.MULTILINE)
        for written, real in self._real.items():
            text = text.replace(written, real)
        code, said = self._run(f'. "{self._state}"\nset -e\n{text}\n{KEEP} > "{self._state}"\n')
        for written, real in self._real.items():
            said = said.replace(real.removeprefix("http://"), written.removeprefix("http://"))
        return code, said

    def leave(self) -> None:
        """Stop and remove what was started."""
        self._up.close()
        self._program.stop()
        embedded_server(self.settings).remove()

    def _run(self, script: str) -> tuple[int, str]:
        """Exit code and screen of a script on a terminal of 80 columns."""
        screen, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (40, 80))
        shell = ["bash", "--norc", "-c", script]
        try:
            streams = {"stdin": subprocess.DEVNULL, "stdout": terminal, "stderr": terminal}
            with subprocess.Popen(shell, env=self._environment, **streams) as ran:
                os.close(terminal)
                said = b"".join(iter(lambda: _read(screen), b""))
            return ran.returncode, said.decode().replace("\r\n", "\n")
        finally:
            os.close(screen)

    def _bring_up(self) -> None:
        receiver = self._up.enter_context(ReceiverProcess(self.settings))
        sandbox = self._up.enter_context(SandboxProcess())
        self._real = dict(zip(ADDRESSES, (receiver.url, sandbox.url), strict=True))
        ports = Ports(receiver=_port(receiver.url), sandbox=_port(sandbox.url))
        self._up.enter_context(only_stack_of(self.settings))
        self._up.enter_context(addresses_told(self.settings, stack_environment(self.settings, ports, {})))


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # nobody writes any more
        return b""


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
