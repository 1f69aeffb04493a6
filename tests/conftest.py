"""What every test may ask for.

`database_url` is parametrised: a test that uses it, directly or through `settings`, `database`, `app` or
`client`, runs once on SQLite and once on PostgreSQL, each time on a migrated database of its own. For one:
`@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)`."""

import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
import structlog
from fastapi import FastAPI

from service.app import create_app
from service.settings import Settings
from service.storage.engine import Database, open_database
from tests.access.hospital import Hospital
from tests.support import databases, postgres
from tests.support.time import SettableClock
from tests.support.wards import Partner, calling, open_partner

FOLDER = "WARDWATCH_TEST_FOLDER"
KEEPER = pytest.StashKey[Popen[bytes]]()
SECRET_KEY = "a secret key for the tests, long enough"
ROOT = Path(__file__).parent.parent
MEMORY, ROOM = "/dev/shm", 4 * 1024**3


# The session: one folder for all xdist workers, and a keeper that clears it away ---------------------------


# The default draws every value of every frame, for seconds, while the service under test waits.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # the controller's environment says where the folder is
    _use_memory()
    folder = Path(tempfile.mkdtemp(prefix="wardwatch-tests-"))
    folder.chmod(0o711)  # the server, which runs as another user, has its data further down
    config.stash[KEEPER] = postgres.keep(folder)
    os.environ[FOLDER] = str(folder)


def _use_memory() -> None:
    """Thousands of databases are made, committed to and thrown away: in memory, where there is room, none waits for a
    disk. A process that is killed loses nothing by it."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = MEMORY


def pytest_unconfigure(config: pytest.Config) -> None:
    keeper = config.stash.get(KEEPER, None)
    if keeper is None:
        return
    databases.drop_template(Path(os.environ[FOLDER]))
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Under CI nothing is left out: a database or browser that is missing there is a failure."""
    report = yield
    needed = item.get_closest_marker("postgres") or item.get_closest_marker("browser")
    if report.skipped and needed and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def session_folder() -> Path:
    """A folder that all workers of this session share; cleared away at the end."""
    return Path(os.environ[FOLDER])


# Databases -------------------------------------------------------------------------------------------------

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
async def database_url(request: pytest.FixtureRequest, session_folder: Path, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a migrated, empty database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        yield databases.sqlite_copy(session_folder, tmp_path / "wardwatch.db")
        return
    _need_postgres(session_folder)
    async with databases.postgresql_copy(session_folder) as url:
        yield url


@pytest.fixture(params=BOTH)
async def empty_database_url(
    request: pytest.FixtureRequest, session_folder: Path, tmp_path: Path
) -> AsyncIterator[str]:
    """The URL of a database without any table: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    _need_postgres(session_folder)
    async with databases.postgresql_copy(session_folder, template="template0") as url:
        yield url


@pytest.fixture
def postgres_server(session_folder: Path) -> Iterator[Callable[..., postgres.Server]]:
    """Makes private servers that a test may stop and kill: `postgres_server(durable=True)`.

    A test that uses it also needs `@pytest.mark.postgres`."""
    made: list[postgres.Server] = []

    def make(durable: bool = True) -> postgres.Server:
        server = postgres.Server(Path(tempfile.mkdtemp(prefix="private-", dir=session_folder)), durable)
        try:
            server.create()
        except postgres.Absent as reason:
            pytest.skip(f"PostgreSQL: {reason}")
        made.append(server)
        return server

    yield make
    for server in made:
        if (server.data / "postmaster.pid").exists():
            server.stop("immediate")
        shutil.rmtree(server.folder)


@pytest.fixture
def nothing_is_left_for_the_next_test() -> Iterator[None]:
    """A connection whose server was killed cannot say goodbye; asyncpg warns of it whenever it is collected."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _need_postgres(folder: Path) -> None:
    try:
        databases.postgresql_template(folder)
    except postgres.Absent as reason:
        pytest.skip(f"PostgreSQL: {reason}")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The test's database, open. Its connections are not the application's."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


# The service -----------------------------------------------------------------------------------------------


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings as the tests have them; change some with `dataclasses.replace`. Time passes when a test says so:
    `await app.state.timekeeper.catch_up()`."""
    return Settings(database_url=database_url, secret_key=SECRET_KEY, timers=False)


@pytest.fixture
def clock() -> SettableClock:
    """Clinical time, standing still at `tests.support.time.START` until the test moves it."""
    return SettableClock()


@pytest.fixture
async def app(settings: Settings, clock: SettableClock) -> AsyncIterator[FastAPI]:
    """The application, started, on the test's database and the test's clock."""
    async with started(settings, clock) as application:
        yield application


@asynccontextmanager
async def started(settings: Settings, clock: SettableClock) -> AsyncIterator[FastAPI]:
    """An application between start-up and shut-down: for tests that need a second replica."""
    application = create_app(settings)
    application.state.clock = clock
    async with running(application):
        yield application


@asynccontextmanager
async def running(application: FastAPI) -> AsyncIterator[None]:
    """An application between start-up and shut-down. `app.state.database` is for tests, which look everywhere: the
    service itself has `served` alone."""
    async with application.router.lifespan_context(application):
        served: Database = application.state.served
        whole = served if served.is_embedded else open_database(application.state.settings.database_url)
        application.state.database = whole
        yield
        if whole is not served:
            await whole.close()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://wardwatch.test") as made:
        yield made


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The same; what fails in the application is answered with 500, as over the wire."""
    async with calling(app) as made:
        yield made


@pytest.fixture
async def partner(http: httpx.AsyncClient, database: Database) -> Partner:
    """A partner system, signed in, on a ward of its own."""
    return await open_partner(http, database)


@pytest.fixture
async def hospital(app: FastAPI, client: httpx.AsyncClient) -> Hospital:
    """The running service, in which wards, staff and patients are made."""
    return Hospital(app, client)


# Data ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def test_data() -> Path | None:
    """Recorded vitals and standard examples, kept outside the repository; None where they are not."""
    folder = Path(os.environ.get("WARDWATCH_TEST_DATA") or ROOT / ".." / "shared" / "data").resolve()
    return folder if folder.is_dir() else None
