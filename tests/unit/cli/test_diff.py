"""`nsiso diff` where no comparison can be made: exit code 2, which no difference ever has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from namespace_isolation.cli import diff as module
from namespace_isolation.cli.main import main
from namespace_isolation.cluster import ApiError

_ISOLATION = """\
apiVersion: nsiso.dev/v1alpha1
kind: NamespaceIsolation
metadata: {name: team}
spec:
  namespaces: {names: [shop]}
"""


def _diff(*arguments: str, text: str = _ISOLATION) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments], input=text, env={"KUBECONFIG": "/nonexistent"})


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        ((), _ISOLATION, "Missing argument 'FILE...'"),
        (("-", "-o", "yaml"), _ISOLATION, "'yaml' is not one of"),
        (("-", "--kubeconfig", "/nonexistent"), _ISOLATION, "'/nonexistent' does not exist"),
        (("-",), _ISOLATION, "no kubeconfig found: KUBECONFIG=/nonexistent is no file"),
        (("-",), "a: *b", "Error: 1 fault in the input; nothing was compared.\n  stdin, document 1: line 1"),
        (("-",), _ISOLATION.replace("names:", "nmaes:"), "namespaces.nmaes: is not a field"),
        (("missing.yaml",), _ISOLATION, "missing.yaml: cannot be read: No such file or directory"),
    ],
)
def test_trouble_ends_with_2(arguments: tuple[str, ...], text: str, message: str) -> None:
    """With a message that says what it is, and nothing on stdout."""
    shown = _diff(*arguments, text=text)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert message in shown.stderr


def test_a_kubeconfig_of_nothing_is_told(tmp_path: Path) -> None:
    """An empty file leads nowhere."""
    path = tmp_path / "kubeconfig"
    path.touch()
    shown = _diff("-", "--kubeconfig", str(path))
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"cannot use the kubeconfig {path}" in shown.stderr


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (RuntimeError("a crash"), 2, "RuntimeError: a crash"),
        (KeyboardInterrupt(), 130, ""),
        (
            ApiError(status=403, reason="Forbidden", message="not you\x1b[31m", request="GET /x"),
            2,
            "GET /x: 403, Forbidden: not you\\x1b[31m\nNeeded, in the whole cluster, is the right to list namespaces",
        ),
        (ApiError(status=0, reason="Timeout", message="no", request="GET /x"), 2, "GET /x: no answer, Timeout: no"),
    ],
    ids=["crash", "interrupted", "forbidden", "no answer"],
)
def test_nothing_that_goes_wrong_looks_like_a_difference(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    """Python ends with 1 after a crash, and click after Ctrl-C; here 1 means that something would change."""

    async def compare(*_: object, **__: object) -> None:
        await asyncio.sleep(0)
        raise raised

    monkeypatch.setattr(module, "_compare", compare)
    shown = _diff("-")
    assert (shown.exit_code, shown.stdout) == (code, "")
    assert said in shown.stderr
