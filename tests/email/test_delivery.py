"""Mail goes out through a real SMTP server, once; a refusal is tried again or given up, and noted."""

import socket
from email.message import EmailMessage
from typing import Any

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller

from commerce.app import Commerce
from tests.factories.api import guest
from tests.factories.world import World
from workers.delivery import POLICY, FolderMailer, SmtpMailer, send_mail

SENDER = "Agora <no-reply@agora.test>"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subject", "Your order A100123 is confirmed"),
        ("Subject", "Grüße für Jörg"),
        ("Subject", "many words " * 20),
        ("To", "jörg@exämple.de"),
        ("To", f"{'x' * 64}@demo.test"),
        ("To", "reader@demo.test"),
    ],
)
def test_a_mail_has_the_bytes_the_library_gives_it(name: str, value: str) -> None:
    short, whole = EmailMessage(POLICY), EmailMessage()
    for message in (short, whole):
        message[name] = value
        message.set_content("1 × Größe, 3 €\n")
    assert bytes(short) == bytes(whole)


def test_no_header_smuggles_another_one() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        EmailMessage(POLICY)["Subject"] = "hello\nBcc: everybody@demo.test"


class Inbox:
    """What an SMTP server received; `answer` is what it says to DATA."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # the library's name
        if self.answer.startswith("250"):
            self.mails.append(envelope)
        return self.answer


@pytest.fixture
def smtp() -> Any:
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, SmtpMailer(f"smtp://127.0.0.1:{port}")
    controller.stop()


async def buy(http: httpx.AsyncClient, world: World, settle: Any, email: str) -> None:
    buyer = guest(http)
    await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email=email))
    await settle()


async def test_a_confirmed_order_is_mailed_once(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, smtp: Any
) -> None:
    inbox, mailer = smtp
    await buy(http, world, settle, "reader@demo.test")
    while await send_mail(shop, mailer, SENDER):
        pass
    (envelope,) = inbox.mails
    assert envelope.rcpt_tos == ["reader@demo.test"]
    text = envelope.content.decode()
    assert "Subject: Your order A1" in text
    assert "1 x Mug (mug)" in text
    assert await sql.fetchval("select status from email_messages where recipient = 'reader@demo.test'") == "sent"


async def test_a_busy_server_is_tried_again_and_a_refusal_is_final(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, smtp: Any
) -> None:
    inbox, mailer = smtp
    inbox.answer = "451 busy"
    await buy(http, world, settle, "later@demo.test")
    await send_mail(shop, mailer, SENDER)
    row = "select status, error, attempts from email_messages where recipient = $1"
    assert tuple(await sql.fetchrow(row, "later@demo.test")) == ("queued", "smtp 451", 1)
    inbox.answer = "550 no such mailbox"
    await sql.execute("update email_messages set due_at = now() - interval '1 second' where status = 'queued'")
    await send_mail(shop, mailer, SENDER)
    assert tuple(await sql.fetchrow(row, "later@demo.test")) == ("failed", "smtp 550", 2)
    assert inbox.mails == []


async def test_a_server_that_is_down_loses_nothing(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, tmp_path: Any
) -> None:
    await buy(http, world, settle, "down@demo.test")
    await send_mail(shop, SmtpMailer("smtp://127.0.0.1:9"), SENDER)
    assert await sql.fetchval("select status from email_messages where recipient = 'down@demo.test'") == "queued"
    await sql.execute("update email_messages set due_at = now() - interval '1 second' where status = 'queued'")
    await send_mail(shop, FolderMailer(tmp_path), SENDER)
    (written,) = tmp_path.glob("*.eml")
    assert b"down@demo.test" in written.read_bytes()
