"""`agora replay RUN`: an agent's run once more, on a connection that cannot write."""

import click

from cli.runtime import Trouble, commerce, server, settings
from kernel.errors import AgoraError
from kernel.ids import parse


async def replay(run_id: str) -> int:
    from graphs.replay import again
    from memory.checkpoints import checkpoints

    found = settings()
    try:
        wanted = parse("run", run_id)
    except ValueError:
        raise Trouble(f"{run_id} is no id of a run: it begins with run_") from None
    async with server(found) as url, commerce(found, read_only(url)) as shop, checkpoints(url, size=1) as saver:
        try:
            record, came = await again(shop, found, saver, wanted)
        except AgoraError as unknown:
            raise Trouble(str(unknown)) from None
    click.echo(f"{record.trigger} run of {record.agent}: {len(record.models)} model turns, {len(record.calls)} calls")
    for line in came.same:
        click.echo(f"  same  {line}")
    for note in came.notes:
        click.echo(f"  note  {note}")
    if came.difference is None:
        click.echo("no difference")
        return 0
    click.echo(
        f"first difference: {came.difference.step}\n  then  {came.difference.then}\n  now   {came.difference.now}"
    )
    return 1


def read_only(url: str) -> str:
    """The same database, where Postgres itself refuses every write."""
    return f"{url}{'&' if '?' in url else '?'}default_transaction_read_only=on"
