"""Lineage: dataset versions, mixtures, runs, models and deployments, and the way between them.

`Lineage` records and follows; `fingerprint` names a multiset of rows. Importing this loads no
Delta library.
"""

from halocline_governance.lineage.lineage import Lineage, Parent
from halocline_governance.lineage.trace import Edge, Node, Trace

__all__ = ["Edge", "Lineage", "Node", "Parent", "Trace"]
