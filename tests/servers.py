"""Servers that tests start on this machine: PostgreSQL, a store of objects that speaks the protocol of S3, and HTTP."""

from __future__ import annotations

import contextlib
import getpass
import glob
import http.server
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

PASSWORD = "open-sesame"  # noqa: S105 - of a server that lives as long as a test


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Postgres:
    """A PostgreSQL server in a temporary folder, with a user ann who needs a password."""

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self.folder, self.programs, self.user, self.port = folder, programs, user, free_port()
        self.url = f"postgresql://ann:${{NNFS_TEST_PASSWORD}}@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *words: str) -> None:
        command = [self.programs / program, "-D", self.folder / "data", *words]
        options: dict[str, Any] = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid} if self.user else {}
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=60, **options)

    def create(self) -> None:
        (self.folder / "password").write_text(PASSWORD)
        if self.user:
            shutil.chown(self.folder, self.user)
        self._run("initdb", "-U", "ann", "-A", "scram-sha-256", "--pwfile", str(self.folder / "password"), "-N")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c fsync=off -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-o", options, "-w", "-l", str(self.folder / "log"), "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-m", how, "-w", "stop")


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    pytest.importorskip("adbc_driver_postgresql", reason="it needs the extra sql")
    found = shutil.which("initdb") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))), None)
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine")
    root = getpass.getuser() == "root"
    if root and "postgres" not in [one.pw_name for one in pwd.getpwall()]:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    with tempfile.TemporaryDirectory(prefix="nnfs-pg-") as folder:
        server = Postgres(Path(folder), Path(os.path.realpath(found)).parent, "postgres" if root else None)
        server.create()
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop()


@pytest.fixture
def postgres(_postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """Return a running PostgreSQL server; the password of its user is in the environment."""
    monkeypatch.setenv("NNFS_TEST_PASSWORD", PASSWORD)
    return _postgres


@pytest.fixture(scope="session")
def _store() -> Iterator[int]:
    pytest.importorskip("moto", reason="it needs the extra test-sources")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def bucket(_store: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of an empty bucket in a store that the environment names."""
    import boto3

    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{_store}",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"rows-{free_port()}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"


class Web(http.server.BaseHTTPRequestHandler):
    """Serves `pages`: a path with its content, or with a status, headers and a content that may be cut short."""

    pages: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self._answer()

    def _answer(self, with_content: bool = True) -> None:
        self.asked.append((self.path, dict(self.headers)))
        page = self.pages.get(self.path, (404, {}, b""))
        status, headers, content = page if isinstance(page, tuple) else (200, {"Content-Length": len(page)}, page)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content if with_content else b"")

    def log_message(self, *words: Any) -> None:
        """Print nothing."""


class Gcs(Web):
    """A store of objects that speaks the protocol of Google Cloud Storage, as far as pyarrow uses it.

    `pages` holds the objects by their names; of those in `cut`, only the first bytes come.
    """

    protocol_version = "HTTP/1.1"
    pages: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    cut: ClassVar[set[str]] = set()

    def _send(self, status: int, content: bytes = b"", *, missing: int = 0, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content) + missing), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = bool(missing)

    def _about(self, name: str) -> dict[str, str]:
        when = dict.fromkeys(("updated", "timeCreated"), "2026-01-31T00:00:00Z")
        return {"name": name, "bucket": "rows", "size": str(len(self.pages[name])), "generation": "1", **when}

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        _, _, name = (unquote(part) for part in url.path.partition("/b/rows/o/"))
        self.asked.append((self.path, dict(self.headers)))
        if not name:
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            found = [self._about(name) for name in sorted(self.pages) if name.startswith(prefix)]
            self._send(200, json.dumps({"items": found}).encode())
        elif name not in self.pages:
            self._send(404, b'{"error": {"code": 404}}')
        elif "alt=media" in url.query:
            whole = self.pages[name]
            self._send(200, whole[:9], missing=len(whole) - 9) if name in self.cut else self._send(200, whole)
        else:
            self._send(200, json.dumps(self._about(name)).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        (name,) = parse_qs(urlsplit(self.path).query)["name"]
        self._send(200, Location=f"http://{self.headers['Host']}/upload?name={quote(name)}")

    def do_PUT(self) -> None:
        (name,) = parse_qs(urlsplit(self.path).query)["name"]
        self.pages[name] = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, json.dumps(self._about(name)).encode())


@contextlib.contextmanager
def _serving(kind: type[Web]) -> Iterator[str]:
    kind.pages.clear()
    kind.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def web() -> Iterator[tuple[str, type[Web]]]:
    """Return the URL of a web server, and the class whose `pages` it serves."""
    with _serving(Web) as url:
        yield url, Web


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Gcs]]:
    """Return the class whose `pages` are the objects in gs://rows."""
    Gcs.cut.clear()
    with _serving(Gcs) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        yield Gcs
