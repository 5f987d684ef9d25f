"""Constructs the serving side: what the registry resolves, behind the gates and the checks."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from halocline_governance.errors import Unverified
from halocline_infra.checks import detectors

if TYPE_CHECKING:
    from pathlib import Path

    from halocline_governance.journal import Trust
    from halocline_infra.platform import Platform
    from halocline_registry.package import Package
    from halocline_serving.outputs import Outputs
    from halocline_serving.runtime import Runtime, ServedModel


@contextmanager
def hosted(platform: Platform, names: Sequence[str], alias: str) -> Generator[Runtime]:
    """A runtime for these models under one alias; engines and outputs close with it.

    Raises:
        Refused: a model or alias that does not exist; says what there is.
        Unverified: a package that is not what was promoted.
    """
    from halocline_serving.outputs import Outputs
    from halocline_serving.runtime import Runtime

    with ExitStack() as stack:
        models = {name: _served(platform, name, alias, stack) for name in names}
        outputs: Outputs = stack.enter_context(Outputs(platform.lake, platform.journal))
        yield Runtime(
            models=models,
            gates=platform.gates,
            outputs=outputs,
            detectors=detectors(platform),
            verify=platform.authenticator.verify,
        )


def _served(platform: Platform, name: str, alias: str, stack: ExitStack) -> ServedModel:
    from halocline_serving.engine import TorchEngine
    from halocline_serving.runtime import ServedModel

    ref, path = platform.registry.resolve(name, alias)
    package = _opened(path, platform.signer.trust)
    engine = TorchEngine.load(package, ref)
    stack.callback(engine.close)
    return ServedModel(engine, ref, alias, deployment=f"{name}@{alias}")


def _opened(path: Path, trust: Trust) -> Package:
    """The package, signed by one of the keys: it may be older than the newest."""
    from halocline_registry.package import open_package

    said: list[str] = []
    for key in trust.keys:
        try:
            return open_package(path, key.public)
        except Unverified as error:
            said.append(str(error))
    raise Unverified("; ".join(dict.fromkeys(said)))
