"""What one client may take: requests a minute, bytes of an upload, seconds of audio. Pure: reads no clock."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from rtap.transports.api_errors import ApiError

if TYPE_CHECKING:
    from rtap.config import LimitsConfig

MEGABYTE: Final = 1_000_000
MULTIPART_OVERHEAD: Final = 65_536
"""Bytes that boundaries, part headers and the other fields may add to a file."""
SHORTEST_AUDIO: Final = 0.1
"""Seconds. There is no word in less."""
DEAREST_SECOND: Final = 2 * 48_000
"""Samples in a second of the longest audio that is taken: stereo at 48 kHz, as recorders make it. What has
more (192 kHz with 8 channels has 16 times as many) takes as much longer to decode, and may last as much
shorter."""
_MOST_CLIENTS: Final = 4_096


class RateLimiter:
    """A token bucket for each client: a minute's requests at once, then one at a time as they come back.

    Args:
        per_minute: 0 lets everything pass.
        most_clients: how many are remembered; the one that was silent longest is forgotten first.
    """

    def __init__(self, per_minute: int, most_clients: int = _MOST_CLIENTS) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60
        self._most_clients = most_clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Client: tokens, and when they were counted. The client heard of last stands last."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float) -> float:
        """Take a token.

        Args:
            client: its address.
            now: seconds on any clock that never goes back.

        Returns:
            0.0 when the request may pass, else the seconds until the next one may.
        """
        if not self._rate:
            return 0.0
        tokens, counted = self._buckets.get(client, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - counted) * self._rate)
        passes = tokens >= 1.0
        self._buckets[client] = (tokens - 1.0 if passes else tokens, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._most_clients:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1.0 - tokens) / self._rate

    def check(self, client: str, now: float) -> None:
        """As :meth:`take`.

        Raises:
            ApiError: 429, with ``Retry-After``.
        """
        wait = self.take(client, now)
        if wait:
            raise ApiError(
                429,
                "rate_limited",
                f"more than {self._capacity:.0f} requests in a minute: "
                f"try again in {math.ceil(wait)} s, or raise limits.requests_per_minute",
                retry_after=wait,
            )


def check_length(content_length: str | None, most: int, too_large: ApiError) -> None:
    """Refuse a body by its Content-Length, before any of it is read.

    Args:
        most: bytes that may come.

    Raises:
        ApiError: the given one if it is too long, 400 if it is no length.
    """
    if content_length is None:
        return
    # int() takes signs, blanks, underscores and other scripts' digits; HTTP takes none of them.
    if not (content_length.isascii() and content_length.isdecimal()):
        raise ApiError(400, "bad_request", "Content-Length is not a number: leave it out")
    # What has more digits than this is too long without being converted.
    if len(content_length) > 18 or int(content_length) > most:
        raise too_large


class ByteCount:
    """Counts a body while it comes in.

    Args:
        most: bytes that may come.
        limit_mb: what the limit is called towards the client, in megabytes.
    """

    def __init__(self, most: int, limit_mb: int) -> None:
        self._most = most
        self._limit_mb = limit_mb
        self._count = 0

    def check_declared(self, content_length: str | None) -> None:
        """Refuse a body by its Content-Length, before any of it is read.

        Raises:
            ApiError: 413 if it is too long, 400 if it is no length.
        """
        check_length(content_length, self._most, self._too_large())

    def add(self, size: int) -> None:
        """Count bytes that came in.

        Raises:
            ApiError: 413: there are more than may be.
        """
        self._count += size
        if self._count > self._most:
            raise self._too_large()

    def _too_large(self) -> ApiError:
        return ApiError(
            413,
            "too_large",
            f"the audio is larger than {self._limit_mb} MB: send it in parts, compress it as FLAC or OGG, "
            f"or raise limits.max_upload_mb",
        )


def multipart_count(limits: LimitsConfig) -> ByteCount:
    """For a body with a file in it."""
    return ByteCount(limits.max_upload_mb * MEGABYTE + MULTIPART_OVERHEAD, limits.max_upload_mb)


def base64_count(limits: LimitsConfig) -> ByteCount:
    """For a JSON body with audio in Base64: a third longer than the audio, and it may have line ends."""
    encoded = -(-limits.max_upload_mb * MEGABYTE // 3) * 4
    return ByteCount(encoded + encoded // 38 + MULTIPART_OVERHEAD, limits.max_upload_mb)


def check_not_too_long(seconds: float, limits: LimitsConfig) -> None:
    """Refuse long audio, as soon as its length is known or read so far.

    Raises:
        ApiError: 413.
    """
    if seconds > limits.max_audio_seconds:
        raise ApiError(
            413,
            "too_long",
            f"the audio is longer than {limits.max_audio_seconds} s: send it in parts, or raise "
            f"limits.max_audio_seconds",
        )


def check_not_too_short(seconds: float) -> None:
    """Refuse audio without room for a word.

    Raises:
        ApiError: 400.
    """
    if seconds < SHORTEST_AUDIO:
        raise ApiError(
            400,
            "too_short",
            f"the audio lasts {seconds * 1000:.0f} ms: send {SHORTEST_AUDIO * 1000:.0f} ms or more",
        )


def most_values(limits: LimitsConfig) -> int:
    """Samples, those of every channel counted, that one file may have."""
    return limits.max_audio_seconds * DEAREST_SECOND
