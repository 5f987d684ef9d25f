"""numba's compiler behind a typed border.

What calls one another lies in one file: numba's cache on disk looks only at a function's own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import numba

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.int64]
    Tags = NDArray[np.uint64]
    Mask = NDArray[np.bool_]

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled at its first call, and kept on disk."""
    return cast("Callable[P, R]", numba.njit(nogil=True, cache=True)(function))
