"""The command `course`. Each of its commands imports what it needs, to be quick."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from course_utils import __version__
from course_utils.errors import CourseError


class Course(click.Group):
    """A CourseError ends a command with its message alone."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except CourseError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Course, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="course")
def main() -> None:
    """An interactive course on pretrained vision models in PyTorch."""
    for stream in (sys.stdout, sys.stderr):     # a terminal that knows no ✔ shows another sign
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@main.command("lab", context_settings={"ignore_unknown_options": True}, options_metavar="")
@click.argument("arguments", metavar="[OPTIONS OF JUPYTERLAB]", nargs=-1, type=click.UNPROCESSED)
def lab_command(arguments: tuple[str, ...]) -> None:
    """Copy new lessons into my_work/ and open them in JupyterLab.

    What you changed is never overwritten. Options go on to JupyterLab: course lab --no-browser --port=9000
    """
    from course_utils.cli import copies, lab, progress

    for line in copies.in_words(copies.bring_up_to_date()):
        click.echo(line)
    if place := progress.continue_at():
        click.echo(place)
    if taken := lab.port_taken(arguments):
        click.echo(f"Port {taken} is taken, perhaps by another JupyterLab. This one takes the next that is "
                   "free: go by the address it shows.")
    lab.become_jupyterlab(arguments)


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for tools.")
@click.option("--online", is_flag=True, help="Also ask the server that other weights come from.")
def doctor_command(as_json: bool, online: bool) -> None:
    """Check this machine and say what to do where something is amiss.

    Exits with 1 if something that the lessons need is broken.
    """
    from course_utils.cli import doctor, findings

    seen = []
    for finding in doctor.examine(online=online):
        seen.append(finding)
        if not as_json:
            click.echo(finding.in_words())
    click.echo(findings.as_json(seen) if as_json else findings.conclusion(seen))
    sys.exit(findings.exit_code(seen))


@main.command("progress")
@click.option("--export", "export_to", metavar="FILE", help="Write all of it to FILE, to carry it elsewhere.")
@click.option("--merge", "merge_from", metavar="FILE",
              help="Add what FILE holds, exported on another machine.")
def progress_command(export_to: str | None, merge_from: str | None) -> None:
    """Show what is done, what is not right yet, and where to go on.

    Nothing leaves this machine unless you export it.
    """
    from course_utils.cli import progress

    if merge_from:
        click.echo(progress.merge(merge_from))
    if export_to:
        click.echo(progress.export(export_to))
    if not (merge_from or export_to):
        click.echo(progress.overview())


@main.command("reset")
@click.argument("lesson")
def reset_command(lesson: str) -> None:
    """Put a fresh copy of a lesson into my_work/: course reset 05.

    The old copy moves to my_work/.old/. Your progress stays.
    """
    from course_utils.cli import copies

    fresh, old = copies.reset(lesson)
    click.echo(f"{fresh} is fresh." + (f" What was there is kept as {old}." if old else ""))
    click.echo("If it is open in JupyterLab, close its tab without saving and open it again.")


@main.command("download")
@click.argument("name")
def download_command(name: str) -> None:
    """Bring weights or photographs beforehand: course download flower_photos.

    NAME is what load_dataset or load_model takes: flower_photos, hymenoptera, eurosat, pneumoniamnist,
    torchvision/resnet50.IMAGENET1K_V2, timm/efficientnet_b0.ra_in1k … Stopped half-way, it goes on there.
    """
    from course_utils.cli import download

    for line in download.fetch(name):
        click.echo(line)


@main.command("audit")
@click.argument("folder", metavar="PATH")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for tools.")
def audit_command(folder: str, as_json: bool) -> None:
    """Look through a folder of your pictures before you learn from it.

    PATH holds a folder for each class, or train, val and test with those inside. Every picture is read once;
    nothing in the folder is changed.
    """
    from course_utils.pretrained.audit.auditing import audit_folder

    audit = audit_folder(folder)
    click.echo(audit.as_json() if as_json else audit)


@main.command("study")
@click.argument("folder", metavar="PATH")
@click.option("--out", metavar="FOLDER", help="Where to write; PATH_study beside PATH if not said.")
@click.option("--model", default="efficientnet_lite0", show_default=True, help="As for load_model.")
@click.option("--size", type=int, help="Pixels of the prepared pictures; else what the weights expect.")
@click.option("--budget", type=click.Choice(["low", "medium", "high"]), default="medium", show_default=True,
              help="How much time it may take: minutes, an hour, hours.")
def study_command(folder: str, out: str | None, model: str, size: int | None, budget: str) -> None:
    """Make a model of a folder of your pictures: audit, split, train, test, export, report.

    PATH is as for `course audit`. Nothing in it is changed. Stopped half-way, the same command goes on.
    """
    from course_utils.pretrained.study.own_folder import study_folder

    place = out or f"{Path(folder).expanduser().resolve()}_study"
    study_folder(folder, place, model=model, size=size, budget=budget, say=click.echo)


@main.command("report")
@click.argument("study", metavar="STUDY")
@click.argument("report", required=False)
def report_command(study: str, report: str | None) -> None:
    """Write the report of a study, finished or not: course report my_study.jsonl.

    STUDY is the file given to Study(…). REPORT is where to, ending in .html or .md; else my_study.html.
    """
    from course_utils.pretrained.study.study import Study

    click.echo(Study.open(study).report(report or Path(study).with_suffix(".html")))
