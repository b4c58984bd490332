"""What the log says of an isolation from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from namespace_isolation.report.isolation_log import IsolationLog
from tests.support.objects import isolation

Line = dict[str, Any]

_FAULTY: Line = {"allow": [{"name": "x", "ports": [{"port": 99999}], "to": [{"podSelector": {}}]}] * 7}


def _status(ready: str, reason: str, message: str = "") -> Line:
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": message}
    return {
        "conditions": [{"type": "Accepted", "status": "True"}, condition],
        "namespaces": {"matched": 3},
        "policies": {"inPlace": 6},
    }


class Log:
    """A log with a clock, and its lines."""

    def __init__(self) -> None:
        """Begin."""
        self.now = 100.0
        self.log = IsolationLog(lambda: self.now)

    def told(self, happen: Callable[[IsolationLog], None]) -> list[Line]:
        """Let something happen, and give the lines of it."""
        with capture_logs() as lines:
            happen(self.log)
        return [dict(line) for line in lines]


def test_one_that_comes_is_told() -> None:
    """With its mode and what in it is not quite what one might expect."""
    wanted = isolation(defaultDeny=["Ingress"], allow=[{"name": "x", "from": [{"podSelector": {}}]}])
    (line,) = Log().told(lambda log: log.came(wanted, {}, at_start=False))
    (notice,) = line.pop("notices")
    assert line == {
        "event": "isolation came",
        "log_level": "info",
        "isolation": "team",
        "generation": 1,
        "mode": "Enforce",
    }
    assert notice.startswith("spec.allow[0]: ")


def test_those_that_are_there_at_the_start_are_not_told_one_by_one() -> None:
    """Ten thousand of them are one line of somebody else's."""
    seen = Log()
    assert seen.told(lambda log: log.came(isolation(), _status("True", "InSync"), at_start=True)) == []
    assert seen.told(lambda log: log.turned(isolation(), _status("True", "x"), _status("True", "InSync"))) == []


@pytest.mark.parametrize("at_start", [False, True])
def test_one_that_is_not_accepted_is_a_warning_with_path_and_reason(at_start: bool) -> None:  # noqa: FBT001 - a column
    """Also at the start: nothing is done for it. The first faults are named, the others counted."""
    (line,) = Log().told(lambda log: log.came(isolation(**_FAULTY), {}, at_start=at_start))
    assert (line["log_level"], line["isolation"], line["generation"]) == ("warning", "team", 1)
    assert line["event"] == "isolation not accepted: nothing is changed until it is mended"
    assert "spec.allow[0].ports[0].port" in line["faults"][0]
    assert len(line["faults"]) == 5
    assert line["more"] >= 2


def test_an_edit_is_told() -> None:
    """As what it makes of the isolation."""
    seen, new = Log(), isolation(generation=2, mode="Audit")
    (line,) = seen.told(lambda log: log.edited(isolation(), new))
    assert line == {
        "event": "isolation edited",
        "log_level": "info",
        "isolation": "team",
        "generation": 2,
        "mode": "Audit",
    }
    (line,) = seen.told(lambda log: log.edited(isolation(), isolation(generation=3, **_FAULTY)))
    assert line["event"].startswith("isolation not accepted")


@pytest.mark.parametrize(("policy", "policies"), [("Delete", "go"), ("Retain", "stay, without owner")])
def test_a_deletion_is_told_with_what_becomes_of_the_policies(policy: str, policies: str) -> None:
    """And its end, with the time that it took."""
    seen, going = Log(), isolation(generation=2, deleting=True, finalizers=["x"], deletionPolicy=policy)
    (line,) = seen.told(lambda log: log.edited(isolation(), going))
    assert line == {
        "event": "isolation is being deleted",
        "log_level": "info",
        "isolation": "team",
        "policies": policies,
    }
    seen.now += 2.5
    (line,) = seen.told(lambda log: log.gone(going))
    assert line == {"event": "isolation gone", "log_level": "info", "isolation": "team", "seconds": 2.5}


def test_one_that_went_without_a_word_has_no_duration() -> None:
    """Somebody took its finalizer while nobody looked."""
    (line,) = Log().told(lambda log: log.gone(isolation()))
    assert "seconds" not in line


def test_readiness_is_told_with_the_time_since_the_last_change() -> None:
    """What is in place, and how long it took; a namespace that joins later is no news of the isolation."""
    seen, before = Log(), _status("False", "Progressing")
    seen.told(lambda log: log.came(isolation(), {}, at_start=False))
    seen.now += 0.75
    assert seen.told(lambda log: log.turned(isolation(), {}, before)) == []
    (line,) = seen.told(lambda log: log.turned(isolation(), before, _status("True", "InSync")))
    assert line == {
        "event": "isolation ready",
        "log_level": "info",
        "isolation": "team",
        "reason": "InSync",
        "namespaces": 3,
        "policies": 6,
        "seconds": 0.75,
    }
    seen.now += 3600
    assert seen.told(lambda log: log.turned(isolation(), _status("True", "InSync"), before)) == []
    assert seen.told(lambda log: log.turned(isolation(), before, _status("True", "InSync"))) == []


def test_one_that_was_not_ready_at_the_start_is_told_when_it_is() -> None:
    """The operator came back and finished the work."""
    seen = Log()
    seen.told(lambda log: log.came(isolation(), _status("False", "Failed"), at_start=True))
    seen.now += 4
    (line,) = seen.told(lambda log: log.turned(isolation(), _status("False", "Failed"), _status("True", "InSync")))
    assert (line["event"], line["seconds"]) == ("isolation ready", 4.0)


@pytest.mark.parametrize("reason", ["Failed", "Fight"])
def test_failing_is_a_warning_once_and_so_is_its_end(reason: str) -> None:
    """Each policy that fails has its own line."""
    seen, failing = Log(), _status("False", reason, "a\x1b[31m problem")
    (line,) = seen.told(lambda log: log.turned(isolation(), _status("True", "InSync"), failing))
    assert line == {
        "event": "isolation not ready",
        "log_level": "warning",
        "isolation": "team",
        "reason": reason,
        "message": r"a\x1b[31m problem",
    }
    assert seen.told(lambda log: log.turned(isolation(), failing, failing)) == []
    seen.now += 10
    (line,) = seen.told(lambda log: log.turned(isolation(), failing, _status("True", "InSync")))
    assert (line["event"], line["seconds"]) == ("isolation ready", 10.0)
