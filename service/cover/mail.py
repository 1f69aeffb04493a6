"""E-mail over SMTP: where it goes, what it says, and sending one message.

It says that there is an alert, how severe and on which ward, and where to look; never about whom, nor a value."""

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from alerts.severity import Severity
from service.cover.outbox import Notice
from service.errors import SettingInvalid
from service.settings import Settings

TIMEOUT_SECONDS = 10.0
"""For each step of the conversation with the server."""
PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
"""STARTTLS, which is required; TLS from the start; none, for a relay on the same machine."""


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server and who sends. `trust`: the certificates that are believed, None for no TLS."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    public_url: str
    trust: ssl.SSLContext | None = field(repr=False)


def server_of(settings: Settings) -> Server | None:
    """The server that the settings name; None when there is none. Raises SettingInvalid."""
    if not settings.smtp_url:
        return None
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise SettingInvalid(f"WARDWATCH_SMTP_URL must be one of: {', '.join(f'{each}://host' for each in PORTS)}")
    if "@" not in settings.mail_from or not settings.mail_from.isascii() or not settings.mail_from.isprintable():
        raise SettingInvalid("WARDWATCH_MAIL_FROM must be the address that messages come from")
    try:
        trust = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
    except OSError as problem:
        raise SettingInvalid("WARDWATCH_SMTP_CA_FILE cannot be read") from problem
    return Server(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=settings.smtp_password or unquote(parts.password or ""),
        sender=settings.mail_from,
        public_url=settings.public_url.rstrip("/"),
        trust=None if parts.scheme == "smtp+plain" else trust,
    )


def message(server: Server, ward_name: str, notice: Notice, to: str, now: datetime) -> EmailMessage:
    """The message of a notice; of two tries the same, Message-ID included, but for the date. `now` is real time."""
    word, ward = Severity(notice.severity).word, " ".join(ward_name.split())
    made = EmailMessage()
    made["From"], made["To"] = server.sender, to
    made["Subject"] = f"Wardwatch: {word} alert on {ward}"
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{notice.id}@{server.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(
        f"There is a {word} alert on the ward {ward} that waits for an answer.\n\n"
        f"Alert {notice.alert_id}\n{server.public_url}/v1/alerts/{notice.alert_id}\n\n"
        "Sign in to see what it is about. This message names no patient; please keep it so in a reply.\n"
    )
    return made


def send(server: Server, made: EmailMessage) -> None:
    """Hand one message over; blocks. Raises OSError, of which smtplib's errors and failed TLS are kinds."""
    if server.scheme == "smtps":
        with smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=server.trust) as secure:
            _hand_over(server, secure, made)
        return
    with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS) as connection:
        if server.trust is not None:
            connection.starttls(context=server.trust)
        _hand_over(server, connection, made)


def _hand_over(server: Server, connection: smtplib.SMTP, made: EmailMessage) -> None:
    if server.user:
        connection.login(server.user, server.password)
    connection.send_message(made)
