"""Exhibits: what can be looked at beside words. Data only; a screen draws them, a terminal prints them.

A check shows them as evidence, `expect(…, show=lambda: [Table(…)])`; an explorer shows them for the values
that were chosen.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

LARGEST_SIDE = 320       # pixels of a picture that is sent to a browser
PRINTED_POINTS = 24      # of a chart's line in its text form


class Exhibit:
    """One thing to look at."""

    def text(self) -> str:
        """All that it shows, in words."""
        raise NotImplementedError

    def drawn(self) -> dict:
        """What a drawing needs: plain values, and bytes for pictures."""
        return {"kind": type(self).__name__.lower(), **asdict(self)}


@dataclass(frozen=True)
class Words(Exhibit):
    """A sentence or two; `code` between backticks."""

    said: str

    def text(self) -> str:
        return self.said


@dataclass(frozen=True)
class Table(Exhibit):
    """Rows under the names of their columns; the first cell of a row is its name."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[int] = ()      # the rows that matter, from 0: they carry a sign, not only a colour
    tree: Sequence[tuple[int, str]] = ()    # of each row its depth and kind: drawn as indent and colour

    def text(self) -> str:
        cells = [list(map(str, self.columns)), *([str(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in cells]
        signs = ["  ", *("▸ " if number in self.marked else "  " for number in range(len(self.rows)))]
        return "\n".join([self.title, *(sign + line for sign, line in zip(signs, lines, strict=True))])


@dataclass(frozen=True)
class Code(Exhibit):
    """A listing, some lines of which are lit."""

    title: str
    lines: Sequence[str]
    lit: Sequence[int] = ()         # from 0: they carry a sign, not only a colour

    def text(self) -> str:
        return "\n".join([self.title, *(f"{'▸' if number in self.lit else ' '} {line}".rstrip()
                                        for number, line in enumerate(self.lines))])


@dataclass(frozen=True)
class Bars(Exhibit):
    """Shares side by side, as (label, share from 0 to 1, the number as text)."""

    title: str
    bars: Sequence[tuple[str, float, str]]

    def text(self) -> str:
        width = max((len(label) for label, _, _ in self.bars), default=0)
        return "\n".join([self.title, *(f"  {label:{width}}  {number:>6}  {'█' * round(20 * share)}".rstrip()
                                        for label, share, number in self.bars)])


@dataclass(frozen=True)
class Picture:
    """A picture as PNG, what stands below it, and what it shows for those who do not see it."""

    png: bytes
    caption: str
    alt: str

    @classmethod
    def of(cls, image, caption: str, alt: str = "", largest: int = LARGEST_SIDE) -> Picture:
        """From a PIL image of any size and mode, of which no side stays longer than `largest` pixels."""
        return cls(png(image, largest), caption, alt or caption)

    @property
    def words(self) -> str:
        return self.alt if self.alt == self.caption else f"{self.caption}: {self.alt}"


@dataclass(frozen=True)
class Pictures(Exhibit):
    """Pictures in a row, that wrap where there is little room."""

    title: str
    pictures: Sequence[Picture]
    width: int = 140        # pixels each is shown at

    def text(self) -> str:
        return "\n".join([self.title, *(f"  [picture] {picture.words}" for picture in self.pictures)])


@dataclass(frozen=True)
class Line:
    """Points of one name, as (x, y) or (x, y, what the point is called)."""

    name: str
    points: Sequence[tuple]
    joined: bool = True                                     # a line through the points; False: points alone
    band: Sequence[tuple[float, float, float]] = ()         # (x, lowest y, highest y) around the line


@dataclass(frozen=True)
class Chart(Exhibit):
    """Lines and points over two axes. Lines differ in dash and marker, not by colour alone."""

    title: str
    x: str                                          # what the axes are, with units
    y: str
    lines: Sequence[Line]
    log_x: bool = False
    log_y: bool = False
    percent: bool = False                           # y is a share from 0 to 1
    marks: Sequence[tuple[float, str]] = ()         # upright lines, as (x, what happened there)
    levels: Sequence[tuple[float, str]] = ()        # level lines, as (y, what it is)

    def drawn(self) -> dict:
        shown = super().drawn()
        for line in shown["lines"]:         # JSON knows neither nan nor infinity
            line["points"] = [list(point) for point in line["points"] if all(map(math.isfinite, point[:2]))]
        return shown

    def text(self) -> str:
        said = [f"{self.title} ({self.x}, {self.y})"]
        for line in self.lines:
            every = math.ceil(len(line.points) / PRINTED_POINTS) or 1
            points = [self._point(point) for point in line.points[::every]]
            said += [f"  {line.name}: " + "; ".join(points)]
        said += [f"  at {x:.4g}: {words}" for x, words in self.marks]
        said += [f"  level {self._number(y)}: {words}" for y, words in self.levels]
        return "\n".join(said)

    def _point(self, point: tuple) -> str:
        name = f"{point[2]} " if len(point) > 2 else ""
        return f"{name}({point[0]:.4g}, {self._number(point[1])})"

    def _number(self, y: float) -> str:
        return f"{y:.1%}" if self.percent else f"{y:.4g}"


def png(image, largest: int = LARGEST_SIDE) -> bytes:
    """A PIL image of any size and mode as PNG, no side longer than `largest` pixels."""
    small = image.convert("RGB")
    small.thumbnail((largest, largest))
    file = io.BytesIO()
    small.save(file, format="PNG")
    return file.getvalue()
