"""`agora audit verify`."""

import click

from cli.runtime import commerce, server, settings
from commerce.identity import audit
from kernel.auth import SYSTEM


async def verify() -> int:
    found = settings()
    async with server(found) as url, commerce(found, url) as shop, shop.database.work(SYSTEM) as work:
        result = await audit.verify(work)
    if isinstance(result, audit.Break):
        click.echo(f"the audit log is broken at row {result.number}: {result.reason}")
        return 1
    click.echo(f"the audit log holds: {result} rows")
    return 0
