"""A picture of what a terminal shows, in SVG that loads nothing."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.terminal_theme import TerminalTheme

from tracesplice_view._printable import printable
from tracesplice_view._summary import summary
from tracesplice_view._tree import trees

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from tracesplice_view._judged import Judged

__all__ = ["PICTURE_WIDTH", "picture", "svg"]

PICTURE_WIDTH = 110
"""Columns: wide enough for two panels, narrow enough to be read in a README."""

# In pixels: the usual monospace fonts, 0.6 as wide as high, at 21, where the frames' lines meet.
_COLUMN = 12.6
_ROW_FONT = 20  # what Rich takes a column's width in proportion of
_SPACE = "&#160;"
_LINE_END = re.compile(r"<text [^>]*>\n</text>")
_TEXT = re.compile(r'(<text [^>]*?\bx=")([\d.]+)("[^>]*?textLength=")([\d.]+)("[^>]*>)([^<]*)<')
_THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [
        (72, 79, 88),
        (218, 54, 51),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (255, 255, 255),
    ],
    [
        (110, 118, 129),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (255, 255, 255),
    ],
)
# Rich's own format loads its fonts from the network.
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 21px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font: bold 18px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def svg(judged: Judged, *, title: str = "Traces, as Langfuse shows them") -> str:
    """A picture of judged traces: the trees, what holds and what does not."""
    shown = Group(*trees(judged.run), "", *summary(judged))
    return picture(printable(title, 200), lambda _: shown)


def picture(title: str, draw: Callable[[Console], RenderableType]) -> str:
    """SVG of what `draw` makes for a terminal of `PICTURE_WIDTH` columns."""
    console = Console(
        record=True,
        width=PICTURE_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    console.print(draw(console))
    drawn = console.export_svg(
        title=title,
        theme=_THEME,
        code_format=_FORMAT,
        font_aspect_ratio=_COLUMN / _ROW_FONT,
        unique_id="trace",
    )
    drawn = _TEXT.sub(_trimmed, _LINE_END.sub("", drawn)).replace(
        "<style>", f"<title>{escape(title)}</title>\n<style>", 1
    )
    return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE).rstrip() + "\n"


def _trimmed(match: re.Match[str]) -> str:
    """A text without spaces around it: some viewers drop them and move the rest."""
    start, x, between, length, end, text = match.groups()
    plain = text.replace(_SPACE, " ")
    left = len(plain) - len(plain.lstrip(" "))
    cut = len(plain) - len(plain.strip(" "))
    moved, shorter = float(x) + left * _COLUMN, float(length) - cut * _COLUMN
    bare = plain.strip(" ").replace(" ", _SPACE)
    return f"{start}{moved:g}{between}{shorter:g}{end}{bare}<"
