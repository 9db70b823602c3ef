"""Ending, stopping or crashing at a marked function: wrapped in the process that is to suffer, before it starts.

Nothing of this is in the package but the marks. A fault is `{"function": "module:function", "when": "before" | "after",
"hit": n, "action": "kill" | "hold" | "restart"}` (`points.Point.fault`); a class's method is `module:Class.method`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.harness.marks import PACKAGE


def strike(fault: dict[str, Any]) -> None:
    """Do to this process what the fault says."""
    if fault["action"] == "restart":
        os.kill(fault["postmaster"], signal.SIGQUIT)  # what `pg_ctl stop -m immediate` sends
        return
    if fault["action"] == "hold":  # until whoever reads the process's number lets it go on
        Path(fault["number"]).write_text(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGSTOP)
        return
    os.kill(os.getpid(), signal.SIGKILL)


def arm(fault: dict[str, Any]) -> None:
    """Wrap the function that the fault names, wherever the package has imported it."""
    owner, attribute = _find(fault["function"])
    original = getattr(owner, attribute)
    wrapped = _wrapped(original, fault, {"calls": 0})
    setattr(owner, attribute, wrapped)
    for name, module in list(sys.modules.items()):
        if inspect.ismodule(owner) and name.startswith(PACKAGE + ".") and getattr(module, attribute, None) is original:
            setattr(module, attribute, wrapped)


def _find(function: str) -> tuple[Any, str]:
    """The module or class that has the function, and its name there."""
    module, _, name = function.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, attribute = name.split(".")
    for part in classes:
        owner = getattr(owner, part)
    return owner, attribute


def _wrapped(original: Any, fault: dict[str, Any], count: dict[str, int]) -> Any:
    def here(when: str) -> None:
        if when == fault["when"]:
            count["calls"] += 1
            if count["calls"] == fault["hit"]:
                strike(fault)

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            here("before")
            result = await original(*args, **kwargs)
            here("after")
            return result

        return call_async

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        here("before")
        result = original(*args, **kwargs)
        here("after")
        return result

    return call
