"""Announces the Wyoming port in the local network (zeroconf, mDNS), where Home Assistant finds it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final

from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from rtap import __version__, logs
from rtap.errors import ConfigurationError

_log = logs.get("wyoming")

SERVICE_TYPE: Final = "_wyoming._tcp.local."
"""What Home Assistant looks for."""
RETRY_SECONDS: Final = 30.0
"""Between two looks for a network: a car may have one only when it is at home."""
_WITHDRAW_SECONDS: Final = 3.0
_MAX_NAME: Final = 48
_MDNS_GROUP: Final = "224.0.0.251"


def announced_addresses(bound: Sequence[str]) -> Callable[[], list[str]]:
    """What finds the addresses under which others reach a listener, now or later.

    Args:
        bound: the addresses that it listens on.

    Raises:
        ConfigurationError: nobody else reaches it.
    """
    addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in bound]
    if all(address.is_loopback for address in addresses):
        raise ConfigurationError(
            "output.wyoming_zeroconf announces Wyoming to the network, but output.wyoming_host is "
            f"{addresses[0]}, which only this machine reaches: set output.wyoming_host to 0.0.0.0 and "
            "output.allow_insecure to true, or output.wyoming_zeroconf to false"
        )
    if any(address.is_unspecified for address in addresses):
        return _network_addresses
    fixed = [str(address) for address in addresses if not address.is_loopback]
    return lambda: fixed


class Announcement:
    """Tells the network in the background, from :meth:`start` to :meth:`stop`.

    Args:
        find_addresses: under which this machine is reached; asked again and again as long as there are none.
        name: under which the service is found; the network makes it unique.
    """

    def __init__(
        self, find_addresses: Callable[[], list[str]], port: int, name: str | None = None
    ) -> None:
        self._find_addresses = find_addresses
        self._port = port
        self._name = name or _own_name()
        self._task: asyncio.Task[None] | None = None
        self._zeroconf: AsyncZeroconf | None = None

    def start(self) -> None:
        """Returns at once: to make sure of the name takes a second, and a network may be long in coming."""
        self._task = asyncio.create_task(self._announce(), name="zeroconf")

    async def stop(self) -> None:
        """Tell the network that the service is gone."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._withdraw()

    async def _announce(self) -> None:
        while True:
            try:
                addresses = await asyncio.to_thread(self._find_addresses)
                if addresses:
                    await self._register(addresses)
                    _log.info("announced", name=self._name, addresses=addresses, port=self._port)
                    return
                reason = "there is no network"
            except (OSError, ZeroconfError) as error:
                reason = str(error) or type(error).__name__
                await self._withdraw()
            _log.warning("Wyoming is not announced yet", reason=reason, retry_after=RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)

    async def _register(self, addresses: list[str]) -> None:
        by_name = [ipaddress.ip_address(address) for address in addresses]
        is_v4 = any(address.version == 4 for address in by_name)
        self._zeroconf = AsyncZeroconf(
            # An address of this machine stands for its interface; one of IPv6 would want that one's number.
            interfaces=[str(one) for one in by_name if one.version == 4] if is_v4 else ["::"],
            ip_version=IPVersion.V4Only if is_v4 else IPVersion.V6Only,
        )
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            addresses=[address.packed for address in by_name],
            port=self._port,
            properties={"version": __version__},
            server=f"{self._name}.local.",
        )
        registered = await self._zeroconf.async_register_service(info, allow_name_change=True)
        await registered

    async def _withdraw(self) -> None:
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is None:
            return
        try:
            async with asyncio.timeout(_WITHDRAW_SECONDS):
                await zeroconf.async_close()  # which takes all back that it has announced
        except (OSError, ZeroconfError) as error:
            _log.warning("the announcement was not withdrawn", reason=str(error))


def _network_addresses() -> list[str]:
    """The IPv4 address of this machine in the network that announcements go to; none where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_MDNS_GROUP, 1))  # sends nothing
        except OSError:
            return []
        address: str = probe.getsockname()[0]
    return [] if ipaddress.ip_address(address).is_loopback else [address]


def _own_name() -> str:
    """One label, since a dot would part it: the machine's name without what follows its first dot."""
    host = socket.gethostname().partition(".")[0]
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in host).strip("-")
    return f"rtap-{plain}"[:_MAX_NAME].rstrip("-")
