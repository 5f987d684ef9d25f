"""The spine: labels, principals, gates, the guard, the journal, lineage.

Three nouns carry the rest: a `Label` says what a thing may be shown to, a `Decision` is a gate's
answer about it, an `AuditEvent` is the durable record that comes before the effect. Importing
this package loads no framework.
"""

from halocline_governance.decision import Decision
from halocline_governance.label import PUBLIC, Label, join
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, InferenceRecord, Kind
from halocline_governance.refs import DatasetRef, ModelRef

__all__ = [
    "PUBLIC",
    "AuditEvent",
    "DatasetRef",
    "Decision",
    "InferenceRecord",
    "Kind",
    "Label",
    "ModelRef",
    "Principal",
    "Purpose",
    "join",
]
