"""The `agora` command. Every command imports what it needs when it runs, so that `--help` answers at once."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click


class Failed(click.ClickException):
    """One clear line on stderr, exit code 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"agora: {self.message}", err=True, file=file)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Runs a command's coroutine; what a person can mend becomes one line, not a trace."""
    from cli.runtime import Trouble
    from kernel import garbage

    garbage.spare()
    try:
        with asyncio.Runner(loop_factory=_loop) as runner:
            code = runner.run(work)
    except Trouble as trouble:
        raise Failed(str(trouble)) from None
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Agora: a marketplace back end on one machine or many.

    Settings are environment variables: AGORA_PORT, AGORA_DATA_DIR, DATABASE_URL, AGORA_DEMO ... (see the README).
    """
    gc.disable()  # while the command's modules are loaded; `run` turns the search on again


@main.command()
@click.option("--demo/--no-demo", default=True, help="Fill an empty database with the demo shop (default).")
def up(demo: bool) -> None:
    """Everything on this machine: database, API and workers."""
    from cli.up import up as start

    run(start(demo))


@main.command()
def api() -> None:
    """The HTTP API alone."""
    from cli.up import api as start

    run(start())


@main.command()
@click.argument("roles", nargs=-1)
def worker(roles: tuple[str, ...]) -> None:
    """Workers alone: relay, consumer, saga, agent, schedule, delivery, recall (all by default)."""
    from cli.up import worker as start

    run(start(roles))


@main.command()
def relay() -> None:
    """The outbox relay alone."""
    from cli.up import worker as start

    run(start(("relay",)))


@main.command()
@click.option("--orders", default=200, show_default=True, help="How many orders to place.")
def seed(orders: int) -> None:
    """Fills the database with the demo shop, its customers and their orders, through the services."""
    from cli.seed import seed as fill

    run(fill(orders))


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Brings the database to the newest migration."""
    from cli.database import upgrade

    run(upgrade())


@db.command("check")
def db_check() -> None:
    """Proves that the migrations lead to what the code declares."""
    from cli.database import check

    run(check())


@db.command("url")
def db_url() -> None:
    """Prints the URL of the database in use, for psql."""
    from cli.database import url

    run(url())


@main.group()
def schemas() -> None:
    """The Avro schemas of events."""


@schemas.command("write")
def schemas_write() -> None:
    """Writes the schemas of new and changed events into `schemas/`; refuses a change that readers cannot follow."""
    from cli.schemas import write

    sys.exit(write())


@schemas.command("check")
def schemas_check() -> None:
    """Proves that the committed schemas are those of the code, and that each reads all versions before and is read by them."""
    from cli.schemas import check

    sys.exit(check())


@main.group()
def recall() -> None:
    """What can be found by meaning: help articles, products, solved tickets."""


@recall.command("rebuild")
def recall_rebuild() -> None:
    """Has every index read everything anew, and waits until all have."""
    from cli.recall import rebuild

    run(rebuild())


@recall.command("check")
def recall_check() -> None:
    """Compares every index with the database and names what is missing, stale or too much."""
    from cli.recall import check

    run(check())


@recall.command("erase")
@click.argument("customer")
def recall_erase(customer: str) -> None:
    """Takes everything out of memory that a customer (cus_...) left: facts, conversations, vectors of their tickets."""
    from cli.recall import erase

    run(erase(customer))


@main.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
def audit_verify() -> None:
    """Walks the hash chain and names the first row at which it breaks."""
    from cli.audit import verify

    run(verify())


@main.command()
def doctor() -> None:
    """Looks at the environment and says what is missing, and how to get it."""
    from cli.doctor import doctor as look

    run(look())


@main.group()
def evals() -> None:
    """Evaluations of the agents."""


@evals.command("run")
@click.option("--agent", help="Only the golden cases of this agent.")
@click.option("--case", help="Only cases whose name holds this.")
@click.option("--suite", type=click.Choice(["all", "golden", "routing", "chaos"]), default="all", show_default=True)
@click.option(
    "--model",
    type=click.Choice(["offline", "scripted", "recorded", "live"]),
    default="offline",
    show_default=True,
    help="Who answers: the planner, the cases' own lines, cassettes, or the endpoint of OPENAI_BASE_URL.",
)
@click.option("--repeat", type=click.IntRange(1, 20), default=1, show_default=True, help="The k of pass^k.")
@click.option("--record", is_flag=True, help="Keep what the model says as cassettes.")
@click.option("--cassettes", type=click.Path(path_type=Path), help="Their folder.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the reports.")
@click.option("--update-baseline", "update", is_flag=True, help="Make what passed now the baseline.")
def evals_run(**options: Any) -> None:
    """Runs the suites, writes JSON, JUnit and HTML reports, and fails when a case of the baseline is lost."""
    from cli.evals import run as start

    run(start(**options))


@evals.command("gate")
@click.argument("names", nargs=-1)
def evals_gate(names: tuple[str, ...]) -> None:
    """Measures the planner on the frozen gates: sentences of people who have not seen its examples."""
    from cli.evals import gate as start

    run(start(names))


@evals.command("rehearse")
@click.argument("halves", nargs=-1, type=click.Choice(["tuned", "measured"]))
@click.option("--wrong", is_flag=True, help="List what went wrong: only of the half that is tuned on.")
def evals_rehearse(halves: tuple[str, ...], wrong: bool) -> None:
    """Measures the planner as the gates do, on sentences written to develop it with."""
    from cli.evals import rehearse as start

    run(start(halves, wrong))


@evals.command("retail")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--tasks", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Where the result lines go.")
@click.option("--only", multiple=True, help="Only the task of this id; may be given several times.")
def evals_retail(data: Path, tasks: Path, out: Path | None, only: tuple[str, ...]) -> None:
    """Replays call sequences on an imported shop through the chat, and compares what they leave with what they expect."""
    from cli.evals import retail

    run(retail(data, tasks, out, only))


@main.group("import")
def bring() -> None:
    """Brings another shop's products, customers and orders in."""


@bring.command("retail")
@click.option("--dir", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--channel", default="retail", show_default=True, help="Code of the channel it becomes.")
def import_retail(folder: Path, channel: str) -> None:
    """The shop of a public support benchmark (db.json) as a channel of its own. Again it changes nothing."""
    from cli.imports import retail

    run(retail(folder, channel))


@bring.command("records")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", required=True, help="What the system is called that the ids come from.")
@click.option("--channel", required=True)
@click.option("--merchant", required=True, help="Slug of the merchant that gets them.")
@click.option("--location", required=True, help="Code of the merchant's location that gets the stock.")
def import_records(**options: Any) -> None:
    """A JSONL or CSV file of records (docs/import.md). A job that was cut off goes on where it was."""
    from cli.imports import records

    run(records(**options))


@main.command()
@click.argument("run_id")
def replay(run_id: str) -> None:
    """Runs an agent's run again on what its model said then, changing nothing, and shows the first difference."""
    from cli.replay import replay as start

    run(start(run_id))


@main.command("where")
@click.argument("context")
def where(context: str) -> None:
    """Prints the files of a context."""
    from cli.where import files

    for path in files(context, Path(__file__).parents[1]):
        click.echo(path)


if __name__ == "__main__":
    main()
