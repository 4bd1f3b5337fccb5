"""rtap.transports.admission.limits: what one client may take."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtap.config import LimitsConfig
from rtap.transports.admission.limits import (
    ByteCount,
    RateLimiter,
    base64_count,
    check_not_too_long,
    check_not_too_short,
    multipart_count,
)
from rtap.transports.api_errors import ApiError

LIMITS = LimitsConfig(max_upload_mb=1, max_audio_seconds=60)


def status(call, *arguments: object) -> int:
    with pytest.raises(ApiError) as raised:
        call(*arguments)
    return raised.value.status


def test_a_minutes_requests_may_come_at_once_and_one_more_may_not():
    limiter = RateLimiter(per_minute=3)
    assert [limiter.take("a", now=0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("a", now=0.0) == pytest.approx(20.0)


def test_tokens_come_back_with_time():
    limiter = RateLimiter(per_minute=60)
    for _ in range(60):
        limiter.take("a", now=0.0)
    assert limiter.take("a", now=0.5) == pytest.approx(0.5)
    assert limiter.take("a", now=1.0) == 0.0
    assert limiter.take("a", now=1.0) > 0.0


def test_waiting_long_does_not_save_up_more_than_a_minute():
    limiter = RateLimiter(per_minute=2)
    limiter.take("a", now=0.0)
    assert [limiter.take("a", now=3600.0) > 0 for _ in range(3)] == [False, False, True]


def test_clients_do_not_share_a_bucket():
    limiter = RateLimiter(per_minute=1)
    limiter.take("a", now=0.0)
    assert limiter.take("b", now=0.0) == 0.0
    assert limiter.take("a", now=0.0) > 0.0


def test_no_limit_remembers_nobody():
    limiter = RateLimiter(per_minute=0)
    assert all(limiter.take("a", now=0.0) == 0.0 for _ in range(1000))
    assert len(limiter) == 0


def test_the_client_silent_for_longest_is_forgotten():
    limiter = RateLimiter(per_minute=1, most_clients=2)
    for client, now in (("a", 0.0), ("b", 1.0), ("a", 2.0), ("c", 3.0)):
        limiter.take(client, now)
    assert len(limiter) == 2
    assert limiter.take("a", now=4.0) > 0.0  # remembered
    assert limiter.take("b", now=4.0) == 0.0  # forgotten


def test_refusal_says_when_to_come_back():
    limiter = RateLimiter(per_minute=2)
    limiter.check("a", 0.0)
    limiter.check("a", 0.0)
    with pytest.raises(ApiError, match=r"try again in 30 s") as raised:
        limiter.check("a", 0.0)
    assert raised.value.status == 429
    assert raised.value.headers["Retry-After"] == "30"


@settings(max_examples=30)
@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60),
)
def test_no_minute_sees_more_than_twice_the_limit(per_minute, requests):
    limiter = RateLimiter(per_minute)
    now = 0.0
    passed: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for client, pause in requests:
        now += pause
        if limiter.take(client, now) == 0.0:
            passed[client].append(now)
    for times in passed.values():
        for first in times:
            assert sum(first <= one < first + 60 for one in times) <= 2 * per_minute


@pytest.mark.parametrize("length", ["1000", "0", None, "0010"])
def test_a_declared_length_within_the_limit_passes(length):
    ByteCount(1000, limit_mb=1).check_declared(length)


@pytest.mark.parametrize("length", ["1001", "9" * 5000])
def test_a_declared_length_beyond_the_limit_is_refused(length):
    assert status(ByteCount(1000, limit_mb=1).check_declared, length) == 413


@pytest.mark.parametrize("length", ["", "-1", "+5", "1e3", "1_0", "٣", "²", " 5", "0x10"])
def test_a_declared_length_that_is_no_number_is_refused(length):
    assert status(ByteCount(1000, limit_mb=1).check_declared, length) == 400


def test_bytes_are_counted_over_all_chunks():
    count = ByteCount(10, limit_mb=1)
    count.add(6)
    count.add(4)
    with pytest.raises(ApiError, match="larger than 1 MB") as raised:
        count.add(1)
    assert raised.value.status == 413


def test_a_file_of_the_limit_fits_into_either_body():
    multipart_count(LIMITS).add(1_000_000 + 1000)
    base64_count(LIMITS).add(4 * 333_334 + 1000)
    wrapped = 4 * 333_334
    base64_count(LIMITS).add(wrapped + wrapped // 76 * 2)  # as `base64` prints it, with CR LF
    assert status(multipart_count(LIMITS).add, 1_100_000) == 413
    assert status(base64_count(LIMITS).add, 1_500_000) == 413


def test_lengths_of_audio():
    check_not_too_long(60.0, LIMITS)
    assert status(check_not_too_long, 60.1, LIMITS) == 413
    check_not_too_short(0.1)
    assert status(check_not_too_short, 0.05) == 400
