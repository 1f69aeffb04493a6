"""The README does what it says."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.conftest import ROOT
from tests.support.cli import environment, until_ready
from tests.support.postgres import free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```bash\n# terminal \d(?:, going on)?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TABLE = re.findall(r"^\| `(WARDWATCH_\w+)` \| (.*?) \|", README, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the environment that `make` would have made in it."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def start(commands: str, folder: Path, port: int):
    settings = {**environment(PORT=str(port), NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")}
    del settings["WARDWATCH_SECRET_KEY"]
    return asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", commands,
        stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=folder, env=settings, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
async def test_the_first_calls_work_as_printed(folder):
    service, calls, app = SHELL
    port = free_port()
    serving = await start(service, folder, port)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            await until_ready(client, serving, 120)
        calling = await start(calls + "echo\n" + app, folder, port)
        out, err = await calling.communicate()
    finally:
        os.killpg(serving.pid, 9)
        await serving.communicate()
    assert calling.returncode == 0, err.decode() + out.decode()
    assert re.search(r"\n(599|600)\n*$", out.decode())
    reading, alert = (json.loads(text) for text in re.findall(r'\{"(?:reading_)?id".*?\}(?=\{"id"|\n|$)', out.decode()))
    assert reading["assessment"]["severity"] == "high"
    assert (alert["title"], alert["state"]) == ("silent_hypoxia", "acknowledged")


def test_every_setting_is_in_the_table_and_the_table_has_no_other():
    source = (ROOT / "service" / "settings.py").read_text(encoding="utf-8")
    plain = set(re.findall(r'environ(?:\.get\(|, )"(WARDWATCH_\w+)"', source))
    secret = set(re.findall(r'_secret\(environ, "(WARDWATCH_\w+)"', source))
    assert len(plain) > 10
    assert {name for name, _ in TABLE} == plain | {f"{name}_FILE" for name in secret}


def test_every_call_that_is_named_is_one():
    described = create_app(Settings(secret_key="x" * 40)).openapi()["paths"]
    rows = re.findall(r"^\| .* \| (`(?:GET|POST|PUT) /v1.*) \|$", README, re.MULTILINE)
    assert len(rows) > 10
    for row in rows:
        method, path = "", ""
        for each in re.findall(r"`(.*?)`", row):
            if " " in each:
                method, path = each.split()
            else:
                path = path.rpartition("/")[0] + each
            assert method.lower() in described[path]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_that_is_linked_is_there(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", re.findall(r"^\$ make (\w+)", README, re.MULTILINE))
def test_every_make_target_that_is_named_is_one(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", ["README.md", "SECURITY.md", "docker-compose.yml"])
def test_wherever_a_proxy_is_put_in_front_it_is_said_how_it_is_believed(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "FORWARDED_ALLOW_IPS" in text
    assert not re.search(r"FORWARDED_ALLOW_IPS\S*(:-|: |=)\*", text), "everybody would be believed"
