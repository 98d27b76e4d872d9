"""A report as parts, and what becomes of them: one HTML file that needs nothing else, or Markdown."""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from course_utils.errors import CourseError
from course_utils.pretrained.files.writing import written_whole

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption, figcaption { text-align: left; font-style: italic; padding: .3rem 0; }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid gray; text-align: left; }
.wide { overflow-x: auto; }
figure { margin: 1.2rem 0; }
figure svg, figure img { max-width: 100%; height: auto; background: white; border-radius: 4px; }
.photos { display: flex; flex-wrap: wrap; gap: .8rem; }
.photos figure { width: 10rem; margin: 0; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid gray; border-radius: 4px; }
"""


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Grid:
    """A table."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A drawing, and the same in words."""

    svg: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Photos:
    """Small pictures, each a JPEG file with its words."""

    caption: str
    pictures: tuple[tuple[bytes, str], ...]


Part = str | Heading | Bullets | Code | Grid | Chart | Photos       # a text is a paragraph


def write_page(path: str | os.PathLike, title: str, parts: Iterable[Part]) -> Path:
    """Write a report whole or not at all, as HTML or, where `path` ends in .md, as Markdown.

    Markdown holds no pictures: they go into a folder beside it, NAME_files.

    Raises:
        CourseError: the ending is neither, or the report cannot be written there.
    """
    path, parts = Path(path).expanduser().absolute(), list(parts)
    if path.suffix.lower() not in (".html", ".md"):
        raise CourseError(f"A report is written as .html or .md, but the name given is '{path.name}'.")
    if path.suffix.lower() == ".md":
        beside, files = path.with_name(f"{path.stem}_files"), {}
        for chart in (part for part in parts if isinstance(part, Chart)):
            files[chart.svg.encode()] = f"{beside.name}/{len(files) + 1}.svg"
        for photos in (part for part in parts if isinstance(part, Photos)):
            files |= {photo: f"{beside.name}/{len(files) + n}.jpg"
                      for n, (photo, _) in enumerate(photos.pictures, start=1)}
        for content, name in files.items():
            _write(path.with_name(beside.name) / Path(name).name, content)
        text = as_markdown(title, parts, files)
    else:
        text = as_html(title, parts)
    _write(path, text.encode("utf-8", "replace"))
    return path


def _write(path: Path, content: bytes) -> None:
    with written_whole(path) as file:
        file.write(content)


def as_html(title: str, parts: Iterable[Part]) -> str:
    """A page that loads nothing."""
    body = "\n".join(map(part_as_html, parts))
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
            f"<style>{STYLE}</style></head>\n<body><main><h1>{html.escape(title)}</h1>\n{body}\n"
            "</main></body></html>\n")


def part_as_html(part: Part) -> str:
    """One part, with all its words escaped."""
    match part:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"
        case Code(text):
            return f"<pre><code>{html.escape(text)}</code></pre>"
        case Chart(svg, alt, caption):
            drawing = svg[svg.index("<svg ") + len("<svg "):]
            return (f'<figure><svg role="img" aria-label="{html.escape(alt)}" {drawing}'
                    f"<figcaption>{html.escape(caption)}</figcaption></figure>")
        case Photos(caption, pictures):
            shown = "".join(f'<figure><img alt="{html.escape(words)}" src="data:image/jpeg;base64,'
                            f'{base64.b64encode(photo).decode()}"><figcaption>{html.escape(words)}</figcaption>'
                            "</figure>" for photo, words in pictures)
            return f'<p>{html.escape(caption)}</p><div class="photos">{shown}</div>'
        case Grid(caption, head, rows):
            top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
            lines = "".join(f'<tr><th scope="row">{html.escape(first)}</th>'
                            + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest) + "</tr>"
                            for first, *rest in rows)
            return (f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(caption)}">'
                    f"<table><caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead>"
                    f"<tbody>{lines}</tbody></table></div>")
    return f"<p>{html.escape(part)}</p>"


def as_markdown(title: str, parts: Iterable[Part], files: Mapping[bytes, str]) -> str:
    """The same in Markdown, with drawings and photographs at the paths in `files`, by their content."""
    return "\n\n".join([f"# {_plain(title)}", *(_markdown(part, files) for part in parts)]) + "\n"


def _markdown(part: Part, files: Mapping[bytes, str]) -> str:
    match part:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Bullets(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Code(text):
            return f"```\n{text}\n```"
        case Chart(svg, alt, caption):
            return f"![{_plain(alt)}]({quote(files[svg.encode()])})\n\n*{_plain(caption)}*"
        case Photos(caption, pictures):
            lines = [f"![{_plain(words)}]({quote(files[photo])}) {_plain(words)}"
                     for photo, words in pictures]
            return "\n\n".join([_plain(caption), *lines])
        case Grid(caption, head, rows):
            lines = [head, ["---"] * len(head), *rows]
            return f"*{_plain(caption)}*\n\n" + "\n".join(
                f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
    return _plain(part)


def _plain(text: str) -> str:
    """Words as they are, in one line: nothing in them is taken for Markdown."""
    return re.sub(r"([\\`*\[\]|<>])", r"\\\1", " ".join(text.split()))
