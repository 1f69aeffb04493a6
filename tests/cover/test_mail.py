"""The mail server's settings, TLS, and the message itself."""

import smtplib
import ssl
from pathlib import Path
from typing import Any

import pytest

from service.clock import real_now
from service.cover.mail import Server, message, send, server_of
from service.cover.outbox import Notice
from service.errors import SettingInvalid
from service.settings import Settings, from_environ
from tests.support.mail import serving
from tests.support.time import START
from tests.support.web import certificate

SENDER = "wardwatch@hospital.example"
NOTICE = Notice("01936f5e-7b3a-7c21-9d4f-2a6b8c0d1e2f", "01936f5e-7b3a-7c21-9d4f-000000000001", 4, 0, START, "x", 0)


def server(url: str, **more: Any) -> Server:
    made = server_of(Settings(smtp_url=url, mail_from=SENDER, **more))
    assert made is not None
    return made


def test_without_a_url_there_is_no_server() -> None:
    assert server_of(from_environ({})) is None


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(smtp_url="http://mail"), "WARDWATCH_SMTP_URL"),
        (Settings(smtp_url="smtp://"), "WARDWATCH_SMTP_URL"),
        (Settings(smtp_url="smtp://mail"), "WARDWATCH_MAIL_FROM"),
        (Settings(smtp_url="smtp://mail", mail_from="a@b\nBcc: c@d"), "WARDWATCH_MAIL_FROM"),
        (Settings(smtp_url="smtp://mail", mail_from=SENDER, smtp_ca_file="/none"), "WARDWATCH_SMTP_CA_FILE"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: Settings, name: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        server_of(settings)


def test_the_password_may_come_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("sentinel-4417\n")
    settings = from_environ(
        {
            "WARDWATCH_SMTP_URL": "smtps://ward@mail.example",
            "WARDWATCH_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
            "WARDWATCH_MAIL_FROM": SENDER,
        }
    )
    made = server_of(settings)
    assert made is not None
    assert (made.user, made.password, made.port) == ("ward", "sentinel-4417", 465)
    assert "sentinel" not in repr(made) + repr(settings)


def test_a_wards_name_makes_no_header_of_its_own() -> None:
    made = message(server("smtp://mail"), "Ash\nBcc: everybody@x", NOTICE, "a@b", real_now())
    assert made["Bcc"] is None
    assert made["Subject"] == "Wardwatch: critical alert on Ash Bcc: everybody@x"


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_with_tls_the_certificate_must_be_believed(scheme: str, tmp_path: Path) -> None:
    context, file = certificate(tmp_path)
    options = {"tls_context": context, "require_starttls": True} if scheme == "smtp" else {"ssl_context": context}
    with serving(**options) as box:
        url = f"{scheme}://127.0.0.1:{box.port}"
        made = message(server(url), "Ash", NOTICE, "a@b.example", real_now())
        with pytest.raises(ssl.SSLCertVerificationError):
            send(server(url), made)
        assert box.messages == []
        send(server(url, smtp_ca_file=str(file)), made)
        assert box.recipients == ["a@b.example"]


def test_a_server_without_starttls_gets_nothing() -> None:
    with serving() as box:
        there = server(f"smtp://127.0.0.1:{box.port}")
        with pytest.raises(smtplib.SMTPNotSupportedError):
            send(there, message(there, "Ash", NOTICE, "a@b.example", real_now()))
        assert box.messages == []
