"""`wardwatch simulate` and `wardwatch replay`: rule sets tried before a ward turns them on."""

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.errors import WardwatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from alerts.rule_set import RuleSet
    from service.sandbox.comparison import Comparison
    from service.sandbox.home import Home
    from service.sandbox.stays import Recorded

BEGINS_AT = datetime(2026, 3, 23, 8, tzinfo=UTC)
"""Simulated wards begin on a Monday, six days before the clocks go forward."""

PATIENTS, DAYS = 50, 14
Patients = Annotated[int, typer.Option(help="How many simulated patients.", min=1, max=100_000)]
Days = Annotated[int, typer.Option(help="For how many days.", min=2, max=365)]
Seed = Annotated[int, typer.Option(help="Another number, another ward.")]
Processes = Annotated[int, typer.Option(help="Processors to use; 0 is all of them.", min=0, max=256)]


def simulate(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not exist.")],
    patients: Patients = PATIENTS,
    days: Days = DAYS,
    seed: Seed = 1,
    rules: Annotated[str, typer.Option(help="The rule set that asks for rechecks: `default`, or a file.")] = "default",
    processes: Processes = 0,
) -> None:
    """Write a simulated ward to a file: plans, readings, and the truth beside them (docs/sandbox.md)."""
    from functools import partial

    from service.sandbox.home import Home
    from service.sandbox.rule_files import read_rule_set
    from service.sandbox.trying import on_all, simulations, write_down
    from service.sandbox.ward_file import write_ward

    rule_set = read_rule_set(rules)
    if out.exists():
        raise WardwatchError(f"{out} exists; simulate overwrites nothing.")
    jobs = simulations(Home(patients, days, seed, BEGINS_AT))
    with _progress("simulate", len(jobs)) as moved:
        stays = on_all(partial(write_down, rule_set), jobs, _count(processes), moved)
    about = {"patients": patients, "days": days, "seed": seed, "rule_set_version": rule_set.version}
    try:
        with out.open("x", encoding="utf-8") as file:
            write_ward(file, about, stays)
    except OSError as problem:
        raise WardwatchError(f"{out} cannot be written: {problem.strerror}") from problem
    readings = sum(len(stay.sent) for stay in stays)
    typer.echo(f"Written: {out} ({patients} patients, {readings} readings)")


def replay(
    rules: Annotated[list[str] | None, typer.Option(help="`default`, or a JSON or TOML file; once or twice.")] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="A file that simulate wrote, or a folder of recordings *.psv.")
    ] = None,
    stay: Annotated[str | None, typer.Option(help="The id of a stay in the database.")] = None,
    ward: Annotated[str | None, typer.Option(help="The id of a ward in the database.")] = None,
    patients: Patients = PATIENTS,
    days: Days = DAYS,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="PREFIX", help="Write PREFIX.md, PREFIX.svg and PREFIX-*.csv.")
    ] = None,
    processes: Processes = 0,
) -> None:
    """Try rule sets on simulated, recorded or stored readings, side by side. Nothing is raised, nothing is changed."""
    from rich.console import Console

    from service.sandbox.home import Home
    from service.sandbox.rule_files import read_rule_set

    rule_sets = [read_rule_set(named) for named in rules or ["default"]]
    if len(rule_sets) > 2:
        raise WardwatchError("--rules is given once or twice: A and B.")
    if sum(source is not None for source in (from_, stay, ward)) > 1:
        raise WardwatchError("Give one of --from, --stay and --ward.")
    if out is not None and not out.parent.is_dir():
        raise WardwatchError(f"{out.parent} is not a folder.")
    if from_ is None and stay is None and ward is None:
        comparison = _simulated(rule_sets, Home(patients, days, seed, BEGINS_AT), processes)
    else:
        about, stays = _recorded(from_, stay, ward)
        comparison = _tried(rule_sets, stays, about, processes, simulated=False)
    _say(Console(soft_wrap=True), comparison)
    if out is not None:
        _write(comparison, out)


def _simulated(rule_sets: "Sequence[RuleSet]", home: "Home", processes: int) -> "Comparison":
    from service.sandbox.trying import simulations

    about = (
        f"{home.patients} simulated patients for {home.days} days, seed {home.seed}: the same people, courses and "
        "planned measurements under each rule set; rechecks and answers as each asks for them."
    )
    return _tried(rule_sets, simulations(home), about, processes, simulated=True)


def _recorded(from_: Path | None, stay: str | None, ward: str | None) -> "tuple[str, list[Recorded]]":
    """The stays to replay, and in words what they are."""
    import asyncio

    from service.sandbox.recorded_stays import ABOUT, read_recordings
    from service.sandbox.stored import load_stays
    from service.sandbox.ward_file import read_ward
    from service.settings import from_environ

    if from_ is None:
        stays = asyncio.run(load_stays(from_environ(os.environ).database_url, stay_id=stay, ward_id=ward))
        return f"{len(stays)} stays from the database, as their readings arrived.", stays
    if from_.is_dir():
        stays = read_recordings(from_)
        return f"{len(stays)} recorded stays from the folder {from_.name}. {ABOUT}", stays
    stays = read_ward(from_)
    return f"{len(stays)} recorded stays from {from_.name}, as their readings arrived.", stays


def _tried(
    rule_sets: "Sequence[RuleSet]", jobs: "Sequence[Any]", about: str, processes: int, *, simulated: bool
) -> "Comparison":
    from service.sandbox.comparison import Comparison, Trial
    from service.sandbox.trying import on_all, trial

    with _progress("replay", len(jobs)) as moved:
        lives = on_all(trial(rule_sets, simulated), jobs, _count(processes), moved)
    trials = zip("AB", rule_sets, zip(*lives, strict=True), strict=False)
    return Comparison(about, tuple(Trial(letter, rule_set, lived) for letter, rule_set, lived in trials))


def _say(console: "Any", comparison: "Comparison") -> None:
    from service.sandbox.tables import tables

    console.print(comparison.about, markup=False, highlight=False)
    for table in tables(comparison):
        console.print(table)
    for remark in comparison.remarks():
        console.print(remark, markup=False, highlight=False)


def _write(comparison: "Comparison", out: Path) -> None:
    from service.sandbox.picture import draw
    from service.sandbox.report import markdown
    from service.sandbox.spreadsheets import write_tables

    picture, document = out.with_name(f"{out.name}.svg"), out.with_name(f"{out.name}.md")
    try:
        picture.write_text(draw(comparison), encoding="utf-8")
        document.write_text(markdown(comparison, picture.name), encoding="utf-8")
        written = [document, picture, *write_tables(comparison, out)]
    except OSError as problem:
        raise WardwatchError(f"{problem.filename} cannot be written: {problem.strerror}") from problem
    for file in written:
        typer.echo(f"Written: {file}")


def _count(processes: int) -> int:
    return processes or os.cpu_count() or 1


@contextmanager
def _progress(what: str, total: int) -> "Iterator[Callable[[int], None]]":
    """A bar on standard error; where that is no terminal, nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.completed} of {task.total} stays"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
