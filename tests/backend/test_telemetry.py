"""Every metric is there under its documented name, and counts what it says."""

from __future__ import annotations

import platform
import subprocess
import sys
import time

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from rtap import __version__
from rtap.events import State
from rtap.telemetry import Telemetry
from tests.deadlines import SOON

# As specified, with the labels of each.
SPECIFIED = {
    ("rtap_pipeline_latency_seconds", "histogram"): {"stage"},
    ("rtap_frames_processed", "counter"): {"stage"},
    ("rtap_stage_processing_time_seconds", "histogram"): {"stage"},
    ("rtap_buffer_utilization_ratio", "gauge"): {"buffer"},
    ("rtap_memory_usage_bytes", "gauge"): set(),
    ("rtap_cpu_usage_percent", "gauge"): set(),
    ("rtap_errors", "counter"): {"stage", "error_type"},
    ("rtap_state_transitions", "counter"): {"from", "to"},
}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def value(telemetry: Telemetry, name: str, /, **labels: str) -> float | None:
    for family in text_string_to_metric_families(telemetry.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def use_everything(telemetry: Telemetry) -> None:
    with telemetry.stage("stt"), telemetry.stream("stream"), telemetry.subscriber("zmq"):
        telemetry.frame("capture")
    telemetry.frames_dropped("capture")
    telemetry.latency("stt", 0.1)
    telemetry.buffer("audio", 0.5)
    telemetry.watch_queue("files", lambda: 3)
    telemetry.error("wakeword", "timeout")
    telemetry.transition(State.IDLE, State.LISTENING)
    telemetry.wake_word("hey_mycroft")
    telemetry.utterance("microphone", duration=2.0, inference_time=0.5, latency=0.7)
    telemetry.speculation(used=True)
    telemetry.events_sent("zmq")
    telemetry.events_dropped("zmq", 2)
    telemetry.request("/transcribe", 200, 0.4)
    telemetry.model("cabin-en", "int8", 1_000, "1.27.0")
    telemetry.ready(ready=True)


def test_specified_names_and_labels(telemetry: Telemetry) -> None:
    use_everything(telemetry)
    found = {}
    for family in text_string_to_metric_families(telemetry.exposition().decode()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[family.name, family.type] = labels
    assert SPECIFIED.items() <= found.items()
    assert all(name.startswith("rtap_") for name, _ in found)


def test_buckets_of_the_specification(telemetry: Telemetry) -> None:
    telemetry.latency("stt", 0.17)
    name = "rtap_pipeline_latency_seconds_bucket"
    assert value(telemetry, name, stage="stt", le="0.15") == 0
    assert value(telemetry, name, stage="stt", le="0.2") == 1


def test_stage_times_and_counts(telemetry: Telemetry) -> None:
    for _ in range(3):
        with telemetry.stage("vad"):
            pass
    assert value(telemetry, "rtap_frames_processed_total", stage="vad") == 3
    assert value(telemetry, "rtap_stage_processing_time_seconds_count", stage="vad") == 3
    spent = value(telemetry, "rtap_stage_processing_time_seconds_sum", stage="vad")
    assert spent is not None
    assert 0 < spent < SOON


def test_a_stage_that_fails_is_timed_and_not_counted(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="broken"), telemetry.stage("vad"):
        raise ValueError("broken")
    assert value(telemetry, "rtap_stage_processing_time_seconds_count", stage="vad") == 1
    assert value(telemetry, "rtap_frames_processed_total", stage="vad") is None


def test_counts_and_levels(telemetry: Telemetry) -> None:
    use_everything(telemetry)
    telemetry.frame("capture", 4)
    telemetry.watch_queue("files", lambda: 1)
    assert value(telemetry, "rtap_frames_processed_total", stage="capture") == 5
    assert value(telemetry, "rtap_frames_dropped_total", stage="capture") == 1
    assert value(telemetry, "rtap_buffer_utilization_ratio", buffer="audio") == 0.5
    assert value(telemetry, "rtap_queue_depth", queue="files") == 1
    assert value(telemetry, "rtap_errors_total", stage="wakeword", error_type="timeout") == 1
    assert value(telemetry, "rtap_wake_words_total", name="hey_mycroft") == 1
    assert value(telemetry, "rtap_events_sent_total", transport="zmq") == 1
    assert value(telemetry, "rtap_events_dropped_total", transport="zmq") == 2
    assert value(telemetry, "rtap_requests_total", endpoint="/transcribe", status="200") == 1
    assert value(telemetry, "rtap_ready") == 1


def test_state(telemetry: Telemetry) -> None:
    telemetry.transition(State.IDLE, State.LISTENING)
    telemetry.transition(State.LISTENING, State.PROCESSING)
    labels = {"from": "LISTENING", "to": "PROCESSING"}
    assert value(telemetry, "rtap_state_transitions_total", **labels) == 1
    current = {state: value(telemetry, "rtap_state", state=state.value) for state in State}
    assert current == {state: float(state is State.PROCESSING) for state in State}


def test_utterances(telemetry: Telemetry) -> None:
    telemetry.utterance("microphone", duration=2.0, inference_time=0.5, latency=0.72)
    telemetry.utterance("file", duration=0.0, inference_time=0.1)
    assert value(telemetry, "rtap_utterances_total", source="microphone") == 1
    assert value(telemetry, "rtap_audio_seconds_total", source="microphone") == 2
    assert value(telemetry, "rtap_inference_seconds_sum", source="microphone") == 0.5
    assert value(telemetry, "rtap_real_time_factor_sum", source="microphone") == 0.25
    name = "rtap_end_of_speech_latency_seconds_bucket"
    assert value(telemetry, name, source="microphone", le="0.7") == 0
    assert value(telemetry, name, source="microphone", le="0.8") == 1
    # Not live, and no audio to divide by.
    assert value(telemetry, "rtap_real_time_factor_count", source="file") is None
    assert value(telemetry, "rtap_end_of_speech_latency_seconds_count", source="file") is None


def test_speculations(telemetry: Telemetry) -> None:
    name = "rtap_speculations_total"
    assert value(telemetry, name, outcome="used") == 0
    assert value(telemetry, name, outcome="wasted") == 0
    for used in (True, True, False):
        telemetry.speculation(used)
    assert value(telemetry, name, outcome="used") == 2
    assert value(telemetry, name, outcome="wasted") == 1


def test_clients_are_counted_while_they_stay(telemetry: Telemetry) -> None:
    with telemetry.stream("stream"), telemetry.stream("stream"), telemetry.subscriber("websocket"):
        assert value(telemetry, "rtap_streams_open", transport="stream") == 2
        assert value(telemetry, "rtap_subscribers", transport="websocket") == 1
    assert value(telemetry, "rtap_streams_open", transport="stream") == 0
    assert value(telemetry, "rtap_subscribers", transport="websocket") == 0


def test_program_and_model(telemetry: Telemetry) -> None:
    telemetry.model("first", "fp32", 1, "1.27.0")
    telemetry.model("second", "int8", 1_000, "1.27.0")
    text = telemetry.exposition().decode()
    assert f'version="{__version__}"' in text
    model = {"name": "second", "precision": "int8", "parameters": "1000", "onnx_runtime": "1.27.0"}
    assert value(telemetry, "rtap_model_info", **model) == 1
    assert "first" not in text


@pytest.mark.parametrize("system", ["1.0.0 (20261101093000, release)", None])
def test_the_version_of_the_system(system: str | None) -> None:
    program = {"version": __version__, "python": platform.python_version()}
    one = Telemetry(system=system)
    assert one.system == system
    assert value(one, "rtap_build_info", **program, system=system or "") == 1


def test_processor_time_since_the_last_scrape(telemetry: Telemetry) -> None:
    begin = time.process_time()
    while time.process_time() < begin + 0.05:  # the kernel counts in steps of 0.01 s
        pass
    used = value(telemetry, "rtap_cpu_usage_percent")
    assert used is not None
    assert used > 0


def test_memory_is_read_at_each_scrape(telemetry: Telemetry) -> None:
    before = value(telemetry, "rtap_memory_usage_bytes")
    block = bytearray(64 << 20)
    block[::4096] = b"x" * len(block[::4096])
    after = value(telemetry, "rtap_memory_usage_bytes")
    assert before is not None
    assert after is not None
    assert after - before > 32 << 20


def test_two_do_not_mix() -> None:
    one, other = Telemetry(), Telemetry(CollectorRegistry())
    one.error("stt", "ModelError")
    assert value(other, "rtap_errors_total", stage="stt", error_type="ModelError") is None


def test_help_waits_for_none_of_it() -> None:
    program = """
import sys
from rtap.__main__ import build_parser
build_parser().format_help()
print({"prometheus_client", "fastapi", "zmq", "structlog", "websockets", "pydantic"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
