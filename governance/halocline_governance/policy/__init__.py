"""Policy engines: OPA's server and its embedded twin, one contract, chosen once at start."""

from halocline_governance.policy.choose import Signed, open_engine
from halocline_governance.policy.engine import Engine

__all__ = ["Engine", "Signed", "open_engine"]
