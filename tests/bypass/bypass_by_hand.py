"""The list of attacks on Spark and Delta alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bypass_world import Attack

BARE: dict[int, Attack] = {}


JVM = "_jvm"


def bare(number: int) -> Callable[[Attack], Attack]:
    def register(attack: Attack) -> Attack:
        BARE[number] = attack
        return attack

    return register


def texts(frame: Any) -> list[Any]:
    return [tuple(found) for found in frame.collect()]
