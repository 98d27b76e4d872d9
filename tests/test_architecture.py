"""The arrows between rooms, read from the imports themselves."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "course_utils"

# A room may import itself and these.
ALLOWED = {
    "errors": set(),
    "paths": {"errors"},
    "pretrained": {"errors", "paths"},
    "teaching": {"errors", "paths"},
    "lessons": {"errors", "paths", "pretrained", "teaching"},
    "widgets": {"errors", "paths", "pretrained", "teaching", "lessons"},
    "cli": {"errors", "paths", "pretrained", "teaching", "lessons", "widgets"},
}
# The subject's own rooms, in order: each may import those before it.
SUBJECT = ("files", "models", "data", "audit", "inference", "features", "saving", "training", "study")
# Only these files may know where architectures come from; whoever wants a model asks them.
KNOWS_ARCHITECTURES = {"pretrained/models/loading.py", "pretrained/models/libraries.py"}
ARCHITECTURES = ("timm", "torch.hub", "torchvision.models")


def imported_modules(source: str, package: str = "") -> set[str]:
    """Every module that `source` imports anywhere, inside functions too, as dotted absolute names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]).rstrip(".")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "course_utils" and len(parts) > 1 and parts[1] in ALLOWED else None


def wrong_arrows(room: str, source: str, package: str = "") -> set[str]:
    rooms = {room_of(module) for module in imported_modules(source, package)} - {None, room}
    return rooms - ALLOWED[room]


def python_files():
    return [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.mark.parametrize("path", python_files())
def test_every_import_follows_the_arrows(path):
    inside = path.relative_to(PACKAGE)
    room = inside.parts[0].removesuffix(".py")
    if room == "__init__":
        assert not imported_modules(path.read_text()), "course_utils/__init__.py must import nothing"
        return
    assert room in ALLOWED, f"{inside} stands in no room of the design"
    package = ".".join(["course_utils", *inside.parent.parts])
    assert not wrong_arrows(room, path.read_text(), package)


def later_rooms(room: str, source: str, package: str = "") -> set[str]:
    """The rooms of the subject that `source` imports although they come after its own."""
    found = {module.split(".")[2] for module in imported_modules(source, package)
             if module.startswith("course_utils.pretrained.")} & set(SUBJECT)
    return found - set(SUBJECT[: SUBJECT.index(room) + 1])


@pytest.mark.parametrize("room", SUBJECT)
def test_the_rooms_of_the_subject_import_those_before_them(room):
    for path in sorted((PACKAGE / "pretrained" / room).glob("*.py")):
        assert not later_rooms(room, path.read_text()), path


def test_an_import_of_a_later_room_is_found():
    line = "def f():\n    from course_utils.pretrained.training.loop import fit"
    assert later_rooms("models", line) == {"training"} and not later_rooms("training", line)


def test_the_subject_has_these_rooms_and_no_loose_files():
    inside = {path.name for path in (PACKAGE / "pretrained").iterdir()} - {"__pycache__"}
    assert inside == {"__init__.py", *SUBJECT}


@pytest.mark.parametrize("room, line", [
    ("pretrained", "from course_utils.teaching import Verdict"),
    ("teaching", "def f():\n    import course_utils.pretrained.models.loading"),
    ("lessons", "from course_utils import widgets"),
    ("errors", "from .paths import data"),
])
def test_an_arrow_the_wrong_way_is_found(room, line):
    assert wrong_arrows(room, line, package="course_utils")


@pytest.mark.parametrize("path", python_files())
def test_only_the_model_room_knows_where_architectures_come_from(path):
    inside = path.relative_to(PACKAGE).as_posix()
    knows = {m for m in imported_modules(path.read_text()) if m.startswith(ARCHITECTURES)}
    assert not knows or inside in KNOWS_ARCHITECTURES, f"{inside} imports {sorted(knows)}"


def loaded_by(statement: str) -> set[str]:
    """The top-level modules a fresh Python has loaded after `statement`."""
    code = f"import sys\n{statement}\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import course_utils", "import course_utils.teaching",
                                       "import course_utils.widgets", "import course_utils.cli"])
def test_light_rooms_load_neither_torch_nor_jupyter(statement):
    assert not loaded_by(statement) & {"torch", "timm", "jupyterlab", "jupyter_server", "ipywidgets"}


def test_the_subject_does_load_torch():
    """The twin: the probe above would see torch if it came."""
    assert "torch" in loaded_by("import course_utils.pretrained, torch")


def lines_of_code(source: str) -> int:
    """Lines that Python reads: blank lines, comments and docstrings left out, so that explaining is free."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
              tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in layout:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_lines_of_code_leave_out_what_is_written_for_people():
    source = '"""Why."""\n\n# how\nx = 1\n\n\ndef f():\n    """What."""\n    return """a\nb"""\n'
    assert lines_of_code(source) == 4


# Auditing folders of one's own, and listing them, which load_dataset shares, count by themselves.
MOST_LINES = {"pretrained": 4235, "pretrained/audit": 620, "pretrained/study": 1200, "teaching": 1900,
              "widgets": 2250, "cli": 600}


def python_of(room: str) -> set[Path]:
    """The files of a room, without those that count by themselves."""
    place = PACKAGE / room
    apart = [PACKAGE / other for other in MOST_LINES if other.startswith(f"{room}/")]
    return {path for path in ([place] if place.is_file() else place.rglob("*.py"))
            if not any(path.is_relative_to(other) for other in apart)}


@pytest.mark.parametrize("room", MOST_LINES)
def test_a_room_stays_small(room):
    lines = sum(lines_of_code(path.read_text()) for path in python_of(room))
    assert 0 < lines <= MOST_LINES[room], f"{lines} lines of Python"


def test_no_file_is_left_out_of_the_count():
    counted = [path for room in MOST_LINES for path in python_of(room)]
    assert len(counted) == len(set(counted))
    assert set(counted) >= set((PACKAGE / "pretrained").rglob("*.py"))


def test_the_drawings_stay_small():
    lines = sum(len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.js"))
    assert lines <= 1000, f"{lines} lines of JavaScript"
