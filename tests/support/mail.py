"""A mail server for the tests: real SMTP on a free port, with or without TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller

from tests.support.postgres import free_port


class Box:
    """What the server was handed; `refuse` is what it answers instead, while it is set."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.messages: list[EmailMessage] = []
        self.refuse = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """One message."""
        if self.refuse:
            return self.refuse
        self.messages.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        """To whom, in the order of the alphabet."""
        return sorted(str(each["To"]) for each in self.messages)


@contextmanager
def serving(**options: Any) -> Iterator[Box]:
    """A server on a port of its own; `options` are those of aiosmtpd's controller."""
    box = Box(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
