"""Write the published JSON schema of model files: ``python -m mc_interchange.network.publish_schema``."""

from __future__ import annotations

import json
from pathlib import Path

from .yaml_file import json_schema

__all__ = ["SCHEMA_FILE", "schema_text"]

#: The schema, as it comes with the package.
SCHEMA_FILE = Path(__file__).with_name("network.schema.json")


def schema_text() -> str:
    """Return what :data:`SCHEMA_FILE` must hold."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    print(f"{SCHEMA_FILE} written")
