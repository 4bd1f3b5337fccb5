"""rtap.transports.wyoming.speech: sound in, one text out, in parts as it grows."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.event import Event

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.pcm16 import to_pcm16
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import Transcript as Said
from rtap.transports.api_errors import ApiError
from rtap.transports.wyoming.package import AudioChunk, AudioStart, AudioStop
from rtap.transports.wyoming.speech import MAX_UNANSWERED, options_for
from rtap.whisper.result import Transcription
from rtap.whisper.transcribe import TranscribeOptions
from tests.backend.transports.scripted_service import (
    FACTS,
    ScriptedService,
    heard,
    scripted_service,
    tone,
)
from tests.backend.transports.serving import wait_until_still
from tests.backend.transports.wyoming.wyoming_serving import (
    CONFIG,
    SILENCE,
    chunks,
    error_of,
    limited,
    receive,
    receive_until,
    run,
    say,
    send,
    serving,
    until,
)

TWO = np.concatenate([tone(1.0), SILENCE, tone(2.0), SILENCE])


def texts(events: list[Event]) -> list[str]:
    return [event.data["text"] for event in events if event.type == "transcript-chunk"]


def test_the_parts_of_a_text_are_the_text() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            with served.service.bus.subscribe() as published:
                await say(client, TWO, Transcribe(language="de"))
                events = await receive_until(client, "transcript-stop")
                on_the_bus = published.take()
        kinds = [event.type for event in events]
        assert kinds[0] == "transcript-start"
        assert kinds[1:-2] == ["transcript-chunk"] * 2
        assert kinds[-2:] == ["transcript", "transcript-stop"]
        assert events[0].data["language"] == "de"
        final = Transcript.from_event(events[-2])
        assert final.language == "de"
        assert final.text == "".join(texts(events))
        # Two utterances, with their margins.
        assert re.fullmatch(
            r"somebody spoke for 1\.\d seconds somebody spoke for 2\.\d seconds", final.text
        )
        said = [event for event in on_the_bus if isinstance(event, Said)]
        assert [event.source for event in said] == ["stream", "stream"]
        assert served.service.engine.options is not None
        assert served.service.engine.options.language == "de"

    run(test)


def test_a_part_comes_before_the_sound_ends() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, np.concatenate([tone(1.0), SILENCE]), end=False)
            first = await receive_until(client, "transcript-chunk")
            assert [event.type for event in first] == ["transcript-start", "transcript-chunk"]
            await send(client, *chunks(tone(2.0)), AudioStop())
            rest = await receive_until(client, "transcript-stop")
            final = Transcript.from_event(rest[-2])
            assert final.text == "".join(texts(first + rest))
            assert len(texts(rest)) == 1

    run(test)


def test_the_end_of_the_sound_is_heard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def measure(samples: Samples, _: TranscribeOptions) -> Transcription:
        sizes.append(samples.size)
        return heard("all", samples.size / SAMPLE_RATE, "en")

    async def test() -> None:
        async with serving() as served, served.client() as client:
            monkeypatch.setattr(served.service.engine, "transcribe", measure)
            # Too quiet for the detector, so that all of it goes to the model as it is.
            pcm = to_pcm16(tone(1.5, level=0.005, rate=8_000)).tobytes()
            await send(client, AudioStart(8_000, 2, 1), AudioChunk(8_000, 2, 1, pcm), AudioStop())
            await receive_until(client, "transcript-stop")

    run(test)
    assert sizes == [pytest.approx(1.5 * SAMPLE_RATE, abs=2)]


def test_languages_without_spaces_are_joined_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(samples: Samples, _: TranscribeOptions) -> Transcription:
        return heard("你好", samples.size / SAMPLE_RATE, "zh")

    async def test() -> None:
        async with serving() as served, served.client() as client:
            monkeypatch.setattr(served.service.engine, "transcribe", speak)
            await say(client, TWO)
            events = await receive_until(client, "transcript-stop")
            assert Transcript.from_event(events[-2]) == Transcript("你好你好", language="zh")

    run(test)


def test_speech_that_the_detector_misses_is_heard_all_the_same() -> None:
    quiet = tone(1.5, level=0.005)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            with served.service.bus.subscribe() as published:
                await say(client, quiet)
                events = await receive_until(client, "transcript-stop")
                (said,) = published.take()
        assert Transcript.from_event(events[-2]).text == "somebody spoke for 1.5 seconds"
        assert isinstance(said, Said)
        assert said.text == "somebody spoke for 1.5 seconds"

    run(test)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(SAMPLE_RATE, np.float32),
        np.zeros(0, np.float32),
        tone(0.05, level=0.005),
        tone(31.0, level=0.005),
    ],
    ids=["silence", "nothing", "too short", "half a minute without speech"],
)
def test_where_nothing_was_said_there_is_an_empty_text(sound: Samples) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, sound)
            events = await receive_until(client, "transcript-stop")
            kinds = [event.type for event in events]
            assert kinds == ["transcript-start", "transcript", "transcript-stop"]
            assert Transcript.from_event(events[1]).text == ""
            assert served.service.engine.utterances == 0

    run(test)


def test_what_a_model_invents_in_silence_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def invent(samples: Samples, _: TranscribeOptions) -> Transcription:
        made = heard("Thanks for watching!", samples.size / SAMPLE_RATE, "en")
        unsure = replace(made.segments[0], average_log_probability=-1.2)
        return replace(made, segments=(unsure,))

    async def test() -> None:
        async with serving() as served, served.client() as client:
            monkeypatch.setattr(served.service.engine, "transcribe", invent)
            with served.service.bus.subscribe() as published:
                await say(client, tone(1.5, level=0.005))
                events = await receive_until(client, "transcript-stop")
                assert published.take() == []
        assert Transcript.from_event(events[-2]).text == ""

    run(test)


def test_sound_waits_while_the_model_is_behind() -> None:
    many = np.concatenate([tone(0.4), SILENCE] * 12)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.engine.gate.clear()
            await say(client, many)
            await until(lambda: len(served.service.sessions) == 1)
            (session,) = served.service.sessions
            await asyncio.to_thread(wait_until_still, lambda: session._received)
            assert session._received < (MAX_UNANSWERED + 1) * 1.5 * SAMPLE_RATE
            served.service.engine.gate.set()
            events = await receive_until(client, "transcript-stop")
            assert len(texts(events)) == 12

    run(test)


@pytest.mark.parametrize("level", [0.3, 0.005], ids=["heard", "missed by the detector"])
def test_a_model_that_fails(level: float) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.engine.error = ConfigurationError("this model does not translate")
            await say(client, tone(1.0, level))
            error = await error_of(client)
            assert (error.code, error.text) == ("bad_option", "this model does not translate")
            served.service.engine.error = RuntimeError("secret")
            await say(client, tone(1.0, level))
            error = await error_of(client)
            assert error.code == "failed"
            assert "try again" in error.text
            served.service.engine.error = None
            await send(client, AudioStart(SAMPLE_RATE, 2, 1), *chunks(tone(1.0)), AudioStop())
            assert await receive_until(client, "transcript-stop")

    run(test)


def test_a_queue_that_is_full() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.stt._max_utterances = 0
            await say(client, tone(1.0))
            error = await error_of(client)
            assert error.code == "queue_full"
            assert "pause" in error.text

    run(test)


def test_a_model_that_is_lost_meanwhile() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.engine.gate.clear()
            await say(client, tone(1.0))
            await until(served.service.engine.asked.is_set)
            served.service.stt.failure = "no speech model is loaded: restart"
            served.service.engine.error = PipelineError("failed")
            served.service.engine.gate.set()
            await say(client, tone(1.0))
            error = await error_of(client)
            assert (error.code, error.text) == ("not_ready", "no speech model is loaded: restart")

    run(test)


def test_sound_may_not_go_on_for_ever() -> None:
    async def test() -> None:
        async with serving(limited(max_audio_seconds=3)) as served, served.client() as client:
            await say(client, np.tile(tone(1.0), 4))
            error = await error_of(client)
            assert error.code == "too_long"
            assert "limits.max_audio_seconds" in error.text
            await until(lambda: served.metric('rtap_streams_open{transport="wyoming"} 0.0'))

    run(test)


def test_who_leaves_takes_its_speech_along() -> None:
    async def test() -> None:
        async with serving() as served:
            served.service.engine.gate.clear()
            async with served.client() as client:
                await say(client, np.concatenate([tone(1.0), SILENCE] * 3), end=False)
                await until(served.service.engine.asked.is_set)
            await until(lambda: served.server.open_clients == 0)
            (session,) = served.service.sessions
            assert session._closed
            assert served.metric('rtap_streams_open{transport="wyoming"} 0.0')

    run(test)


def test_no_session_is_kept() -> None:
    sessions: list[Any] = []

    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, TWO)
            await receive_until(client, "transcript-stop")
            await say(client, TWO)
            await receive_until(client, "transcript-stop")
            sessions.extend(served.service.sessions)

    run(test)
    assert [one._closed for one in sessions] == [True, True]
    assert all(one.session_id != other.session_id for one, other in pairwise(sessions))


class TestOptions:
    @pytest.fixture
    def service(self) -> Any:
        with scripted_service(CONFIG) as service:
            yield service

    @pytest.mark.parametrize("language", [None, "", "auto", " Auto "])
    def test_nothing_is_what_is_configured(
        self, service: ScriptedService, language: str | None
    ) -> None:
        assert options_for(service, None, language) == service.options()

    @pytest.mark.parametrize("language", ["de", "de-AT", "de_DE"])
    def test_regions_are_left_out(self, service: ScriptedService, language: str) -> None:
        assert options_for(service, None, language).language == "de"

    @pytest.mark.parametrize("language", ["xx", "xx-YY", "x" * 64])
    def test_what_is_no_language(self, service: ScriptedService, language: str) -> None:
        with pytest.raises(ConfigurationError, match="use en or de"):
            options_for(service, None, language)

    def test_a_language_that_the_model_does_not_know(self, service: ScriptedService) -> None:
        service.facts = replace(FACTS, languages=("en",))
        with pytest.raises(
            ConfigurationError, match="cabin-en does not know 'de': transcribe in en"
        ):
            options_for(service, None, "de")
        service.facts = replace(FACTS, languages=())
        with pytest.raises(ConfigurationError, match="transcribe in en"):
            options_for(service, None, "de")
        assert options_for(service, None, "en").language == "en"

    def test_models(self, service: ScriptedService) -> None:
        assert options_for(service, "cabin-en", None) == service.options()
        with pytest.raises(ConfigurationError, match="the model is cabin-en, not base"):
            options_for(service, "base", None)

    def test_no_model_yet(self) -> None:
        with (
            scripted_service(CONFIG, start=False) as service,
            pytest.raises(ApiError, match="being loaded") as raised,
        ):
            options_for(service, None, None)
        assert raised.value.code == "not_ready"


def test_no_model_yet_over_the_wire() -> None:
    async def test() -> None:
        async with serving(start=False) as served, served.client() as client:
            await say(client, tone(0.5))
            assert (await error_of(client)).code == "not_ready"
            served.service.stt.start()
            await until(served.service.stt.ready.is_set)
            await say(client, tone(0.5))
            while (await receive(client)).type != "transcript":
                pass

    run(test)
