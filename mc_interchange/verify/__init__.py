"""The whole ladder for one export: what shows that it is the model of its rules.

The reference is the export's own description, realised and loaded directly. Each rung is made of figures with limits
that were set beforehand; together with versions, seeds and digests they make a certificate, and with pictures a
report.
"""

from .certificate import CERTIFICATE, Certificate, check_certificate, read_certificate, write_certificate
from .ladder import Settings, Verification, verify
from .report import write_report

__all__ = [
    "CERTIFICATE",
    "Certificate",
    "Settings",
    "Verification",
    "check_certificate",
    "read_certificate",
    "verify",
    "write_certificate",
    "write_report",
]
