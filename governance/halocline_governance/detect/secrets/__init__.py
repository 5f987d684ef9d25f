"""Keys, tokens, passwords: forms that their issuers publish, and entropy beside a word for one."""

from halocline_governance.detect.secrets.detector import KINDS, SecretDetector

__all__ = ["KINDS", "SecretDetector"]
