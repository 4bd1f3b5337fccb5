"""rtap doctor: each check on a machine made of files, and what the command makes of findings."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rtap import app
from rtap.__main__ import build_parser, main
from rtap.commands import doctor
from rtap.commands.doctor import Check, Finding
from rtap.config import (
    AudioConfig,
    Config,
    LanguageConfig,
    OutputConfig,
    SttConfig,
    WakeWordConfig,
)
from rtap.errors import ConfigurationError, ModelError, PipelineError
from rtap.events import AudioChunk, Transcript
from rtap.stages import capture
from rtap.stages.language import Annotator
from tests.backend.model_directories import make_model

CONFIG = Config()
GB = 1 << 30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Takes the place of /, for the kernel's files."""
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def _packages_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_import_faults", lambda names: {})


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(*arguments: str, **checks: Check) -> int:
    return doctor.run(build_parser().parse_args(["doctor", *arguments]), checks)


def finds(verdict: Any, message: str = "said", fix: str = "") -> Check:
    return lambda config: Finding(verdict, message, fix)


def fails(error: Exception) -> Check:
    def check(config: Config) -> Finding:
        raise error

    return check


# ---- the command


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("RTAP_ENVIRONMENT", raising=False)
    return tmp_path


@pytest.mark.usefixtures("profiles")
def test_one_line_for_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    checks = {"one": finds("ok", "well"), "two": finds("warning", "slow", "`hurry`")}
    assert run(**checks) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "ok       one            well",
        "warning  two            slow: `hurry`",
    ]
    assert run(**checks, three=finds("problem", "broken\nin two", "mend it")) == 2
    assert capsys.readouterr().out.endswith("problem  three          broken in two: mend it\n")


@pytest.mark.usefixtures("profiles")
def test_a_check_that_raises_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(
        fault=fails(ModelError("no model: choose one")),
        bug=fails(ZeroDivisionError("by zero")),
        fine=finds("ok"),
    )
    assert status == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "problem  fault          no model: choose one"
    assert "the check itself failed (ZeroDivisionError: by zero)" in lines[2]
    assert lines[3].startswith("ok")


@pytest.mark.usefixtures("profiles")
def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", two=finds("problem", "slow", "hurry")) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == 1
    assert [row["check"] for row in document["checks"]] == ["configuration", "two"]
    assert document["checks"][1] == {
        "check": "two",
        "verdict": "problem",
        "message": "slow",
        "fix": "hurry",
    }


def test_a_configuration_that_will_not_do(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (profiles / "default.yaml").write_text("vad:\n  threshold: 3\n")
    seen: list[Config] = []

    def check(config: Config) -> Finding:
        seen.append(config)
        return Finding("ok", "")

    assert run(fine=check) == 2
    line = capsys.readouterr().out.splitlines()[0]
    assert "vad.threshold is 3: it must be from 0 to 1" in line
    assert "`rtap config check`" in line
    assert seen == [Config()]


def test_the_profile_is_what_is_checked(profiles: Path) -> None:
    (profiles / "car.yaml").write_text("stt:\n  num_threads: 3\n")
    seen: list[int] = []

    def check(config: Config) -> Finding:
        seen.append(config.stt.num_threads)
        return Finding("ok", "")

    assert run("--profile", "car", fine=check) == 0
    assert seen == [3]


@pytest.mark.usefixtures("profiles")
def test_logs_are_hidden_and_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    def check(config: Config) -> Finding:
        assert not logging.getLogger("rtap").isEnabledFor(logging.CRITICAL)
        return Finding("ok", "")

    assert run(fine=check) == 0
    assert logging.getLogger("rtap").isEnabledFor(logging.CRITICAL)


# ---- program and processor


def module(path: Path, name: str, code: str) -> None:
    (path / f"{name}.py").write_text(code)


def test_imports_are_tried_where_they_can_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, "well", "")
    module(tmp_path, "ill", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    module(tmp_path, "odd", "raise ImportError('no\\nluck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    faults = doctor._import_faults(("well", "ill", "odd", "nowhere_to_be_found"))
    assert faults == {
        "ill": "ends with SIGILL: it is built for another processor",
        "odd": "does not load (ImportError: no luck)",
        "nowhere_to_be_found": (
            "does not load (ModuleNotFoundError: No module named 'nowhere_to_be_found')"
        ),
    }


def test_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_import_faults", lambda names: {})
    good = doctor.check_packages(CONFIG)
    assert good.verdict == "ok"
    assert "ONNX Runtime 1." in good.message
    monkeypatch.setattr(doctor, "_import_faults", lambda names: {"onnxruntime": "ends"})
    bad = doctor.check_packages(CONFIG)
    assert (bad.verdict, "onnxruntime ends" in bad.message) == ("problem", True)
    assert "requirements.lock" in bad.fix
    for check in (doctor.check_model, doctor.check_wake_word, doctor.check_microphone):
        with pytest.raises(ConfigurationError, match="onnxruntime does not load"):
            check(CONFIG)


@pytest.mark.parametrize(
    ("features", "verdict", "message"),
    [
        ("fp asimd evtstrm crc32 cpuid", "ok", "aarch64, 4 cores, asimd, no asimddp"),
        ("fp asimd asimddp", "ok", "aarch64, 4 cores, asimd, asimddp"),
        ("fp", "problem", "without asimd"),
    ],
)
def test_processor_flags(
    features: str, verdict: str, message: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "proc/cpuinfo", f"processor\t: 0\nFeatures\t: {features}\n")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    finding = doctor.check_processor(CONFIG)
    assert finding.verdict == verdict
    assert message in finding.message


def test_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    finding = doctor.check_processor(Config(stt=SttConfig(num_threads=3)))
    assert finding.verdict == "warning"
    assert "stt.num_threads (ONNX_NUM_THREADS) to 2" in finding.fix


@pytest.mark.parametrize(
    ("model", "governor", "verdict"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4\0", "ondemand", "warning"),
        ("Raspberry Pi 4 Model B Rev 1.4\0", "performance", "ok"),
        ("Acme Laptop", "ondemand", "ok"),
        (None, "powersave", "ok"),
        (None, None, "ok"),
    ],
)
def test_governor(model: str | None, governor: str | None, verdict: str, root: Path) -> None:
    if model is not None:
        write(root / "proc/device-tree/model", model)
    if governor is not None:
        for core in range(2):
            path = root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"
            write(path, f"{governor}\n")
    finding = doctor.check_governor(CONFIG)
    assert finding.verdict == verdict
    assert (verdict == "warning") == ("echo performance" in finding.fix)


@pytest.mark.parametrize(
    ("flags", "verdict", "message", "fix"),
    [
        ("0x0", "ok", "none since the start", ""),
        ("0x50005", "problem", "under-voltage and heat or a limited clock, now", "5.1 V"),
        ("0x10000", "warning", "under-voltage, since the start", "5.1 V"),
        ("0x80000", "warning", "heat or a limited clock, since the start", "cool"),
    ],
)
def test_throttling(flags: str, verdict: str, message: str, fix: str, root: Path) -> None:
    write(root / "sys/devices/platform/soc/soc:firmware/get_throttled", flags[2:] + "\n")
    by_kernel = doctor.check_throttling(CONFIG)
    program = root / "bin/vcgencmd"
    write(program, f"#!/bin/sh\necho throttled={flags}\n")
    program.chmod(0o755)
    write(root / "sys/devices/platform/soc/soc:firmware/get_throttled", "f\n")
    by_firmware = doctor.check_throttling(CONFIG)
    assert by_kernel == by_firmware
    assert (by_kernel.verdict, by_kernel.message.startswith(message)) == (verdict, True)
    assert fix in by_kernel.fix


def test_throttling_where_only_the_temperature_is_known(root: Path) -> None:
    assert doctor.check_throttling(CONFIG) == Finding("ok", "cannot be read here")
    write(root / "bin/vcgencmd", "#!/bin/sh\nexit 1\n")
    (root / "bin/vcgencmd").chmod(0o755)
    write(root / "sys/class/thermal/thermal_zone0/temp", "45100\n")
    assert doctor.check_throttling(CONFIG) == Finding("ok", "45 °C")
    write(root / "sys/class/thermal/thermal_zone1/temp", "83000\n")
    assert doctor.check_throttling(CONFIG).verdict == "warning"


# ---- model and languages


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "models" / "whisper-base")


def recognizer(monkeypatch: pytest.MonkeyPatch, answer: float | Exception) -> list[str]:
    """The application recognises in so many seconds; returns what is called."""
    called: list[str] = []

    def probe() -> Future[float]:
        called.append("probe")
        future: Future[float] = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    stt = SimpleNamespace(
        start=lambda: called.append("start"), probe=probe, stop=lambda _: called.append("stop")
    )
    monkeypatch.setattr(app, "RTAPApplication", lambda config: SimpleNamespace(stt=stt))
    return called


def with_model(path: Path) -> Config:
    return Config(stt=SttConfig(model_name=path.name), models_dir=path.parent)


@pytest.mark.usefixtures("_packages_load")
@pytest.mark.parametrize(("seconds", "verdict"), [(0.02, "ok"), (1.5, "warning")])
def test_model(seconds: float, verdict: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = recognizer(monkeypatch, seconds)
    finding = doctor.check_model(with_model(model))
    assert finding.verdict == verdict
    assert (
        f"whisper-base (int8, 0.0 MB), SHA-256 correct, a second of audio takes {seconds:.2f} s"
        in (finding.message)
    )
    assert called == ["start", "probe", "stop"]


@pytest.mark.usefixtures("_packages_load")
def test_model_that_does_not_infer(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = recognizer(monkeypatch, PipelineError("no speech model is loaded: mend it"))
    with pytest.raises(PipelineError, match="mend it"):
        doctor.check_model(with_model(model))
    assert called[-1] == "stop"
    recognizer(monkeypatch, TimeoutError())
    finding = doctor.check_model(with_model(model))
    assert (finding.verdict, "no inference in 120 s" in finding.message) == ("problem", True)


@pytest.mark.usefixtures("_packages_load")
def test_model_that_is_damaged_or_missing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer(monkeypatch, 0.1)
    config = model / "config.json"
    config.write_text(config.read_text().replace("whisper", "whimper"))
    with pytest.raises(ModelError, match="SHA-256"):
        doctor.check_model(with_model(model))
    with pytest.raises(ModelError, match="no model none"):
        doctor.check_model(with_model(model.parent / "none"))


@pytest.mark.usefixtures("_packages_load")
def test_wake_word() -> None:
    assert doctor.check_wake_word(CONFIG) == Finding("ok", "hey_mycroft (microwakeword)")
    off = Config(wakeword=WakeWordConfig(enabled=False))
    assert doctor.check_wake_word(off).message.startswith("off")
    with pytest.raises(ConfigurationError, match="hey_computer"):
        doctor.check_wake_word(Config(wakeword=WakeWordConfig(keyword="hey_computer")))


@pytest.mark.usefixtures("_packages_load")
def test_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_language(CONFIG) == Finding("ok", "detection, sentiment")
    off = Config(language=LanguageConfig(detection=False, sentiment=False))
    assert doctor.check_language(off).message.startswith("off")

    def unchanged(self: Annotator, transcript: Transcript) -> Transcript:
        return transcript

    monkeypatch.setattr(Annotator, "annotate", unchanged)
    finding = doctor.check_language(CONFIG)
    assert finding.verdict == "warning"
    assert "language.detection and language.sentiment to false" in finding.fix
    only = doctor.check_language(Config(language=LanguageConfig(sentiment=False)))
    assert only.message.startswith("no detection, ")


# ---- sound


class Microphone:
    """Hears what the test sets; the devices are those of sounddevice."""

    amplitude = 0.01
    failure: Exception | None = None
    closed = 0

    def __init__(self, config: AudioConfig) -> None:
        self._frame = config.frame_ms * 16
        self._open = True

    def chunks(self) -> Iterator[AudioChunk]:
        if self.failure is not None:
            raise self.failure
        while self._open:
            yield AudioChunk(np.full(self._frame, self.amplitude, np.float32), 0.0)
        Microphone.closed += 1

    def close(self) -> None:
        self._open = False


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch, _packages_load: None) -> type[Microphone]:
    devices = [{"name": "USB", "max_input_channels": 1}, {"name": "TV", "max_input_channels": 0}]
    module = SimpleNamespace(query_devices=lambda: devices)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(capture, "Microphone", Microphone)
    for name in ("amplitude", "failure", "closed"):
        monkeypatch.setattr(Microphone, name, getattr(Microphone, name))
    return Microphone


@pytest.mark.parametrize(
    ("amplitude", "verdict", "level"),
    [(0.01, "ok", -40), (0.0, "warning", -90), (0.99, "warning", 0)],
)
def test_microphone(
    amplitude: float, verdict: str, level: int, microphone: type[Microphone]
) -> None:
    microphone.amplitude = amplitude
    finding = doctor.check_microphone(CONFIG)
    assert finding.verdict == verdict
    assert finding.message == f"default: {level} dBFS in 0.5 s; there are USB"
    assert ("alsamixer" in finding.fix) == (verdict == "warning")
    assert microphone.closed == 1


def test_microphone_that_is_not_there(root: Path, microphone: type[Microphone]) -> None:
    microphone.failure = PipelineError("no microphone was found: plug one in")
    finding = doctor.check_microphone(CONFIG)
    assert finding == Finding("problem", "no microphone was found: plug one in")
    write(root / ".dockerenv", "")
    assert "--device /dev/snd" in doctor.check_microphone(CONFIG).fix
    (root / "dev/snd").mkdir(parents=True)
    assert doctor.check_microphone(CONFIG).fix == ""


@pytest.mark.usefixtures("_packages_load")
def test_microphone_without_portaudio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def missing() -> None:
        raise ConfigurationError("the PortAudio library is missing: run `apt-get install x`")

    monkeypatch.setattr(capture, "_import_sounddevice", missing)
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    assert run(microphone=doctor.check_microphone) == 2
    assert "PortAudio library is missing: run `apt-get" in capsys.readouterr().out


@pytest.mark.usefixtures("_packages_load")
def test_other_sources(tmp_path: Path) -> None:
    finding = doctor.check_microphone(Config(audio=AudioConfig(source="none")))
    assert finding == Finding("ok", "not used, audio.source is none")
    command = Path(__file__).parents[1] / "audio" / "navigate_home.wav"
    file = Config(audio=AudioConfig(source="file", file=command))
    assert doctor.check_microphone(file).verdict == "ok"
    for audio in (
        AudioConfig(source="file", file=tmp_path / "none.wav"),
        AudioConfig(source="file"),
    ):
        with pytest.raises(Exception, match=r"does not exist|set audio.file"):
            doctor.check_microphone(Config(audio=audio))


# ---- what the service takes from the system


def output(**ports: int) -> Config:
    free: dict[str, Any] = {
        "http_port": 0,
        "health_port": 0,
        "websocket_port": 0,
        "zmq_pub_port_events": 0,
        "zmq_pub_port_transcripts": 0,
    }
    return Config(output=OutputConfig(**{**free, **ports}))


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.usefixtures("_packages_load")
def test_ports() -> None:
    assert doctor.check_ports(output()).verdict == "ok"
    with listening() as port:
        for setting in ("http_port", "health_port", "websocket_port", "zmq_pub_port_events"):
            finding = doctor.check_ports(output(**{setting: port}))
            assert finding.verdict == "problem"
            assert finding.message == f"in use: {port} (output.{setting})"
        off = OutputConfig(
            http_port=0,
            health_port=0,
            zmq_enabled=False,
            websocket_port=port,
            websocket_enabled=False,
        )
        assert doctor.check_ports(Config(output=off)).verdict == "ok"
    assert doctor.check_ports(output(http_port=port)).verdict == "ok"


@pytest.mark.usefixtures("_packages_load")
def test_an_address_that_is_not_ours() -> None:
    finding = doctor.check_ports(Config(output=OutputConfig(host="192.0.2.1", http_port=0)))
    assert finding.verdict == "problem"
    assert "output.host" in finding.message


@pytest.mark.usefixtures("_packages_load")
def test_ports_that_the_service_itself_has() -> None:
    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"rtap_ready 1.0\n")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            finding = doctor.check_ports(output(health_port=server.server_port))
        finally:
            server.shutdown()
            thread.join()
    assert finding.verdict == "ok"
    assert finding.message.startswith("the service is running, and has ")


@pytest.fixture
def memory(root: Path, model: Path) -> Callable[..., Finding]:
    write(root / "proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    2000000 kB\n")
    write(root / "proc/self/cgroup", "0::/system.slice/rtap.service\n")

    def check() -> Finding:
        return doctor.check_memory(with_model(model))

    return check


def cgroup(path: Path, limit: str, usage: int, cached: int, names: tuple[str, str, str]) -> None:
    for name, text in zip(names, (limit, usage, cached), strict=True):
        write(path / name, f"{text}\n")
    write(path / "memory.stat", f"anon 1\n{names[2]} {cached}\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def test_memory(root: Path, memory: Callable[[], Finding]) -> None:
    assert memory() == Finding("ok", "2048 MB available, 300 MB needed, no cgroup limit")
    write(root / "proc/meminfo", "MemAvailable:    200000 kB\n")
    assert memory().verdict == "problem"


def test_memory_of_a_missing_model(memory: Callable[[], Finding], model: Path) -> None:
    assert doctor.check_memory(with_model(model.parent / "none")).verdict == "ok"


def test_cgroup_v2(root: Path, memory: Callable[[], Finding]) -> None:
    top = root / "sys/fs/cgroup"
    cgroup(top / "system.slice/rtap.service", "max", 1000, 0, V2)
    assert "no cgroup limit" in memory().message
    cgroup(top / "system.slice", "500000000", 400_000_000, 300_000_000, V2)
    assert memory().message.endswith("the cgroup leaves 400 MB")
    assert memory().verdict == "ok"
    cgroup(top / "system.slice/rtap.service", "300000000", 50_000_000, 0, V2)
    finding = memory()
    assert finding.verdict == "problem"
    assert finding.message.endswith("the cgroup leaves 250 MB")
    assert "MemoryMax=" in finding.fix


def test_cgroup_v1_inside_a_container(root: Path, memory: Callable[[], Finding]) -> None:
    write(root / "proc/self/cgroup", "4:memory:/docker/abc\n0::/\n")
    top = root / "sys/fs/cgroup/memory"
    cgroup(top, str(0x7FFFFFFFFFFFF000), 0, 0, V1)
    assert "no cgroup limit" in memory().message
    cgroup(top, "256000000", 0, 0, V1)
    assert memory().verdict == "problem"


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(cache_dir=tmp_path / "not" / "yet")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=GB))
    finding = doctor.check_disk(config)
    assert finding == Finding("ok", f"1074 MB free for {tmp_path / 'not' / 'yet'}")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    assert doctor.check_disk(config).verdict == "warning"

    def refuse(dir: Path) -> None:  # noqa: A002 (the name that it has)
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    finding = doctor.check_disk(config)
    assert (finding.verdict, finding.message) == (
        "problem",
        f"{tmp_path} cannot be written (Read-only file system)",
    )


@pytest.mark.parametrize(
    ("now", "verdict"), [(0.0, "warning"), (1_795_264_796.0, "ok"), (9e9, "warning")]
)
def test_clock(now: float, verdict: str) -> None:
    finding = doctor.check_clock(CONFIG, lambda: now)
    assert finding.verdict == verdict
    assert (verdict == "ok") != ("timedatectl" in finding.fix)


def test_everything_here(
    profiles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On this machine, whatever it is: every check answers, none fails by itself."""
    monkeypatch.setattr(doctor, "_import_faults", lambda names: {})
    recognizer(monkeypatch, 0.1)
    monkeypatch.setenv("RTAP_AUDIO_MOCK", "true")
    assert main(["doctor", "--json"]) in (0, 2)
    rows = json.loads(capsys.readouterr().out)["checks"]
    assert [row["check"] for row in rows] == ["configuration", *doctor.CHECKS]
    assert not any("itself failed" in row["message"] for row in rows)


@pytest.mark.slow
def test_a_real_model(quantized: Path) -> None:
    finding = doctor.check_model(with_model(quantized))
    assert finding.verdict in ("ok", "warning")
    assert "SHA-256 correct, a second of audio takes " in finding.message
