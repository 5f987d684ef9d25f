from typing import Any

from pyarrow import ArrowException as ArrowException
from pyarrow import ArrowInvalid as ArrowInvalid
from pyarrow import Schema as Schema
from pyarrow import Table as Table

def __getattr__(name: str) -> Any: ...
