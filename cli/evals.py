"""`agora evals`: the suites and the gates, on a database of their own on the server in use."""

from pathlib import Path
from typing import Any

import click

from cli.runtime import data_folder, server, settings


async def run(*, suite: str, cassettes: Any, out: Any, **more: Any) -> int:
    from evals.run import SUITES, Options
    from evals.run import run as start

    found = settings()
    if more["model"] == "live" and not found.openai_api_key:
        raise click.UsageError("--model live needs OPENAI_API_KEY, and OPENAI_BASE_URL where it is not the default")
    folders = {"cassettes": cassettes} if cassettes else {}
    every = SUITES if more["model"] == "offline" else SUITES[:1]  # the others are about the planner
    suites = [name for name in every if suite in ("all", name)]
    options = Options(suites=suites, out=out or data_folder(found) / "evals", **folders, **more)
    async with server(found) as url:
        code = await start(options, url, found)
    click.echo(f"report: {options.out / 'report.html'}")
    return code


async def gate(names: tuple[str, ...]) -> int:
    from evals.gate import run as start

    found = settings()
    async with server(found) as url:
        return await start(names, url, found)


async def retail(data: Path, tasks: Path, out: Path | None, only: tuple[str, ...]) -> int:
    from evals.retail.compare import run as start

    found = settings()
    async with server(found) as url:
        return await start(url, found, data, tasks, out, only)


async def rehearse(halves: tuple[str, ...], wrong: bool) -> int:
    from evals.rehearsal import run as start

    found = settings()
    async with server(found) as url:
        return await start(halves, wrong, url, found)
