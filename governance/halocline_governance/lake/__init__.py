"""Where governed tables lie: compartments that are folders or buckets, their labels and leases."""

from halocline_governance.lake.lake import Lake, check_compartment
from halocline_governance.lake.location import Location

__all__ = ["Lake", "Location", "check_compartment"]
