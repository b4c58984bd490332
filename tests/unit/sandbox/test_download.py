"""The published archive: verified, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from namespace_isolation.sandbox import Progress, SandboxError
from namespace_isolation.sandbox.download import install
from namespace_isolation.sandbox.versions import ENVTEST_ARCHIVES, REQUIRED, Archive

_SHA512_DIGITS = 128


def _pack(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"controller-tools/envtest/{name}")
            content = f"program {name}".encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class _Server(ThreadingHTTPServer):
    """Serves one body under every path."""

    body = b""

    def archive(self, *, sha512: str | None = None) -> Archive:
        """Describe what it serves, with the right checksum unless told otherwise."""
        url = f"http://127.0.0.1:{self.server_port}/envtest.tar.gz"
        return Archive(url=url, sha512=sha512 or hashlib.sha512(self.body).hexdigest())


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Serve the body."""
        assert isinstance(self.server, _Server)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """Give a server on loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _install(archive: Archive, target: Path) -> str:
    said = io.StringIO()
    install(archive, target, Progress(said))
    return said.getvalue()


def test_the_archive_is_unpacked_to_programs(server: _Server, tmp_path: Path) -> None:
    """Only the programs are taken out, executable, and nothing else stays."""
    server.body = _pack(*REQUIRED, "README.md")
    _install(server.archive(), tmp_path / "cache" / "envtest")
    programs = {file.name: file for file in (tmp_path / "cache" / "envtest").iterdir()}
    assert set(programs) == set(REQUIRED)
    assert programs["etcd"].read_text() == "program etcd"
    assert all(file.stat().st_mode & 0o111 for file in programs.values())
    assert {file.name for file in (tmp_path / "cache").iterdir()} == {"envtest", "envtest.lock"}


def test_a_second_request_downloads_nothing(server: _Server, tmp_path: Path) -> None:
    """What is installed is not fetched again."""
    server.body = _pack(*REQUIRED)
    assert "downloading" in _install(server.archive(), tmp_path / "envtest")
    assert not _install(server.archive(), tmp_path / "envtest")


def test_an_archive_with_another_checksum_is_thrown_away(server: _Server, tmp_path: Path) -> None:
    """Nothing unverified is ever installed."""
    server.body = _pack(*REQUIRED)
    with pytest.raises(SandboxError, match=r"has the SHA-512 [0-9a-f]{128}, not 0{128}; it was thrown away"):
        _install(server.archive(sha512="0" * _SHA512_DIGITS), tmp_path / "envtest")
    assert {file.name for file in tmp_path.iterdir()} == {"envtest.lock"}


def test_an_archive_that_lacks_a_program_is_refused(server: _Server, tmp_path: Path) -> None:
    """An archive of another form is not half installed."""
    server.body = _pack("etcd", "kubectl")
    with pytest.raises(SandboxError, match="holds no kube-apiserver"):
        _install(server.archive(), tmp_path / "envtest")
    assert {file.name for file in tmp_path.iterdir()} == {"envtest.lock"}


def test_a_server_out_of_reach_is_named(tmp_path: Path) -> None:
    """The error names the address and the reason."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/envtest.tar.gz"
        with pytest.raises(SandboxError, match=rf"out of reach \({url}: .*refused\)"):
            _install(Archive(url=url, sha512="0" * _SHA512_DIGITS), tmp_path / "envtest")


@pytest.mark.parametrize("platform", ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"])
def test_every_platform_has_a_pinned_archive(platform: str) -> None:
    """The URL names version and platform, the checksum is a SHA-512."""
    archive = ENVTEST_ARCHIVES[platform]
    assert archive.url.endswith(f"envtest-v1.36.2-{platform}.tar.gz")
    assert len(archive.sha512) == _SHA512_DIGITS
