"""The whole ladder for two sides: what shows that one is the same model as the other.

The reference is an export's own description, realised and loaded directly; or another network, or runs. Each rung is
made of figures with limits that were set beforehand; together with versions, seeds and digests they make a certificate,
and with pictures a report.
"""

from .certificate import CERTIFICATE, Certificate, check_certificate, read_certificate, write_certificate
from .found import Settings, Verification
from .ladder import verify
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
