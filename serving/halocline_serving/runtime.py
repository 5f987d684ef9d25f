"""What a service is made of. Infra constructs the parts; nothing here opens anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from halocline_governance.detect import Detector
from halocline_governance.gates import Gates
from halocline_governance.label import Label
from halocline_governance.principal import Principal
from halocline_governance.refs import ModelRef
from halocline_serving.engine import Engine
from halocline_serving.metrics import Metrics
from halocline_serving.outputs import Outputs
from halocline_serving.settings import Settings


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model under the name by which callers ask for it.

    Args:
        engine: loaded from a package that the registry verified.
        ref: what was registered.
        alias: under which it is served; the serve gate decides whether that will do.
        deployment: names this deployment in headers and lineage.
    """

    engine: Engine
    ref: ModelRef
    alias: str
    deployment: str = ""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything `create_app` needs.

    Args:
        models: by the name that callers use.
        detectors: the checks for an answer of this label.
        verify: a bearer token's principal, or `Unauthenticated`.
    """

    models: Mapping[str, ServedModel]
    gates: Gates
    outputs: Outputs
    detectors: Callable[[Label], Sequence[Detector]]
    verify: Callable[[str | None], Principal]
    settings: Settings = field(default_factory=Settings)
    metrics: Metrics = field(default_factory=Metrics)
