"""What leaves the house: e-mail by SMTP (or into a folder), and the simulator's webhooks."""

from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import httpx

from commerce.app import Commerce
from commerce.email.schemas import Due
from commerce.payment.adapters.simulator import Simulator
from kernel import telemetry
from kernel.auth import SYSTEM
from kernel.settings import Settings

SMTP_SECONDS = 10.0
WEBHOOK_SECONDS = 5.0
PLAIN_MOST = 60
"""Characters of a header that certainly fits its line."""
log = telemetry.log("delivery")


class _Headers(HeaderRegistry):
    """Takes short plain headers as they are. The library's way parses each one and makes a class for it, four fifths of
    the cost of a mail; what needs encoding or folding still goes it. Both write the same bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._kinds:
            self._kinds[name] = super().__getitem__(name)
        return self._kinds[name]

    def __call__(self, name: str, value: Any) -> Any:
        plain = isinstance(value, str) and value.isascii() and len(value) <= PLAIN_MOST
        return value if plain else super().__call__(name, value)


POLICY = default.clone(header_factory=_Headers())


class Mailer(Protocol):
    async def send(self, message: EmailMessage) -> None: ...


class SmtpMailer:
    """Sends through `smtp://user:password@host:port` (`smtps://` for TLS from the first byte, STARTTLS where offered)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or (465 if self._secure else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._secure,
            timeout=SMTP_SECONDS,
        )


class FolderMailer:
    """Where no SMTP server is set: every mail is a file that a person can open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)  # one small file on the local disk
        (self._folder / f"{message['Message-ID'].strip('<>')}.eml").write_bytes(bytes(message))


def mailer(settings: Settings) -> Mailer:
    return SmtpMailer(settings.smtp_url) if settings.smtp_url else FolderMailer(settings.data_dir / "mail")


async def send_mail(commerce: Commerce, mailer: Mailer, sender: str) -> int:
    """One batch of due messages. One whose sender dies here is sent again in a minute: at least once."""
    async with commerce.database.work(SYSTEM) as work:
        due = await commerce.email.claim(work)
    sent: list[UUID] = []
    for mail in due:
        error, lasting = "", False
        try:
            await mailer.send(_message(mail, sender, commerce))
        except aiosmtplib.SMTPRecipientsRefused as refused:
            error, lasting = type(refused).__name__, all(r.code >= 500 for r in refused.recipients)
        except aiosmtplib.SMTPResponseException as refused:
            error, lasting = f"smtp {refused.code}", refused.code >= 500
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as lost:
            error = type(lost).__name__
        if not error:
            sent.append(mail.id)
            continue
        log.warning("mail_failed", mail=str(mail.id), error=error, lasting=lasting)
        async with commerce.database.work(SYSTEM) as work:
            await commerce.email.failed(work, mail, error, lasting)
    if sent:
        async with commerce.database.work(SYSTEM) as work:
            await commerce.email.sent(work, sent)
    return len(due)


def _message(mail: Due, sender: str, commerce: Commerce) -> EmailMessage:
    message = EmailMessage(POLICY)
    message["From"], message["To"], message["Subject"] = sender, mail.recipient, mail.subject
    message["Message-ID"] = make_msgid(mail.id.hex, "agora.local")
    message["Date"] = format_datetime(commerce.database.clock())
    message.set_content(mail.text)
    return message


async def send_webhooks(commerce: Commerce, base_url: str) -> int:
    """The simulator's part of a payment provider: it posts its notices to our own address."""
    gateway = commerce.payment.gateway
    if not isinstance(gateway, Simulator):
        return 0
    due = await gateway.due_webhooks()
    if not due:
        return 0
    async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS) as client:
        for notice in due:
            body, headers = gateway.signed(notice, commerce.database.clock().timestamp())
            try:
                answer = await client.post(f"{base_url}/v1/webhooks/payments/simulator", content=body, headers=headers)
            except httpx.HTTPError:
                log.warning("webhook_not_delivered", event=notice["event_id"], exc_info=True)
                continue
            if answer.is_success:
                await gateway.webhook_sent(notice["id"])
    return len(due)
