"""What changes from call to call and every decision depends on: one database with one epoch."""

from halocline_governance.state.store import Store

__all__ = ["Store"]
