"""Settings, from environment variables `WARDWATCH_*` and nowhere else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from service.errors import SettingInvalid

SECRET_KEY_LENGTH = 32
"""Characters a secret key must have at least."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `from_environ` reads and checks it; tests build it directly.

    What is or may hold a secret is left out of its text. `timers` off is for tests alone, which let time pass
    themselves."""

    database_url: str = field(default="sqlite:///./wardwatch.db", repr=False)
    secret_key: str = field(default="", repr=False)
    other_secret_key: str = field(default="", repr=False)
    metrics_port: int = 0
    log_level: str = "info"
    password_grant: bool = True
    committers: int = 2
    max_waiting_readings: int = 20_000
    pool_size: int = 8
    issuer: str = "wardwatch"
    oidc_issuers: str = ""
    allowed_networks: str = ""
    smtp_url: str = field(default="", repr=False)
    smtp_password: str = field(default="", repr=False)
    smtp_ca_file: str = ""
    mail_from: str = ""
    public_url: str = "http://127.0.0.1:8000"
    cors_origins: tuple[str, ...] = ()
    rate_limit: int | None = None
    security_contact: str = ""
    synthetic_only: bool = False
    retention_years: int = 8
    """NHS Records Management Code of Practice (2021, updated 2023), appendix II, adult health records."""
    timers: bool = True
    clock_real_start: str = ""
    clock_started_at: str = ""
    clock_speed: float = 1.0


_USUAL = Settings()
CLIENT_SECRET = "WARDWATCH_CLIENT_SECRET"  # noqa: S105 - the name of a variable
"""Which `wardwatch feed` reads, and nobody else."""


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingInvalid naming the variable that cannot be used."""
    return Settings(
        database_url=_database_url(environ),
        secret_key=_secret(environ, "WARDWATCH_SECRET_KEY"),
        other_secret_key=_secret(environ, "WARDWATCH_OTHER_SECRET_KEY"),
        metrics_port=_whole(environ, "WARDWATCH_METRICS_PORT", _USUAL.metrics_port, 0, 65535),
        log_level=_choice(environ, "WARDWATCH_LOG_LEVEL", _USUAL.log_level, ("debug", "info", "warning", "error")),
        password_grant=_choice(environ, "WARDWATCH_PASSWORD_GRANT", "on", ("on", "off")) == "on",
        committers=_whole(environ, "WARDWATCH_COMMITTERS", _USUAL.committers, 1, 16),
        max_waiting_readings=_whole(
            environ, "WARDWATCH_MAX_WAITING_READINGS", _USUAL.max_waiting_readings, 1, 1_000_000
        ),
        # The feeds' numbers are read over and over on a connection of their own: one would leave none for anybody else.
        pool_size=_whole(environ, "WARDWATCH_POOL_SIZE", _USUAL.pool_size, 2, 200),
        issuer=environ.get("WARDWATCH_ISSUER", "") or _USUAL.issuer,
        oidc_issuers=_secret(environ, "WARDWATCH_OIDC_ISSUERS"),
        allowed_networks=environ.get("WARDWATCH_ALLOWED_NETWORKS", ""),
        smtp_url=environ.get("WARDWATCH_SMTP_URL", ""),
        smtp_password=_secret(environ, "WARDWATCH_SMTP_PASSWORD"),
        smtp_ca_file=environ.get("WARDWATCH_SMTP_CA_FILE", ""),
        mail_from=environ.get("WARDWATCH_MAIL_FROM", ""),
        public_url=environ.get("WARDWATCH_PUBLIC_URL", "") or _USUAL.public_url,
        cors_origins=_origins(environ),
        rate_limit=_whole(environ, "WARDWATCH_RATE_LIMIT", _USUAL.rate_limit, 0, 1_000_000_000),
        security_contact=environ.get("WARDWATCH_SECURITY_CONTACT", ""),
        synthetic_only=_choice(environ, "WARDWATCH_SYNTHETIC_ONLY", "off", ("on", "off")) == "on",
        retention_years=_whole(environ, "WARDWATCH_RETENTION_YEARS", _USUAL.retention_years, 0, 100),
        clock_real_start=environ.get("WARDWATCH_DEMO_REAL_START", ""),
        clock_started_at=environ.get("WARDWATCH_DEMO_STARTED_AT", ""),
        clock_speed=float(_whole(environ, "WARDWATCH_DEMO_SPEED", 1, 1, 3600)),
    )


class _Asked(Mapping[str, str]):
    """An environment with nothing in it, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """The variables that are called like settings and are none: what they were meant to set is as usual."""
    asked = _Asked()
    from_environ(asked)
    ours = asked.names | {CLIENT_SECRET}
    return sorted(name for name in environ if name.startswith("WARDWATCH_") and name not in ours)


def secret_keys_of(settings: Settings) -> tuple[str, ...]:
    """The secret key, with which everything is made, and the other one, if there is one: it is good as well while one
    key takes the place of the other. Raises SettingInvalid when one cannot be used."""
    first, other = settings.secret_key, settings.other_secret_key
    if len(first) < SECRET_KEY_LENGTH:
        raise SettingInvalid(f"WARDWATCH_SECRET_KEY must be set to a text of at least {SECRET_KEY_LENGTH} characters")
    if not other:
        return (first,)
    if len(other) < SECRET_KEY_LENGTH:
        raise SettingInvalid(f"WARDWATCH_OTHER_SECRET_KEY must have at least {SECRET_KEY_LENGTH} characters")
    if other == first:
        raise SettingInvalid("WARDWATCH_OTHER_SECRET_KEY is the same as WARDWATCH_SECRET_KEY")
    return first, other


def _secret(environ: Mapping[str, str], name: str) -> str:
    path = environ.get(f"{name}_FILE", "")
    if not path:
        return environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise SettingInvalid(f"{name}_FILE cannot be read: {problem.strerror}") from problem


def _database_url(environ: Mapping[str, str]) -> str:
    url = environ.get("WARDWATCH_DATABASE_URL", "") or _USUAL.database_url
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise SettingInvalid("WARDWATCH_DATABASE_URL must start with sqlite:/// or postgresql://")
    password = _secret(environ, "WARDWATCH_DATABASE_PASSWORD")
    if not password:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or 'wardwatch'}:{quote(password, safe='')}@{host}"))


Default = TypeVar("Default", int, int | None)


def _origins(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where browser pages may come from that call us: `https://host`, with a port if it is another than usual."""
    given = tuple(environ.get("WARDWATCH_CORS_ORIGINS", "").replace(",", " ").split())
    for origin in given:
        parts = urlsplit(origin)
        if parts.scheme not in ("https", "http") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            raise SettingInvalid("WARDWATCH_CORS_ORIGINS must hold origins such as https://ward.example, and no *")
        if "*" in origin or "@" in origin:
            raise SettingInvalid("WARDWATCH_CORS_ORIGINS names each origin: * would let every page in")
    return given


def _whole(environ: Mapping[str, str], name: str, default: Default, low: int, high: int) -> int | Default:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingInvalid(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, "") or default
    if value not in allowed:
        raise SettingInvalid(f"{name} must be one of: {', '.join(allowed)}")
    return value
