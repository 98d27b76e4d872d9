"""Findings on single files: what is no picture, what is stored in an odd way, what lies aside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from course_utils.pretrained.audit.findings import GOOD_TO_KNOW, MISLEADS, STOPS, Case, Finding, finding
from course_utils.pretrained.audit.looking import Look
from course_utils.pretrained.data.listing import LAYOUT, Aside
from course_utils.pretrained.data.pictures import FORMATS, LONGEST, MOST_PIXELS, SMALLEST

ODD_SIZE = 4        # times smaller or larger than the middle one

# By kind of BadImage: what was seen, and what to do.
TROUBLES = {
    "damaged": ("{n:file}, damaged or cut off", "Copy or download it again, or delete it."),
    "no range": ("{n:picture} of 32-bit numbers: nothing says which is black and which white",
                 "Scale it to 0 … 255 and save it as PNG."),
    "no picture": (f"{{n:file}} in none of the formats {', '.join(FORMATS)}, whatever the name says",
                   "A picture in another format, such as HEIC, must be exported as JPEG first."),
    "too small": (f"{{n:picture}} under {SMALLEST} pixels on a side", "That shows nothing."),
    "strip": (f"{{n:picture}} over {LONGEST} times longer than wide",
              "A model would see one small square. Cut out the part that matters."),
    "too large": (f"{{n:file}} with, or claiming, over {MOST_PIXELS // 10**6} million pixels",
                  "If it is a real picture, make it smaller first."),
    "unreadable": ("{n:file} that this account cannot read", "If it is yours, type: chmod u+r FILE."),
}
LATE = ("load_dataset reads only a file's beginning and takes it; training would stop there. propose_split "
        "leaves it out.")
EARLY = "Skipped by load_dataset and propose_split."

ODDITIES = {
    "frames": ("{n:file} with several frames or pages", "The first is used."),
    "cmyk": ("{n:picture} in the colours of a printer (CMYK)", "Converted to RGB."),
    "16 bits": ("{n:picture} with 16 bits a channel", "Scaled to 8 bits."),
    "transparent": ("{n:picture} with transparent parts", "Transparent parts become white."),
    "turned": ("{n:picture} stored lying, with the camera's note on how to turn it",
               "Turned upright. Programs that ignore the note show it lying."),
    "outside": ("{n:picture} outside this folder, reached through a link",
                "Used like the others. If the folder is moved or copied, it may be missing."),
}
ASIDE = {
    "locked": ("{n:folder} that this account may not open",
               "Nothing inside is seen or used. If it is yours, type: chmod u+rx FOLDER."),
    "litter": ("{n:thing} hidden, or left by an operating system", "Skipped."),
    "beside": ("{n:thing} beside the class folders, so of no class", f"Not used. The layout is {LAYOUT}."),
    "nested": ("{n:folder} below a class folder",
               "Pictures inside belong to the class above. A class of its own must be moved up beside it."),
    "link": ("{n:link} to a folder, below a class or back to a folder above",
             "Not followed, so that no picture counts twice."),
    "no file": ("{n:name} with no file behind: a link to nowhere or to itself, or a pipe", EARLY),
}


def on_aside(aside: Aside, root: Path) -> list[Finding]:
    """What belongs to no class."""
    return [found for kind, (seen, do) in ASIDE.items() for found in finding(
        kind, MISLEADS if kind == "locked" else GOOD_TO_KNOW,
        sorted(os.path.relpath(path, root) for why, path in aside if why == kind), seen, do)]


def on_troubles(looks: Sequence[Look]) -> list[Finding]:
    """Files that cannot be used."""
    return [found for kind, (seen, do) in TROUBLES.items() for late in (True, False) for found in finding(
        kind, STOPS if late else GOOD_TO_KNOW, [Case((look.path,), look.note) for look in looks
                                                if look.trouble == kind and look.late == late],
        seen, f"{do} {LATE if late else EARLY}")]


def on_oddities(looks: Sequence[Look]) -> list[Finding]:
    """Pictures that can be used, and are not stored as most are."""
    found = [one for kind, (seen, do) in ODDITIES.items() for one in finding(
        kind, GOOD_TO_KNOW, [look.path for look in looks if kind in look.oddities], seen, do)]
    grey = [look.path for look in looks if look.grey]
    if len(grey) < len(looks):
        found += finding("grey", GOOD_TO_KNOW, grey, "{n:picture} in grey among others in colour",
                         "Grey becomes three equal channels.")
    return found + _on_sizes(looks) if looks else []


def _on_sizes(looks: Sequence[Look]) -> list[Finding]:
    short, long = (median(side(look.size) for look in looks) for side in (min, max))
    odd = [Case((look.path,), f"{look.size[0]} × {look.size[1]}") for look in looks
           if min(look.size) * ODD_SIZE < short or max(look.size) > ODD_SIZE * long]
    return finding("size", GOOD_TO_KNOW, odd, f"{{n:picture}} over {ODD_SIZE} times smaller or larger than "
                   f"is usual here ({short:g} by {long:g} pixels)",
                   "Scaled to what the model takes, like all; a small one becomes blurred.")
