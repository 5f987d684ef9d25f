"""The real engine on a lead, for tests of reads that go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable
from halocline_governance.policy import Engine


@dataclass
class Loose:
    """It can be cut, exchanged for another, told to deny, and the obligations of its allows
    altered."""

    engine: Engine
    name: str = "loose"
    down: bool = False
    denying: bool = False
    alter: Mapping[str, Any] = field(default_factory=dict[str, Any])
    asked: int = 0

    @property
    def revision(self) -> str:
        return f"{self.engine.revision}{sorted(self.alter.items())}"

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        self.asked += 1
        if self.down:
            raise PolicyUnavailable("down")
        if self.denying:
            return Decision(False, ("revoked",), {}, self.revision, "d-1")
        answer = replace(self.engine.decide(gate, input), revision=self.revision)
        altered = {**answer.obligations, **self.alter} if answer.allow else {}
        return replace(answer, obligations=altered)

    def close(self) -> None: ...
