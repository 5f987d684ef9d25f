"""One gate's policies, compiled on regopy: asked by one thread at a time.

Holds only the modules that the gate's own imports: what regopy spends on a question grows with
everything that is loaded, asked for or not.

Speaks to regopy's C interface where the wrapper would double the cost of a question. Input is
built node by node, but only when all of it is exact that way: that interface cuts text at a NUL,
takes no escapes apart and rounds numbers to six digits. Everything else goes in as JSON text.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import re
import threading
from collections.abc import Mapping
from typing import Any, cast

# regopy 1.5.2 brings its own operator new and delete. Unless libstdc++'s come first, what one of
# them allocates the other frees: 30 KB are lost with every decision, or in pyarrow instead.
with contextlib.suppress(OSError):
    ctypes.CDLL("libstdc++.so.6", mode=ctypes.RTLD_GLOBAL)

from regopy import Interpreter as Rego
from regopy import LogLevel, RegoError, rego_shared

from halocline_governance.errors import Refused
from halocline_governance.policy.bundle import Bundle

_IMPORT = re.compile(r"\bdata\.halocline\.([a-z_]+)")
# Without giving up the GIL: each call is shorter than giving it up and waiting for it again.
_C: Any = ctypes.PyDLL(rego_shared.path)
_C.regoNewInput.restype = ctypes.c_void_p
_C.regoInputInt.argtypes = [ctypes.c_void_p, ctypes.c_int64]
_C.regoFreeInput.restype = None
# regopy looks a key up by comparing it to each one before it: what is asked for most comes first.
_ORDER = ("resource", "principal", "context", "purpose")


class Interpreter:
    """Take `lock` before asking."""

    def __init__(self, bundle: Bundle, gate: str) -> None:
        self.lock = threading.Lock()
        self._entry = f"halocline/{gate}/decision"
        self._rego: Any = Rego()
        self._rego.log_level = LogLevel.NONE
        try:
            for path, source in needed(bundle.modules, gate).items():
                self._rego.add_module(path, source)
            data = _first(bundle.data, (gate, "firm"))
            self._rego.add_data_json(json.dumps(data, ensure_ascii=False))
            self._built: Any = self._rego.build(None, [self._entry])
        except RegoError as error:
            raise Refused(f"the policies do not load: {_first_line(error)}") from None
        if not self._built.ok():
            raise Refused("the policies do not compile; run `opa check` on them")

    def decide(self, asked: Mapping[str, Any], text: str) -> object:
        """The decision's raw result; None when it is undefined.

        Args:
            asked: the question.
            text: the same as JSON.

        Raises:
            ValueError: regopy failed, or what it answered is not JSON.
        """
        try:
            said = self._ask(asked, text)
        except RegoError as error:
            raise ValueError(type(error).__name__) from None
        return None if said is None or said == "undefined" else _only(json.loads(said))

    def _ask(self, asked: Mapping[str, Any], text: str) -> str | None:
        # Plain text needs no escape in JSON, so it is the same to the byte either way.
        if not (text.isascii() and "\\" not in text and self._set_nodes(asked)):
            self._rego.set_input_term(text)
        output = rego_shared.rego_bundle_query_entrypoint(
            self._rego._impl, self._built._impl, self._entry
        )
        try:
            if not rego_shared.rego_output_ok(output):
                return None
            return rego_shared.rego_output_string(output)
        finally:
            rego_shared.rego_free_output(output)

    def _set_nodes(self, asked: Mapping[str, Any]) -> bool:
        nodes = ctypes.c_void_p(_C.regoNewInput())
        try:
            if not _add(nodes, _first(asked, _ORDER)):
                return False
            # What failed on the way is kept there, and told here.
            rego_shared.rego_set_input(self._rego._impl, nodes)
        finally:
            _C.regoFreeInput(nodes)
        return True


def needed(modules: Mapping[str, str], gate: str) -> dict[str, str]:
    """The gate's module and all that it imports, directly or not, by path."""
    found: dict[str, str] = {}
    ahead = [gate]
    while ahead:
        name = ahead.pop()
        path = f"{name}/{name}.rego"
        if path not in found and path in modules:
            found[path] = modules[path]
            ahead += _IMPORT.findall(modules[path])
    return dict(sorted(found.items()))


def _add(nodes: object, value: object) -> bool:
    """Push one value; False if it is of a kind that would not arrive exactly."""
    kind = type(value)
    if kind is str:
        _C.regoInputString(nodes, cast("str", value).encode())
    elif kind is dict:
        items = cast("dict[str, object]", value)
        for key, item in items.items():
            _C.regoInputString(nodes, key.encode())
            if not _add(nodes, item):
                return False
            _C.regoInputObjectItem(nodes)
        _C.regoInputObject(nodes, len(items))
    elif kind is list:
        members = cast("list[object]", value)
        if not all(_add(nodes, member) for member in members):
            return False
        _C.regoInputArray(nodes, len(members))
    elif kind is int:
        _C.regoInputInt(nodes, value)
    elif kind is bool:
        _C.regoInputBoolean(nodes, value)
    elif value is None:
        _C.regoInputNull(nodes)
    else:
        return False
    return True


def _first(named: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The same, in another order: these names before the others."""
    return {name: named[name] for name in names if name in named} | dict(named)


def _only(said: object) -> object:
    """The one expression of the one result."""
    if isinstance(said, list):
        results = cast("list[object]", said)
        said = results[0] if len(results) == 1 else None
    expressions = cast("dict[str, object]", said).get("expressions") if said else None
    if not isinstance(expressions, list):
        return None
    values = cast("list[object]", expressions)
    return values[0] if len(values) == 1 else None


def _first_line(error: RegoError) -> str:
    return str(error).strip().splitlines()[0][:200]
