"""The embedded twin: the same policies on regopy, in this process, without a server.

Each gate is compiled once, into an interpreter of its own, and asked under its lock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable
from halocline_governance.gates import Gate
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.engine import answer, question
from halocline_governance.policy.interpreter import Interpreter


class Embedded:
    """A `policy.Engine` on regopy.

    Raises:
        Refused: a gate's policies do not load.
    """

    name = "embedded (regopy)"

    def __init__(self, bundle: Bundle) -> None:
        self._revision = bundle.revision
        self._by_gate = {gate.value: Interpreter(bundle, gate.value) for gate in Gate}
        self._pid = os.getpid()
        self._closed = False

    @property
    def revision(self) -> str:
        return self._revision

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        """See `policy.Engine`."""
        text = question(gate, input)
        if os.getpid() != self._pid:
            # A fork amid a thread's question leaves regopy halfway, and its lock held for ever.
            raise PolicyUnavailable(f"{gate} gate: open a policy engine in this process")
        interpreter = self._by_gate[gate]
        try:
            with interpreter.lock:
                if self._closed:
                    raise PolicyUnavailable(f"{gate} gate: the policy engine is closed")
                result = interpreter.decide(input, text)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            message = f"{gate} gate: regopy failed ({type(error).__name__})"
            raise PolicyUnavailable(message) from None
        return answer(result, self._revision)

    def close(self) -> None:
        """Answer nothing any more; every later question is refused."""
        self._closed = True
