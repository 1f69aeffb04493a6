"""Settings are refused with the name of the variable and what would do; never with the value."""

from pathlib import Path

import pytest

from service.cli.serve import require_servable
from service.errors import SettingInvalid
from service.settings import Settings, from_environ, secret_keys_of

SENTINEL = "sentinel-7319"


def test_without_any_variable_the_defaults_hold() -> None:
    settings = from_environ({})
    assert settings == Settings()
    assert settings.database_url == "sqlite:///./wardwatch.db"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WARDWATCH_DATABASE_URL", f"mysql://{SENTINEL}", "must start with sqlite:/// or postgresql://"),
        ("WARDWATCH_METRICS_PORT", SENTINEL, "must be a whole number from 0 to 65535"),
        ("WARDWATCH_METRICS_PORT", "65536", "must be a whole number from 0 to 65535"),
        ("WARDWATCH_METRICS_PORT", "-1", "must be a whole number"),
        ("WARDWATCH_COMMITTERS", "0", "must be a whole number from 1 to 16"),
        ("WARDWATCH_POOL_SIZE", "٣", "must be a whole number"),
        ("WARDWATCH_POOL_SIZE", "1", "must be a whole number from 2 to 200"),
        ("WARDWATCH_LOG_LEVEL", SENTINEL, "must be one of: debug, info, warning, error"),
        ("WARDWATCH_PASSWORD_GRANT", "yes", "must be one of: on, off"),
        ("WARDWATCH_SECRET_KEY_FILE", f"/{SENTINEL}", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        from_environ({name: value})
    assert name in refused.value.detail
    assert says in refused.value.detail
    assert SENTINEL not in refused.value.detail


@pytest.mark.parametrize("key", ["", "x" * 31])
def test_a_missing_or_short_secret_key_is_refused(key: str) -> None:
    with pytest.raises(SettingInvalid, match="WARDWATCH_SECRET_KEY must be set to a text of at least 32 characters"):
        secret_keys_of(Settings(secret_key=key))


def test_a_long_enough_secret_key_is_taken() -> None:
    assert secret_keys_of(Settings(secret_key="x" * 32)) == ("x" * 32,)


def test_secrets_can_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    (tmp_path / "password").write_text("p@ss/word\n")
    settings = from_environ(
        {
            "WARDWATCH_SECRET_KEY_FILE": str(tmp_path / "key"),
            "WARDWATCH_DATABASE_URL": "postgresql://ward@db:5432/wardwatch",
            "WARDWATCH_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
        }
    )
    assert settings.secret_key == "k" * 40
    assert settings.database_url == "postgresql://ward:p%40ss%2Fword@db:5432/wardwatch"


@pytest.mark.parametrize("name", ["oidc_issuers", "allowed_networks", "smtp_url"])
def test_a_setting_that_is_read_later_is_refused_before_any_worker_starts(name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"WARDWATCH_{name.upper()}"):
        require_servable(Settings(secret_key="x" * 32, **{name: "not to be read"}), workers=2)


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    settings = from_environ(
        {
            "WARDWATCH_SECRET_KEY": f"first {SENTINEL}",
            "WARDWATCH_OTHER_SECRET_KEY": f"other {SENTINEL}",
            "WARDWATCH_DATABASE_URL": f"postgresql://ward:{SENTINEL}@db/wardwatch",
            "WARDWATCH_SMTP_URL": f"smtp://ward:{SENTINEL}@mail.example",
            "WARDWATCH_SMTP_PASSWORD": SENTINEL,
        }
    )
    assert SENTINEL not in repr(settings)


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert from_environ({"WARDWATCH_METRICS_PORT": "", "WARDWATCH_DATABASE_URL": ""}) == Settings()
