"""rtap.transports.stream.outbox: what is lost first, and what never."""

from rtap.transports.schemas import (
    SpeechStartedMessage,
    StreamEnd,
    StreamError,
    StreamFinal,
    StreamPartial,
)
from rtap.transports.stream.outbox import Outbox, OutMessage


def partial(text: str) -> StreamPartial:
    return StreamPartial(text=text, timestamp=0.0, session_id="s", utterance_id="u")


def final(text: str) -> StreamFinal:
    return StreamFinal(
        text=text,
        timestamp=0.0,
        session_id="s",
        utterance_id="u",
        language="en",
        language_probability=1,
        duration=1,
        inference_time=0,
        latency=0,
        confidence=1,
    )


STARTED = SpeechStartedMessage(timestamp=0.0, session_id="s")
ERROR = StreamError(timestamp=0.0, code="bad_audio", message="bad")
END = StreamEnd(timestamp=0.0, session_id="s")


def filled(capacity: int, *messages: OutMessage) -> Outbox:
    outbox = Outbox(lambda: None, capacity)
    for message in messages:
        outbox.put(message)
    return outbox


def taken(outbox: Outbox) -> list[OutMessage]:
    return list(iter(outbox.take, None))


def test_order_is_kept():
    messages: list[OutMessage] = [STARTED, partial("a"), final("a"), END]
    assert taken(filled(8, *messages)) == messages


def test_the_oldest_partial_goes_first():
    outbox = filled(3, STARTED, partial("a"), partial("b"), final("c"))
    assert taken(outbox) == [STARTED, partial("b"), final("c")]
    assert outbox.dropped == 1


def test_without_partials_other_news_go_and_errors_last():
    assert taken(filled(2, ERROR, STARTED, final("a"))) == [ERROR, final("a")]
    assert taken(filled(1, ERROR, final("a"))) == [final("a")]


def test_finals_and_the_end_are_never_lost():
    messages: list[OutMessage] = [*(final(str(number)) for number in range(10)), END]
    outbox = filled(2, *messages)
    assert outbox.is_full
    assert outbox.dropped == 0
    assert taken(outbox) == messages
    assert not outbox.is_full


def test_a_partial_finds_no_place_among_finals():
    assert taken(filled(2, final("a"), final("b"), partial("c"))) == [final("a"), final("b")]


def test_every_message_is_told():
    told = []
    outbox = Outbox(lambda: told.append(1), 1)
    outbox.put(final("a"))
    outbox.put(final("b"))
    assert len(told) == 2
