"""The tables as text, Markdown, LaTeX or HTML.

Names and texts of a model may come from anyone: each format escapes what it would otherwise interpret, and
control characters are written out, so that they cannot reach a terminal.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from mc_interchange.errors import UsageError
from mc_interchange.network import Network

from .tables import Table, tables

__all__ = ["FORMATS", "describe"]

#: Width of broken columns in the text format, in characters.
PROSE_WIDTH = 48


def describe(network: Network, format: str = "text") -> str:
    r"""Return a network's tables after Nordlie et al. 2009.

    Parameters
    ----------
    network
        Any network.
    format
        ``text``, ``markdown``, ``latex`` (a part to ``\input`` into a document with the packages booktabs and
        longtable) or ``html`` (one page that needs no other file).

    Raises
    ------
    UsageError
        Unknown format.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown format '{format}'; known: {', '.join(FORMATS)}")
    description = _printable(network.description)
    references = tuple(_printable(reference) for reference in network.references)
    return FORMATS[format](network.name, description, references, tuple(_clean(t) for t in tables(network)))


def _printable(text: str) -> str:
    """Write control characters out, and join lines."""
    joined = re.sub(r"\s+", " ", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in joined).strip()


def _clean(table: Table) -> Table:
    rows = tuple(tuple(_printable(cell) for cell in row) for row in table.rows)
    return replace(table, rows=rows).condensed()


def _text(name: str, description: str, references: tuple[str, ...], content: tuple[Table, ...]) -> str:
    parts = [f"{name}\n{'=' * len(name)}"]
    if description:
        parts.append(textwrap.fill(description, 100))
    parts += [_text_table(table) for table in content]
    if references:
        parts.append("References\n----------\n" + "\n".join(references))
    return "\n\n".join(parts) + "\n"


def _text_table(table: Table) -> str:
    body = [
        [_wrapped(cell) if name in table.prose else [cell] for name, cell in zip(table.header, row, strict=True)]
        for row in table.rows
    ]
    grid = [[[name] for name in table.header], *body]
    widths = [max(len(line) for row in grid for line in row[column]) for column in range(len(table.header))]
    lines = [table.title, "-" * len(table.title)]
    lines += [f"{name}, all rows: {text}" for name, text in table.common]
    lines += [""] if table.common else []
    for index, row in enumerate(grid):
        for height in range(max(map(len, row))):
            cells = [cell[height] if height < len(cell) else "" for cell in row]
            lines.append("  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip())
        if index == 0:
            lines.append("  ".join("-" * w for w in widths))
    return "\n".join(lines)


def _wrapped(cell: str) -> list[str]:
    # Words are never broken: a number stays whole.
    return textwrap.wrap(cell, PROSE_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def _markdown(name: str, description: str, references: tuple[str, ...], content: tuple[Table, ...]) -> str:
    parts = [f"# {_escape_markdown(name)}"]
    if description:
        parts.append(_markdown_line(description))
    for table in content:
        lines = [table.header, ("---",) * len(table.header)]
        lines += [tuple(map(_escape_markdown, row)) for row in table.rows]
        parts.append(f"## {table.title}")
        parts += [f"{name}, all rows: {_escape_markdown(text)}" for name, text in table.common]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if references:
        parts.append("## References\n\n" + "\n".join(f"- {_markdown_line(r)}" for r in references))
    return "\n\n".join(parts) + "\n"


def _escape_markdown(text: str) -> str:
    text = re.sub(r"([\\`*<>\[\]|~$])", r"\\\1", text)
    text = re.sub(r"&(?=#?\w+;)", r"\\&", text)
    # Between letters an underscore means nothing: names stay as they are.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def _markdown_line(text: str) -> str:
    """Escape, and keep the beginning from being read as a heading or a list."""
    return re.sub(r"^(\d*)([-+=.)#])", r"\1\\\2", _escape_markdown(text))


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    # Brackets behind the end of a row would be an option; quotes are ligatures.
    "[": "{[}",
    "]": "{]}",
    "`": "{`}",
    "'": "{'}",
}
_GREEK = frozenset({"alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau"})
_SYMBOL = re.compile(r"([A-Za-z]+)(?:_([A-Za-z0-9]+))?")


def _latex(name: str, description: str, references: tuple[str, ...], content: tuple[Table, ...]) -> str:
    parts = ["% needs \\usepackage{booktabs,longtable}", f"\\section*{{{_escape_latex(name)}}}"]
    if description:
        parts.append(_escape_latex(description))
    parts += [_latex_table(table) for table in content]
    if references:
        items = "\n".join(f"  \\item {_escape_latex(r)}" for r in references)
        parts.append(f"\\subsection*{{References}}\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}")
    return "\n\n".join(parts) + "\n"


def _latex_table(table: Table) -> str:
    share = 0.5 / max(1, len(table.prose))
    columns = "".join(f"p{{{share:.3f}\\linewidth}}" if name in table.prose else "l" for name in table.header)
    head = " & ".join(map(_escape_latex, table.header)) + r" \\"
    rows = "\n".join(
        " & ".join(
            _latex_symbol(cell) if name in table.symbols else _escape_latex(cell)
            for name, cell in zip(table.header, row, strict=True)
        )
        + r" \\"
        for row in table.rows
    )
    common = "".join(f"{name}, all rows: {_escape_latex(text)}\n\n" for name, text in table.common)
    return (
        f"\\subsection*{{{_escape_latex(table.title)}}}\n{common}\\begin{{longtable}}{{{columns}}}\n\\toprule\n{head}\n"
        f"\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n{rows}\n\\end{{longtable}}"
    )


def _escape_latex(text: str) -> str:
    escaped = "".join(_LATEX.get(c, c) for c in text)
    escaped = re.sub(r"-(?=-)", "-{}", escaped)  # no dashes
    return re.sub(r"(?<![\w.}])-(?=\d)", "$-$", escaped)  # minus signs


def _latex_symbol(text: str) -> str:
    match = _SYMBOL.fullmatch(text)
    if match is None:
        return _escape_latex(text)
    letter, index = match.groups()
    base = f"\\{letter}" if letter in _GREEK else letter if len(letter) == 1 else f"\\mathrm{{{letter}}}"
    return f"${base}_{{\\mathrm{{{index}}}}}$" if index else f"${base}$"


_STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em;color:#111;background:#fff}"
    "table{border-collapse:collapse;margin:.5em 0 2em;border-top:2px solid;border-bottom:2px solid}"
    "th{border-bottom:1px solid}th,td{text-align:left;vertical-align:top;padding:.2em .8em}"
    "div{overflow-x:auto}"
)


def _html(name: str, description: str, references: tuple[str, ...], content: tuple[Table, ...]) -> str:
    title = html.escape(name)
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head><body>',
        f"<h1>{title}</h1>",
    ]
    if description:
        lines.append(f"<p>{html.escape(description)}</p>")
    for table in content:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in table.header)
        lines.append(f"<h2>{html.escape(table.title)}</h2>")
        lines += [f"<p>{html.escape(name)}, all rows: {_link_html(text)}</p>" for name, text in table.common]
        lines.append(f"<div><table><thead><tr>{head}</tr></thead><tbody>")
        lines += ["<tr>" + "".join(f"<td>{_link_html(cell)}</td>" for cell in row) + "</tr>" for row in table.rows]
        lines.append("</tbody></table></div>")
    if references:
        lines.append("<h2>References</h2>\n<ul>")
        lines += [f"<li>{_link_html(reference)}</li>" for reference in references]
        lines.append("</ul>")
    return "\n".join([*lines, "</body></html>"]) + "\n"


_DOI = re.compile(r"doi:(10\.\d+/[A-Za-z0-9._/()-]*[A-Za-z0-9])")


def _link_html(text: str) -> str:
    return _DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', html.escape(text))


_Renderer = Callable[[str, str, tuple[str, ...], tuple[Table, ...]], str]

#: Renderers by the name of their format.
FORMATS: Mapping[str, _Renderer] = MappingProxyType(
    {"text": _text, "markdown": _markdown, "latex": _latex, "html": _html}
)
