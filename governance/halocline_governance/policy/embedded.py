"""The embedded twin: the same policies on regopy, in this process, without a server.

Compiles once and asks under a lock. Input goes in as JSON text: regopy's own conversion of Python
values cuts text at a NUL, rounds numbers to six digits and wraps large ones, each a way to be
allowed what OPA denies.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from regopy import Interpreter, LogLevel, RegoError

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.gates import Gate
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.engine import answer, question

_PATIENCE_S = 10.0


class Embedded:
    """A `policy.Engine` on regopy."""

    name = "embedded (regopy)"

    def __init__(self, bundle: Bundle) -> None:
        self._lock = threading.Lock()
        self._revision = bundle.revision
        self._rego: Any = Interpreter()
        self._rego.log_level = LogLevel.NONE
        try:
            for path, source in bundle.modules.items():
                self._rego.add_module(path, source)
            self._rego.add_data_json(json.dumps(bundle.data, ensure_ascii=False))
            self._built: Any = self._rego.build(None, [_entry(gate.value) for gate in Gate])
        except RegoError as error:
            raise Refused(f"the policies do not load: {_first_line(error)}") from None
        if not self._built.ok():
            raise Refused("the policies do not compile; run `opa check` on them")

    @property
    def revision(self) -> str:
        return self._revision

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        """See `policy.Engine`."""
        text = question(gate, input)
        # A fork in another thread's question leaves the lock held for ever: deny, do not hang.
        if not self._lock.acquire(timeout=_PATIENCE_S):
            raise PolicyUnavailable(f"{gate} gate: the policy engine did not come free")
        try:
            result = self._ask(gate, text)
        except (RegoError, ValueError, LookupError) as error:
            message = f"{gate} gate: regopy failed ({type(error).__name__})"
            raise PolicyUnavailable(message) from None
        finally:
            self._lock.release()
        return answer(result, self._revision)

    def close(self) -> None:
        """Forget the policies; every later question is refused."""
        with self._lock:
            self._rego = None

    def _ask(self, gate: str, text: str) -> object:
        if self._rego is None:
            raise PolicyUnavailable(f"{gate} gate: the policy engine is closed")
        self._rego.set_input_term(text)
        output = self._rego.query_bundle_entrypoint(self._built, _entry(gate))
        if not output.ok() or len(output) != 1 or len(output[0].expressions) != 1:
            return None
        return output[0].expressions[0]


def _entry(gate: str) -> str:
    return f"halocline/{gate}/decision"


def _first_line(error: RegoError) -> str:
    return str(error).strip().splitlines()[0][:200]
