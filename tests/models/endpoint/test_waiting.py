"""How long is waited, how much is under way at once, and how often a server is asked."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.endpoint import patience
from tests.models.endpoint.conftest import question
from tests.models.endpoint.faults import Breaking, Server, completion, mixture


@pytest.mark.parametrize("wait", ["seconds", "date"])
def test_retry_after_is_honoured(endpoint, wait):
    def reply(body):
        if len(server.questions) > 1:
            return completion(body)
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=1.5), usegmt=True)
        return 429, {"error": "slow down"}, {"retry-after": "1" if wait == "seconds" else when}

    with Server(reply) as server:
        assert endpoint(server).generate([question()])[0].error is None
        first, second = (heard.at for heard in server.questions)
        assert (0.9 if wait == "seconds" else 0.3) < second - first < 4.0  # a date has whole seconds


def test_retry_after_beyond_the_deadline_is_not_waited_for(endpoint):
    with Server(lambda body: (429, {"error": "quota used up"}, {"retry-after": "3600"})) as server:
        start = time.monotonic()
        with pytest.raises(AuditkitError, match=r"quota used up \(it asks to wait 3600 s, the deadline is 10 s\)"):
            endpoint(server, concurrency=1).generate([question(i) for i in range(50)])
        assert time.monotonic() - start < 3
        assert len(server.questions) == 3


@pytest.mark.parametrize("kind", ["503", "hang", "500"])
@pytest.mark.parametrize("deadline", [0.3, 1.0])
def test_attempts_end_with_the_deadline(endpoint, kind, deadline):
    """With the real back-off."""
    with Server() as behind, Breaking(behind.port, lambda body, before: kind) as server:
        model = endpoint(server, deadline=deadline)
        assert model.fingerprint
        start = time.monotonic()
        (response,) = model.generate([question()])
        assert time.monotonic() - start < deadline + 2.0
        assert response.error
        assert len(server.questions) >= (2 if deadline == 1.0 else 1)


def test_back_off_grows_and_is_spread(endpoint, monkeypatch):
    monkeypatch.setattr(patience, "WAIT", (0.05, 0.2))
    with Server() as behind, Breaking(behind.port, lambda body, before: "503" if before < 6 else None) as server:
        endpoint(server, concurrency=16).generate([question(i) for i in range(16)])
        times: dict[str, list[float]] = {}
        for heard in server.questions:
            times.setdefault(json.dumps(heard.body), []).append(heard.at)
        gaps = [[b - a for a, b in pairwise(at)] for at in times.values()]
        assert all(len(gap) == 6 for gap in gaps)
        mean = [sum(gap[i] for gap in gaps) / len(gaps) for i in range(6)]
        assert mean[0] < mean[2], mean
        assert max(map(max, gaps)) < 0.2 + 0.4, "the bound, and some time for 16 requests"
        assert max(gap[3] for gap in gaps) - min(gap[3] for gap in gaps) > 0.05


def test_concurrency_is_used_and_never_exceeded(endpoint):
    with Server(seconds=0.02) as server:
        endpoint(server, concurrency=7).generate([question(i) for i in range(60)])
        assert server.most_under_way == 7
    with Server(seconds=0.01) as server:
        endpoint(server, concurrency=7, exact=True).generate([question(i) for i in range(10)])
        assert server.most_under_way == 1


def test_concurrency_holds_while_requests_time_out_and_break(endpoint, short_waits):
    with (
        Server() as behind,
        Breaking(behind.port, mixture(5, 0.5, ("hang", "reset", "half", "500", "reset", "half"))) as server,
    ):
        responses = endpoint(server, deadline=4.0, concurrency=5).generate([question(i) for i in range(30)])
        assert all(r.error is None for r in responses)
        # A server hears of a client that left a moment later than the client starts anew.
        assert server.most_under_way <= 6


def test_rate_limit_counts_attempts(endpoint, short_waits):
    with Server() as behind, Breaking(behind.port, mixture(1, 0.3, ("500", "503"))) as server:
        endpoint(server, rate_limit=50.0, concurrency=20).generate([question(i) for i in range(40)])
        at = [heard.at for heard in server.heard]
        assert len(server.questions) > 45
        for i in range(len(at) - 10):
            assert at[i + 10] - at[i] > 0.1, "ten gaps of 20 ms, of which a busy machine may delay the first"


def test_address_that_never_accepts(endpoint, short_contact):
    """A listening socket whose queue is full drops what comes: the connection is never made."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = [socket.socket() for _ in range(3)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        start = time.monotonic()
        with pytest.raises(AuditkitError, match="no answer within"):
            endpoint(f"http://127.0.0.1:{full.getsockname()[1]}/v1").generate([question()])
        assert time.monotonic() - start < 3
        for one in held:
            one.close()
