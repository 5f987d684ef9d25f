"""The door to governed rows: a plan is a decision per compartment, and only a plan can be read."""

from halocline_governance.guard.condition import Condition
from halocline_governance.guard.guard import Guard
from halocline_governance.guard.plan import Grant, Plan

__all__ = ["Condition", "Grant", "Guard", "Plan"]
