"""HAProxy before three instances: one is killed under load, another set to drain."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.deadlines import SOON
from tests.operations.balancer import Balancer, balancer
from tests.operations.load import Load, cookie_of, load, open_stream, say
from tests.operations.programs import free_port, require, wait_for
from tests.operations.promql import named, queries
from tests.operations.rtap_instance import TEXT, Instance, instance

HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
"""All of 127.0.0.0/8 is this machine; one name has three addresses and one port, as in compose."""
FILE_CLIENTS = 4
STREAM_CLIENTS = 6
OUT_SECONDS = 2.0
"""A killed instance gets no requests after this time; usually none after a tenth of it."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Instance]]:
    require("haproxy")
    place = tmp_path_factory.mktemp("instances")
    port = {"http_port": free_port(*HOSTS)}
    with ExitStack() as stack:
        yield [stack.enter_context(instance(place, host, port)) for host in HOSTS]


@pytest.fixture(scope="module")
def front(
    instances: list[Instance], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Balancer]:
    with balancer(tmp_path_factory.mktemp("haproxy"), instances) as made:
        yield made


def open_streams(instances: list[Instance]) -> dict[str, int]:
    return {one.host: int(one.metric("rtap_streams_open")) for one in instances}


def test_streams_are_spread_and_come_back(front: Balancer, instances: list[Instance]) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(open_stream(front.stream_url)) for _ in range(6)]
        wait_for("two streams each", lambda: set(open_streams(instances).values()) == {2})
        cookies = Counter(cookie_of(client) for client in clients)
        assert sorted(cookies.values()) == [2, 2, 2]
        before = open_streams(instances)
        again = clients[0]
        cookie = cookie_of(again)
        # Whatever the load: its instance has the most streams now, and gets it nevertheless.
        more = [stack.enter_context(open_stream(front.stream_url, cookie)) for _ in range(4)]
        assert [cookie_of(client) for client in more] == [None] * 4
        wait_for("all on one", lambda: sum(open_streams(instances).values()) == 10)
        after = open_streams(instances)
        assert sorted(after[host] - before[host] for host in HOSTS) == [0, 0, 4]


@pytest.mark.parametrize("state", ["drain", "maint"])
def test_an_instance_that_is_taken_out_finishes_its_stream(
    front: Balancer, instances: list[Instance], state: str
) -> None:
    wait_for("no streams", lambda: not sum(open_streams(instances).values()))
    with open_stream(front.stream_url) as client:
        cookie = cookie_of(client)
        wait_for("the stream", lambda: sum(open_streams(instances).values()) == 1)
        [host] = [host for host, count in open_streams(instances).items() if count]
        name = front.servers()[host]["svname"]
        front.command(f"set server rtap/{name} state {state}")
        wait_for("the drain", lambda: host not in front.up())
        with ExitStack() as stack:
            others = [stack.enter_context(open_stream(front.stream_url)) for _ in range(4)]
            given = {cookie_of(other) for other in others}
            assert cookie not in given
            assert len(given) == 2
            # Who was there before may come back to what drains, and to nothing that is out.
            again = stack.enter_context(open_stream(front.stream_url, cookie))
            assert (cookie_of(again) is None) is (state == "drain")
        assert say(client) == TEXT
    wait_for("nothing left", lambda: open_streams(instances)[host] == 0)
    wait_for("nothing open", lambda: front.servers()[host]["scur"] == "0")
    front.command(f"set server rtap/{name} state ready")
    wait_for("all up", lambda: front.up() == set(HOSTS))


def test_statistics_are_for_prometheus_and_this_computer(front: Balancer) -> None:
    metrics = front.metrics()
    asked = {
        selector
        for query in queries()
        for selector in named(query.expression).selectors
        if selector[0].startswith("haproxy_")
    }
    assert len(asked) >= 3
    for name, labels in asked:
        assert labels <= metrics[name]
    assert "code" in metrics["haproxy_backend_http_responses_total"]
    assert "server" in metrics["haproxy_server_current_sessions"]
    assert httpx.get(f"{front.statistics_url}/", timeout=SOON).status_code == 200


def table(front: Balancer, sent: Load, killed: str, lost: int) -> str:
    """What the report shows."""
    rows = [f"{'instance':<12}{'requests':>9}{'streams':>9}{'broken off':>11}   "]
    for host, row in front.servers().items():
        streams = int(row["hrsp_1xx"]) or int(row["hrsp_other"])
        requests = int(row["hrsp_2xx"])
        broken = lost if host == killed else 0
        note = "killed" if host == killed else ""
        rows.append(f"{host:<12}{requests:>9}{streams:>9}{broken:>11}   {note}".rstrip())
    failed = sum(request.status != 200 for request in sent.requests)
    rows.append(
        f"requests {len(sent.requests)}, failed {failed}; streams {len(sent.streams)}, lost {lost}"
    )
    return "\n".join(rows)


def test_a_killed_instance_takes_nothing_with_it_but_its_own(
    front: Balancer, instances: list[Instance]
) -> None:
    wait_for("no streams", lambda: not sum(open_streams(instances).values()))
    front.command("clear counters all")
    with load(front.port, FILE_CLIENTS, STREAM_CLIENTS) as sent:
        wait_for("some work", lambda: len(sent.streams) >= STREAM_CLIENTS)
        # In the middle of speech: all have streams open.
        victim = wait_for(
            "streams on each",
            lambda: next((one for one in instances if open_streams(instances)[one.host] > 1), None),
        )
        victim.process.kill()
        victim.process.wait()
        killed_at = time.monotonic()
        wait_for("out", lambda: victim.host not in front.up())
        out_after = time.monotonic() - killed_at
        many = len(sent.streams) + 2 * STREAM_CLIENTS
        wait_for("more work", lambda: len(sent.streams) >= many)
    lost = [stream for stream in sent.streams if stream.text is None]
    failed = [request for request in sent.requests if request.status != 200]
    print(f"\n{table(front, sent, victim.host, len(lost))}\nout after {1000 * out_after:.0f} ms")

    assert out_after < OUT_SECONDS
    # What had begun on it, and nothing else.
    assert 1 <= len(lost) <= STREAM_CLIENTS
    assert len({stream.server for stream in lost}) == 1
    assert max(stream.began for stream in lost) < killed_at
    assert len(failed) <= FILE_CLIENTS
    assert all(request.began < killed_at for request in failed)
    assert {stream.text for stream in sent.streams} - {None} == {TEXT}
    assert {request.text for request in sent.requests if request.status == 200} == {TEXT}
    assert {request.cookie for request in sent.requests} == {None}
    servers = front.servers()
    assert all(int(servers[host]["hrsp_2xx"]) > 0 for host in HOSTS)
