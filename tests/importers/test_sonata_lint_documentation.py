"""The page on validation lists every message that the tests see, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import test_sonata_lint as general
import test_sonata_lint_configs as configs
import test_sonata_lint_consumers as consumers

PAGE = Path(__file__).parents[2] / "docs/validation.md"


def rows() -> list[tuple[str, re.Pattern[str], str]]:
    """Return message, pattern and level of every row of the page's tables."""
    found = re.findall(r"^\| `(.+?)` \| (error|warning) \|", PAGE.read_text(), re.MULTILINE)
    return [(text, re.compile(".+".join(map(re.escape, text.split("…")))), level) for text, level in found]


def seen() -> set[tuple[str, str]]:
    """Return level and message of every finding that the other tests expect (``...`` at an end: cut short)."""
    tables = [general.BREAK, general.BY_HAND_BREAK, configs.BREAK, consumers.BREAK]
    expected = [case[-1] for table in tables for case in table.values()]
    findings = [*(finding for case in expected for finding in case), *general.LOOSE, *consumers.EARLY]
    return {(f.level, f"{f.message})" if f.message.endswith("...") else f.message) for f in findings}


def test_every_message_is_on_the_page() -> None:
    missing = [
        (level, message)
        for level, message in seen()
        if not any(row[2] == level and row[1].fullmatch(message) for row in rows())
    ]
    assert missing == []


def test_every_row_of_the_page_is_tested() -> None:
    untested = [
        text
        for text, pattern, level in rows()
        if not any(level == other and pattern.fullmatch(message) for other, message in seen())
    ]
    assert untested == []
