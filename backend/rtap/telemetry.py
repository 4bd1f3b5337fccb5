"""Every Prometheus metric of the service, behind methods that know nothing of Prometheus.

Times are seconds. A label takes few values, all of them chosen by this program: never a session, a file or
a client's words.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from rtap import __version__
from rtap.events import State

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""Of what :meth:`Telemetry.exposition` returns."""
OVERFLOW: Final = "BufferOverflowError"
"""Kind of the error that counts when sound came faster than it was worked on, and the oldest was dropped."""

# From a chunk's share of 20 ms to a long file's inference; 0.15 and 0.2 are the target and the alert.
_STAGE_BUCKETS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0),
)
# What a driver waits for. Finest where answers are as a rule: half a second of silence, and a little more.
_ANSWER_BUCKETS: Final = (
    *(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9),
    *(1.0, 1.25, 1.5, 2.0, 3.0, 5.0),
)
_INFERENCE_BUCKETS: Final = (
    0.02,
    0.05,
    0.1,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    10.0,
    30.0,
)
_RATIO_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


class Telemetry:
    """The metrics of one process. All methods may be called from any thread.

    Args:
        registry: where the metrics are kept; by default one of its own, so that several may exist.
        system: version of the device's image; None where that is not known.
    """

    def __init__(
        self, registry: CollectorRegistry | None = None, system: str | None = None
    ) -> None:
        self._registry = CollectorRegistry() if registry is None else registry
        self.system = system
        """Version of the device's image."""
        self._add_pipeline_metrics()
        self._add_speech_metrics()
        self._add_intent_metrics()
        self._add_client_metrics()
        self._add_standby_metrics()
        self._add_process_metrics()

    def _add_pipeline_metrics(self) -> None:
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        self._latency = histogram(
            "rtap_pipeline_latency_seconds",
            "Time from the capture of audio until a stage was done with it",
            ["stage"],
            buckets=_STAGE_BUCKETS,
        )
        self._processing = histogram(
            "rtap_stage_processing_time_seconds",
            "Time that a stage worked on one chunk or utterance",
            ["stage"],
            buckets=_STAGE_BUCKETS,
        )
        self._frames = counter(
            "rtap_frames_processed_total", "Chunks or utterances that a stage finished", ["stage"]
        )
        self._frames_dropped = counter(
            "rtap_frames_dropped_total", "Chunks lost because a stage was too slow", ["stage"]
        )
        self._buffer = gauge("rtap_buffer_utilization_ratio", "Filled share, 0 to 1", ["buffer"])
        self._queue = gauge("rtap_queue_depth", "Jobs that wait", ["queue"])
        self._errors = counter("rtap_errors_total", "Failures", ["stage", "error_type"])
        self._transitions = counter(
            "rtap_state_transitions_total", "Changes of the pipeline's state", ["from", "to"]
        )
        self._state = gauge("rtap_state", "1 for the state that the pipeline is in", ["state"])

    def _add_speech_metrics(self) -> None:
        counter = partial(Counter, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        self._wake_words = counter("rtap_wake_words_total", "Wake words heard", ["name"])
        self._utterances = counter("rtap_utterances_total", "Utterances transcribed", ["source"])
        self._audio = counter("rtap_audio_seconds_total", "Audio transcribed", ["source"])
        self._inference = histogram(
            "rtap_inference_seconds",
            "Time that the model took for one utterance or file",
            ["source"],
            buckets=_INFERENCE_BUCKETS,
        )
        self._ratio = histogram(
            "rtap_real_time_factor",
            "Inference time over length of the audio",
            ["source"],
            buckets=_RATIO_BUCKETS,
        )
        self._speculations = counter(
            "rtap_speculations_total",
            "Utterances transcribed at a pause: used where the pause was the end, or wasted",
            ["outcome"],
        )
        for outcome in ("used", "wasted"):
            self._speculations.labels(outcome)  # a share needs both from the beginning
        self._answer = histogram(
            "rtap_end_of_speech_latency_seconds",
            "From the last sample of speech to its transcript",
            ["source"],
            buckets=_ANSWER_BUCKETS,
        )

    def _add_intent_metrics(self) -> None:
        counter = partial(Counter, registry=self._registry)
        self._intents = counter(
            "rtap_intents_total", "Texts by the command that they are; none where they are no command",
            ["intent"],
        )  # fmt: skip
        self._actions = counter(
            "rtap_actions_total", "Commands that were to be carried out, and how that ended",
            ["intent", "outcome"],
        )  # fmt: skip
        self._action = Histogram(
            "rtap_end_of_speech_to_action_seconds",
            "From the last sample of speech until the car has done what was said, or has not",
            buckets=_ANSWER_BUCKETS,
            registry=self._registry,
        )

    def _add_client_metrics(self) -> None:
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        self._streams = gauge("rtap_streams_open", "Clients that send audio", ["transport"])
        self._subscribers = gauge("rtap_subscribers", "Clients that get events", ["transport"])
        self._sent = counter("rtap_events_sent_total", "Events sent", ["transport"])
        self._events_dropped = counter(
            "rtap_events_dropped_total", "Events lost because a subscriber was slow", ["transport"]
        )
        self._requests = counter("rtap_requests_total", "HTTP requests", ["endpoint", "status"])
        self._request_time = Histogram(
            "rtap_request_seconds",
            "Time from an HTTP request to its reply",
            ["endpoint"],
            buckets=_INFERENCE_BUCKETS,
            registry=self._registry,
        )

    def _add_standby_metrics(self) -> None:
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        self._publishing = gauge(
            "rtap_standby_publishing", "1 while this instance publishes what its microphone hears"
        )
        # Who is alone always does.
        self._publishing.set(1)
        self._peer_connected = gauge(
            "rtap_standby_peer_connected", "1 while the other instance is heard"
        )
        self._heartbeat_age = gauge(
            "rtap_standby_heartbeat_age_seconds",
            "Time since the other instance was heard; NaN where it never was",
        )
        self._heartbeat_age.set(float("nan"))
        self._takeovers = counter(
            "rtap_standby_takeovers_total", "Times that this instance began to publish"
        )
        self._handbacks = counter(
            "rtap_standby_handbacks_total", "Times that this instance left it to the other one"
        )
        self._withheld = counter(
            "rtap_standby_withheld_total", "Transcripts that were the other instance's to publish"
        )

    def _add_process_metrics(self) -> None:
        gauge = partial(Gauge, registry=self._registry)
        process = psutil.Process()
        # The first reading opens the interval that the first scrape closes.
        process.cpu_percent()
        memory = gauge("rtap_memory_usage_bytes", "Resident memory of this process")
        memory.set_function(lambda: float(process.memory_info().rss))
        cpu = gauge(
            "rtap_cpu_usage_percent", "Processor time since the last scrape, 100 is one core"
        )
        cpu.set_function(lambda: float(process.cpu_percent()))
        self._ready = gauge("rtap_ready", "1 once the model is loaded and requests are served")
        self._model = Info("rtap_model", "The model in use", registry=self._registry)
        build = Info("rtap_build", "This program, and the device's image", registry=self._registry)
        build.info(
            {
                "version": __version__,
                "python": platform.python_version(),
                # To Prometheus an empty label is none.
                "system": self.system or "",
            }
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage's work on one chunk or utterance, and count it unless it raises.

        Whoever handles what it raises reports it with :meth:`error`.
        """
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._processing.labels(name).observe(time.perf_counter() - begin)
        self._frames.labels(name).inc()

    def frame(self, stage: str, count: int = 1) -> None:
        """Count chunks of a stage that is not timed by :meth:`stage`, such as the capture."""
        self._frames.labels(stage).inc(count)

    def frames_dropped(self, stage: str, count: int = 1) -> None:
        """Count chunks that were lost before a stage saw them."""
        self._frames_dropped.labels(stage).inc(count)

    def latency(self, stage: str, seconds: float) -> None:
        """Note how old audio was when a stage was done with it."""
        self._latency.labels(stage).observe(seconds)

    def buffer(self, name: str, utilization: float) -> None:
        """Say how full a buffer is, 0 to 1."""
        self._buffer.labels(name).set(utilization)

    def watch_queue(self, name: str, depth: Callable[[], int]) -> None:
        """Ask at each scrape how many jobs wait in a queue."""
        self._queue.labels(name).set_function(lambda: float(depth()))

    def error(self, stage: str, kind: str) -> None:
        """Count a failure; the kind is an exception's name, OVERFLOW or a word such as ``timeout``."""
        self._errors.labels(stage, kind).inc()

    def transition(self, previous: State, state: State) -> None:
        """Count a change of the pipeline's state."""
        self._transitions.labels(previous.value, state.value).inc()
        for one in State:
            self._state.labels(one.value).set(one is state)

    def wake_word(self, name: str) -> None:
        """Count a wake word."""
        self._wake_words.labels(name).inc()

    def utterance(
        self, source: str, *, duration: float, inference_time: float, latency: float | None = None
    ) -> None:
        """Note what was transcribed.

        Args:
            source: ``microphone``, ``stream`` or ``file``.
            duration: seconds of audio.
            inference_time: seconds in the model.
            latency: seconds from the end of speech to the transcript; None for what was not live.
        """
        self._utterances.labels(source).inc()
        self._audio.labels(source).inc(duration)
        self._inference.labels(source).observe(inference_time)
        if duration > 0:
            self._ratio.labels(source).observe(inference_time / duration)
        if latency is not None:
            self._answer.labels(source).observe(latency)

    def intent(self, name: str | None) -> None:
        """Count a text that was understood as this command of the grammar, or as none."""
        self._intents.labels(name or "none").inc()

    def action(self, intent: str, outcome: str) -> None:
        """Count a command that was to be carried out, and how that ended."""
        self._actions.labels(intent, outcome).inc()

    def acted_after(self, seconds: float) -> None:
        """Note the time from the end of speech until its command was carried out."""
        self._action.observe(seconds)

    def speculation(self, used: bool) -> None:  # noqa: FBT001 (an outcome)
        """Count an inference that was made at a pause, before it was sure that it is the end of speech."""
        self._speculations.labels("used" if used else "wasted").inc()

    def standby_publishing(self, *, publishing: bool, counted: bool = True) -> None:
        """Say whether this one of two instances publishes; counted unless it is how it began."""
        self._publishing.set(publishing)
        if counted:
            (self._takeovers if publishing else self._handbacks).inc()

    def standby_peer(self, age: float | None, connected: bool) -> None:  # noqa: FBT001 (a reading)
        """Say how long ago, in seconds, the other instance was heard; None: never."""
        self._heartbeat_age.set(float("nan") if age is None else age)
        self._peer_connected.set(connected)

    def standby_withheld(self, count: int) -> None:
        """Count transcripts that were not published because the other instance publishes them."""
        self._withheld.inc(count)

    @contextmanager
    def stream(self, transport: str) -> Iterator[None]:
        """Count a client among those that send audio, for as long as it does."""
        with self._streams.labels(transport).track_inprogress():
            yield

    @contextmanager
    def subscriber(self, transport: str) -> Iterator[None]:
        """Count a client among those that get events, for as long as it is connected."""
        with self._subscribers.labels(transport).track_inprogress():
            yield

    def events_sent(self, transport: str, count: int = 1) -> None:
        """Count events that were handed to the network."""
        self._sent.labels(transport).inc(count)

    def events_dropped(self, transport: str, count: int) -> None:
        """Count events that a slow subscriber lost."""
        self._events_dropped.labels(transport).inc(count)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Note an HTTP request; the endpoint is the route's pattern, never the path asked for."""
        self._requests.labels(endpoint, str(status)).inc()
        self._request_time.labels(endpoint).observe(seconds)

    def model(self, name: str, precision: str, parameters: int, runtime: str) -> None:
        """Say which model is loaded, and the version of ONNX Runtime that runs it."""
        self._model.info(
            {
                "name": name,
                "precision": precision,
                "parameters": str(parameters),
                "onnx_runtime": runtime,
            }
        )

    def ready(self, *, ready: bool) -> None:
        """Say whether requests are served."""
        self._ready.set(ready)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, of type :data:`CONTENT_TYPE`."""
        return generate_latest(self._registry)
