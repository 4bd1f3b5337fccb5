"""rtap.transports.wyoming.discovery: found by a browser of the network, as Home Assistant finds it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from zeroconf import Error as ZeroconfError
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from rtap.errors import ConfigurationError
from rtap.transports.wyoming import discovery as wyoming_discovery
from rtap.transports.wyoming.discovery import SERVICE_TYPE, Announcement, announced_addresses
from tests.backend.transports.wyoming.wyoming_serving import run, until

LOOPBACK = ["127.0.0.1"]


class Browser:
    """What a network knows, by the names of services."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self.names: set[str] = set()

    def changed(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            self.names.discard(name)
        else:
            self.names.add(name)

    async def ask(self, name: str) -> AsyncServiceInfo:
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        assert await info.async_request(self.zeroconf.zeroconf, 3_000)
        return info


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    async with AsyncZeroconf(interfaces=LOOPBACK) as zeroconf:
        browser = Browser(zeroconf)
        running = AsyncServiceBrowser(
            zeroconf.zeroconf, SERVICE_TYPE, handlers=[browser.changed], delay=1
        )
        try:
            yield browser
        finally:
            await running.async_cancel()


def test_it_is_found_and_lost_again() -> None:
    name = f"rtap-test-found.{SERVICE_TYPE}"

    async def test() -> None:
        async with browsing() as browser:
            announcement = Announcement(lambda: LOOPBACK, 12_345, "rtap-test-found")
            announcement.start()
            try:
                await until(lambda: name in browser.names)
                info = await browser.ask(name)
                assert info.port == 12_345
                assert info.parsed_addresses() == LOOPBACK
                assert b"version" in info.properties
            finally:
                await announcement.stop()
            await until(lambda: name not in browser.names)

    run(test)


def test_two_of_one_name_are_both_found() -> None:
    async def test() -> None:
        async with browsing() as browser:
            one = Announcement(lambda: LOOPBACK, 12_345, "rtap-test-twice")
            other = Announcement(lambda: LOOPBACK, 12_346, "rtap-test-twice")
            one.start()
            await until(lambda: f"rtap-test-twice.{SERVICE_TYPE}" in browser.names)
            other.start()
            try:
                await until(lambda: f"rtap-test-twice-2.{SERVICE_TYPE}" in browser.names)
                assert (await browser.ask(f"rtap-test-twice-2.{SERVICE_TYPE}")).port == 12_346
            finally:
                await one.stop()
                await other.stop()

    run(test)


@pytest.mark.parametrize("first", ["nothing", "an error", "an error of zeroconf"])
def test_a_network_that_comes_later(
    first: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wyoming_discovery, "RETRY_SECONDS", 0.01)
    kinds: dict[str, list[str] | Exception] = {
        "nothing": [],
        "an error": OSError("no such device"),
        "an error of zeroconf": ZeroconfError("no socket"),
    }
    answers = [kinds[first], LOOPBACK]

    def find() -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def test() -> None:
        async with browsing() as browser:
            announcement = Announcement(find, 12_345, "rtap-test-later")
            announcement.start()
            try:
                await until(lambda: f"rtap-test-later.{SERVICE_TYPE}" in browser.names)
            finally:
                await announcement.stop()

    with caplog.at_level(logging.WARNING):
        run(test)
    assert "Wyoming is not announced yet" in caplog.text


def test_stop_while_there_is_no_network_and_without_start() -> None:
    async def test() -> None:
        announcement = Announcement(list, 12_345)
        announcement.start()
        await asyncio.sleep(0)
        await announcement.stop()
        await announcement.stop()
        await Announcement(list, 12_345).stop()

    run(test)


@pytest.mark.parametrize("bound", [["127.0.0.1"], ["::1", "127.0.0.1"]])
def test_what_only_this_machine_reaches_is_not_announced(bound: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=rf"output\.wyoming_host is {bound[0]}"):
        announced_addresses(bound)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert announced_addresses(["192.0.2.7"])() == ["192.0.2.7"]
    assert announced_addresses(["fe80::1%eth0"])() == ["fe80::1"]
    assert announced_addresses(["192.0.2.7", "127.0.0.1"])() == ["192.0.2.7"]
    for everywhere in (["0.0.0.0"], ["::", "0.0.0.0"]):
        found = announced_addresses(everywhere)()
        assert "127.0.0.1" not in found
        assert "0.0.0.0" not in found
    # No route to anybody.
    monkeypatch.setattr(wyoming_discovery, "_MDNS_GROUP", "255.255.255.255")
    assert announced_addresses(["0.0.0.0"])() == []


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("car", "rtap-car"),
        ("car.garage.example", "rtap-car"),
        ("mein_auto", "rtap-mein-auto"),
        ("Käfer", "rtap-K-fer"),
        ("", "rtap"),
        ("c" * 64, "rtap-" + "c" * 43),
    ],
)
def test_names(host: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert Announcement(list, 1)._name == name
