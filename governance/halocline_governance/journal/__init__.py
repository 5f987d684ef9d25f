"""The audit journal: what is appended is durable, ordered, and provably complete.

`Journal.append` returns when the record is on disk; nothing may take effect before. The format is
specified in docs/journal-format.md, and `governance/verifier/` checks it without this code.
"""

from halocline_governance.journal.log import Journal
from halocline_governance.journal.note import Signer, Trust
from halocline_governance.journal.segments import Receipt
from halocline_governance.journal.spool import Spool
from halocline_governance.journal.verification import Verification, read, records, verify

__all__ = [
    "Journal",
    "Receipt",
    "Signer",
    "Spool",
    "Trust",
    "Verification",
    "read",
    "records",
    "verify",
]
