"""What can be configured: one frozen value per section, with the documented parameter names.

:mod:`rtap.config.loader` reads them from profiles and checks them; nothing else in the program reads a
setting from anywhere. What a field's type leaves open stands in its annotation, where the loader reads it.
A field with ``repr=False`` is a secret: it is shown nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from rtap.config import wake_engines


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest number that may be given, both included."""

    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """The names that may be given, where a table elsewhere holds them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """The text may not be empty."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that Whisper knows, by code or English name; :mod:`rtap.config.loader` makes it a code."""

    auto: bool
    """Whether ``auto`` will do as well."""


Port = Annotated[int, Range(0, 65_535)]
"""0: any that is free."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """Where sound comes from."""

    sample_rate: Literal[16000] = 16_000
    channels: Literal[1] = 1
    frame_ms: Annotated[int, Range(10, 100)] = 20
    ring_buffer_size_ms: Annotated[int, Range(500, 60_000)] = 4_000
    """A multiple of frame_ms."""
    source: Literal["microphone", "file", "mock", "none"] = "microphone"
    """none: no capture, only clients' streams and files."""
    device: Annotated[str, Filled()] = "default"
    """ALSA name such as plughw:CARD=Device, or a part of PortAudio's name."""
    file: Path | None = None
    """With source file: what is played."""
    real_time: bool = True
    """With source file: at the speed of sound, not as fast as possible."""


@dataclass(frozen=True, slots=True)
class WakeWordConfig:
    """What wakes the assistant."""

    enabled: bool = True
    engine: Annotated[str, OneOf(tuple(wake_engines.ENGINES))] = wake_engines.DEFAULT.name
    keyword: Annotated[str, Filled()] = "hey_mycroft"
    sensitivity: Annotated[float, Range(0, 1)] = 0.5
    """Higher hears more."""
    access_key: str = field(default="", repr=False)
    """For an engine that needs one."""
    timeout_ms: Annotated[int, Range(500, 60_000)] = 5_000
    """How long it waits for speech after the wake word."""

    @property
    def spoken(self) -> tuple[str, ...]:
        """What people say to wake the assistant; empty: whatever is said is heard."""
        return (wake_engines.spoken_word(self.keyword),) if self.enabled else ()


@dataclass(frozen=True, slots=True)
class PreprocessConfig:
    """Processing applied to audio before voice activity detection."""

    noise_suppression: Annotated[int, Range(0, 4)] = 2
    """0: off."""
    auto_gain_dbfs: Annotated[int, Range(0, 31)] = 3
    """0: off."""


@dataclass(frozen=True, slots=True)
class VadConfig:
    """When speech begins and ends."""

    threshold: Annotated[float, Range(0, 1)] = 0.5
    """Probability from which a chunk counts as speech."""
    min_speech_ms: Annotated[int, Range(0, 1_000)] = 100
    """Shorter sounds are no utterance."""
    min_silence_ms: Annotated[int, Range(100, 5_000)] = 500
    """Silence that ends an utterance."""
    speech_pad_ms: Annotated[int, Range(0, 2_000)] = 200
    """Margin kept before and after speech."""
    max_utterance_ms: Annotated[int, Range(1_000, 30_000)] = 30_000


@dataclass(frozen=True, slots=True)
class SttConfig:
    """How speech becomes text."""

    model_name: Annotated[str, Filled()] = "auto"
    """Name or directory; auto: what ``rtap models use`` chose, or else the bundled one."""
    device: Literal["cpu", "cuda"] = "cpu"
    compute_dtype: Literal["int8", "float16", "float32", "auto"] = "auto"
    """Says which precision the model must have; auto takes what it has."""
    num_threads: Annotated[int, Range(1, 64)] = 2
    language: Annotated[str, Language(auto=True)] = "auto"
    """Whisper code, or auto."""
    languages: tuple[Annotated[str, Language(auto=False)], ...] = ()
    """What auto may choose from; empty: all."""
    beam_size: Annotated[int, Range(1, 16)] = 1
    """1: greedy."""
    partial_interval_ms: Annotated[int, Range(200, 3_000)] = 600
    """Speech between two partial results."""
    decode_at_pause: bool = True
    """Transcribe at a pause, before the silence is long enough to be the end."""
    hang_seconds: Annotated[int, Range(0, 86_400)] = 600
    """What loading the model or one inference may always take; then the process ends. 0: it never does."""
    hotwords: tuple[Annotated[str, Filled()], ...] = ()
    """Words to expect."""
    prefer_commands: bool = True
    """Whether a sentence of the intents takes the place of a text that is hardly likelier."""


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """What is said about the text."""

    detection: bool = True
    sentiment: bool = True


@dataclass(frozen=True, slots=True)
class IntentsConfig:
    """Which commands are understood; see :mod:`rtap.intents`."""

    enabled: bool = True
    """Whether texts are understood at all."""
    languages: tuple[Annotated[str, Language(auto=False)], ...] = ()
    """Whose sentences are loaded; empty: all that there are."""
    folders: tuple[Annotated[str, Filled()], ...] = ()
    """Sentences of the integrator, in addition: folders with LANGUAGE/*.yaml."""
    contacts: Path | None = None
    """Whom one can call, a name on each line."""
    places: Path | None = None
    """Where one can be guided to, a name on each line."""


@dataclass(frozen=True, slots=True)
class VehicleConfig:
    """The car that intents act on; see :mod:`rtap.vehicle`."""

    adapter: Literal["none", "simulated", "mqtt", "kuksa"] = "simulated"
    """none: intents are events only. simulated: a car in memory. mqtt, kuksa: one behind a broker."""
    table: Path | None = None
    """The integrator's signals, intents and safety rules, over those of this project."""
    steering: Literal["left", "right"] = "left"
    """On which side the driver sits."""
    speed_limit_kmh: Annotated[int, Range(0, 50)] = 5
    """Above it the car counts as moving, and what endangers is refused."""
    state: Path | None = None
    """What keeps the simulated car's values."""
    mqtt_broker: Annotated[str, Filled()] = "127.0.0.1"
    """HOST or HOST:PORT; the usual port is 1883, with TLS 8883."""
    mqtt_topic: Annotated[str, Filled()] = "vehicle"
    """What the topics of signals begin with."""
    mqtt_user: str = ""
    """Empty: none is named."""
    mqtt_password: str = field(default="", repr=False)
    mqtt_tls: bool = False
    mqtt_ca_file: Path | None = None
    """PEM with whom to trust; None: the system's."""
    kuksa_broker: Annotated[str, Filled()] = "127.0.0.1"
    """HOST or HOST:PORT of a databroker; the usual port is 55555."""
    kuksa_token: str = field(default="", repr=False)
    """Empty: none is shown."""
    kuksa_tls: bool = False
    kuksa_ca_file: Path | None = None
    """PEM with whom to trust; None: gRPC's."""


@dataclass(frozen=True, slots=True)
class AnswersConfig:
    """How the assistant answers; see :mod:`rtap.answers`."""

    enabled: bool = True
    """Whether commands are answered at all."""
    folders: tuple[Annotated[str, Filled()], ...] = ()
    """Sentences of the integrator, over those of this project: folders with LANGUAGE.yaml."""
    earcons: bool = True
    """Whether short tones are played."""
    voice: Literal["auto", "none", "espeak-ng", "piper"] = "auto"
    """auto: Piper where voices are named, else espeak-ng where it is installed, else none."""
    piper_voices: tuple[Annotated[str, Filled()], ...] = ()
    """Piper's files NAME.onnx, one for each language; espeak-ng speaks the others."""
    volume: Annotated[int, Range(0, 100)] = 70
    """Percent of what the voice gives."""
    speed: Annotated[int, Range(50, 200)] = 100
    """Percent of the voice's own."""
    device: Annotated[str, Filled()] = "default"
    """ALSA name such as plughw:CARD=Headphones, or a part of PortAudio's name."""


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """Where results go."""

    host: Annotated[str, Filled()] = "127.0.0.1"
    """Address or name that all of them listen on."""
    http_port: Port = 8_000
    websocket_port: Port = 5_802
    health_port: Port = 8_080
    zmq_pub_port_events: Port = 6_552
    zmq_pub_port_transcripts: Port = 6_553
    zmq_enabled: bool = True
    websocket_enabled: bool = True
    wyoming_enabled: bool = True
    wyoming_host: Annotated[str, Filled()] = "127.0.0.1"
    """An address of its own, as Wyoming's clients know no API key."""
    wyoming_port: Port = 10_300
    wyoming_zeroconf: bool = False
    """Whether it is announced in the local network."""
    api_key: str = field(default="", repr=False)
    """Clients send it as ``Authorization: Bearer`` or ``X-API-Key``; empty: none is asked for."""
    allow_insecure: bool = False
    """Without it, a host other than localhost wants an api_key."""
    allowed_hosts: tuple[Annotated[str, Filled()], ...] = ()
    """Names in ``Host`` that are this machine's, besides localhost and numbers; ``*.lan`` is all below it."""
    allowed_origins: tuple[Annotated[str, Filled()], ...] = ()
    """Pages of others that may use it, such as ``https://screen.example:3000``; ``*`` is every page."""
    trusted_proxies: tuple[Annotated[str, Filled()], ...] = ()
    """Numbers or networks of proxies whose ``X-Forwarded-For`` is believed."""


@dataclass(frozen=True, slots=True)
class StandbyConfig:
    """How two instances that hear the same cabin share the publishing; see :mod:`rtap.standby.rules`."""

    role: Literal["none", "primary", "standby"] = "none"
    """none: alone. primary: publishes whenever it can. standby: publishes while the primary cannot."""
    primary: Annotated[str, Filled()] = "127.0.0.1"
    """Where a standby finds the primary. A primary listens on output.host."""
    port: Port = 6_554
    """ZeroMQ, between the two."""
    heartbeat_ms: Annotated[int, Range(20, 5_000)] = 100
    timeout_ms: Annotated[int, Range(100, 30_000)] = 500
    """Silence of the primary after which the standby takes over."""


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """What one client may take."""

    max_upload_mb: Annotated[int, Range(1, 1_024)] = 25
    max_audio_seconds: Annotated[int, Range(1, 36_000)] = 600
    max_queue: Annotated[int, Range(1, 1_024)] = 16
    """Requests that wait for the model."""
    max_streams: Annotated[int, Range(1, 1_024)] = 16
    requests_per_minute: Annotated[int, Range(0, 100_000)] = 0
    """0: any number."""


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """What is written down."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    format: Literal["json", "console"] = "json"
    transcripts: bool = False
    """Whether texts may be logged. Audio never is."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration of one process."""

    environment: str = "default"
    """Name of the profile."""
    audio: AudioConfig = field(default_factory=AudioConfig)
    wakeword: WakeWordConfig = field(default_factory=WakeWordConfig)
    preprocess: PreprocessConfig = field(default_factory=PreprocessConfig)
    vad: VadConfig = field(default_factory=VadConfig)
    stt: SttConfig = field(default_factory=SttConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    intents: IntentsConfig = field(default_factory=IntentsConfig)
    vehicle: VehicleConfig = field(default_factory=VehicleConfig)
    answers: AnswersConfig = field(default_factory=AnswersConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    standby: StandbyConfig = field(default_factory=StandbyConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    models_dir: Path | None = None
    """None: where ``rtap models list`` looks, MODELS_DIR or ~/.local/share/rtap/models."""
    cache_dir: Path | None = None
    """For what can be made again."""
