"""Runs suites: golden cases, routing, chaos, each as often as asked; grades, reports, and gates by the baseline.

A case counts when it passes every time (pass^k). A case the baseline has and this run lost fails the command.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click

from evals import chaos, routing
from evals.case import HERE, Case, cases
from evals.cassettes import Cassettes
from evals.drive import Outcome, play
from evals.graders.conduct import grade
from evals.ground import Ground, ground
from evals.report import write
from kernel.settings import Settings

BASELINES = HERE / "baselines"
Model = Literal["offline", "scripted", "recorded", "live"]
Suite = Literal["golden", "routing", "chaos"]
SUITES: tuple[Suite, ...] = ("golden", "routing", "chaos")


@dataclass(frozen=True, slots=True)
class Options:
    """`repeat` is the k of pass^k; `record` keeps what a model said, for `recorded`."""

    model: Model = "offline"
    suites: Sequence[Suite] = SUITES
    agent: str | None = None
    case: str | None = None
    repeat: int = 1
    cassettes: Path = HERE / "cassettes"
    record: bool = False
    out: Path = Path(".agora/evals")
    update: bool = False


@dataclass(slots=True)
class Result:
    """A case over all its runs: one list of problems per run, and the last run for the report."""

    id: str
    agent: str
    problems: list[list[str]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not any(self.problems)


@dataclass(slots=True)
class Results:
    """Of one command: cases by id, and the measured shares by name."""

    model: str
    repeat: int
    cases: list[Result] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)


async def run(options: Options, server: str, settings: Settings) -> int:
    """Runs what is asked for on a server of Postgres; returns the exit code."""
    results = Results(options.model, options.repeat)
    if {"golden", "routing"} & set(options.suites):
        async with ground(server, settings, options.model) as found:
            if "golden" in options.suites:
                results.cases += await golden(found, options)
            if "routing" in options.suites and options.agent is None:
                results.shares["routing"], wrong = await routing.measure(found)
                click.echo("\n".join(f"routed elsewhere: {line}" for line in wrong))
    if "chaos" in options.suites and options.agent is None:
        for name, problems, seconds in await chaos.run(server, settings):
            results.cases.append(Result(f"chaos/{name}", "chaos", [problems], [], [seconds]))
            _echo(results.cases[-1])
    write(results, options.out)
    return gated(results, options)


async def golden(found: Ground, options: Options) -> list[Result]:
    """Every case `repeat` times, the whole set before it begins again."""
    tapes = Cassettes(options.cassettes, found.world)
    chosen = [case for case in cases(options.agent) if _plays(case, options, tapes)]
    results = {case.id: Result(case.id, case.agent) for case in chosen}
    for _ in range(options.repeat):
        for case in chosen:
            outcome = await play(found, case, tapes.lines(case) if options.model == "recorded" else None)
            problems = grade(outcome, found.world, options.model == "offline")
            result = results[case.id]
            result.problems.append(problems)
            result.outcomes.append(outcome)
            result.seconds.append(outcome.seconds)
            if options.record:
                tapes.keep(outcome, found.settings)
            if problems and len(result.problems) == 1:
                click.echo(
                    f"FAIL {case.id}\n" + "\n".join(f"     {' '.join(one.split())[:160]}" for one in problems[:6])
                )
    return list(results.values())


def _echo(result: Result) -> None:
    """What is wrong after the first run, in a few lines; the reports have all of it."""
    if not result.passed:
        lines = [f"     {' '.join(problem.split())[:160]}" for problem in result.problems[0][:6]]
        click.echo("\n".join([f"FAIL {result.id}", *lines]))


def _plays(case: Case, options: Options, tapes: Cassettes) -> bool:
    if options.case and options.case not in case.id:
        return False
    if options.model == "recorded":
        return tapes.has(case)
    return options.model == "live" or options.model in case.models


def gated(results: Results, options: Options) -> int:
    """Compares with the baseline of this model; 1 when a case is lost or a share fell."""
    path = BASELINES / f"{options.model}.json"
    passed = sorted(result.id for result in results.cases if result.passed)
    ran = {result.id for result in results.cases}
    known = json.loads(path.read_text()) if path.exists() else {"passed": [], "shares": {}}
    lost = sorted(set(known["passed"]) & ran - set(passed))
    fallen = [name for name, share in results.shares.items() if share < known["shares"].get(name, 0.0)]
    click.echo(f"{len(passed)} of {len(ran)} passed {results.repeat} of {results.repeat} times with {results.model}")
    wavering = [result.id for result in results.cases if len({bool(found) for found in result.problems}) > 1]
    click.echo("every run came to the same" if not wavering else f"not the same every time: {', '.join(wavering)}")
    for name, share in results.shares.items():
        click.echo(f"{name}: {share:.1%}")
    if options.update:
        shares = {**known["shares"], **{name: round(share - 0.0005, 3) for name, share in results.shares.items()}}
        kept = sorted(set(passed) | set(known["passed"]) - ran)
        path.write_text(json.dumps({"passed": kept, "shares": shares}, indent=1) + "\n")
        return 0
    for name in [*lost, *fallen]:
        click.echo(f"LOST {name}: the baseline has it")
    return 1 if lost or fallen else 0
