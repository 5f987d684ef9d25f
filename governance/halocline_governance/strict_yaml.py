"""YAML that has one meaning, or none: what was reviewed is what holds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


def loads(content: bytes | str) -> Any:
    """The decoded value.

    Raises:
        ValueError: not YAML, a key that is no text or stands twice, a merge (`<<`), or nested too
            deep. Its message quotes nothing.
    """
    import yaml

    try:
        return yaml.load(content, _loader())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        # What a parser says quotes the text, which may be a secret.
        raise ValueError(
            f"not YAML with every key once and no `<<` ({type(error).__name__})"
        ) from None


def _loader() -> Any:
    import yaml

    class Strict(yaml.SafeLoader):
        """Refuses a key that is no text or stands twice, and `<<`, which would let both win."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            keys: list[yaml.Node] = [key for key, _ in node.value]
            names = {key.value for key in keys if key.tag == _TEXT}
            if len(names) != len(keys):
                raise yaml.constructor.ConstructorError(None, None, "a key stands twice")
            return super().construct_mapping(node, deep)

    return Strict


_TEXT = "tag:yaml.org,2002:str"
