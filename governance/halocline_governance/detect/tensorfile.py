"""Arrays and one JSON card in a safetensors file, written so that equal content is equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One key only: safetensors writes several in no fixed order.
_KEY = "halocline"


def write(path: Path, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the file, and its folder if need be. The card names its `format`."""
    from safetensors import numpy as tensors

    metadata = {_KEY: json.dumps(dict(card), sort_keys=True)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tensors.save(dict(arrays), metadata))


def read(path: Path, expected: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The card and the arrays. Raises `Refused` if missing, damaged or of another format."""
    import safetensors

    try:
        with cast(Any, safetensors.safe_open)(path, "numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            card: object = json.loads(metadata.get(_KEY, "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError):
        raise Refused(f"{path.name}: missing or damaged; write it again") from None
    if not isinstance(card, dict) or cast("dict[str, Any]", card).get("format") != expected:
        raise Refused(f"{path.name}: not a file of {expected}")
    return cast("dict[str, Any]", card), arrays
