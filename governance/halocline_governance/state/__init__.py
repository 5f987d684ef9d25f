"""What changes from call to call and every decision depends on: one database with one epoch."""

from halocline_governance.state.crossings import Crossings
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History
from halocline_governance.state.store import Store

__all__ = ["Crossings", "Facts", "History", "Store"]
