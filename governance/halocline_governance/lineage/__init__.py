"""Lineage: dataset versions, mixtures, runs, models and deployments, and the way between them.

`Lineage` records and answers; `fingerprint` names a multiset of rows. Importing this loads no
Delta library.
"""

from halocline_governance.lineage.dataset import DatasetRows
from halocline_governance.lineage.impact import Impact
from halocline_governance.lineage.lineage import Lineage, Parent
from halocline_governance.lineage.outputs import Count
from halocline_governance.lineage.trace import Edge, Node, Trace

__all__ = ["Count", "DatasetRows", "Edge", "Impact", "Lineage", "Node", "Parent", "Trace"]
