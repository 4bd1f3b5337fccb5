"""rtap.config.loader: profiles, variables and everything that can be wrong with them."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from rtap.config import Config, OneOf, Range
from rtap.config.loader import (
    BUILT_IN,
    INSTALLED_PROFILES,
    SOURCE_PROFILES,
    LoadedConfig,
    UnifiedConfigLoader,
)
from rtap.config.parameters import PARAMETERS
from rtap.errors import ConfigurationError, ConfigurationFaults

PROFILES = ("container", "default", "main_pc", "pc2", "raspberrypi4")


class Profiles:
    """A directory of profiles, and a loader for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        path = self.path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def loaded(self, profile: str | None = None, **environment: str) -> LoadedConfig:
        return UnifiedConfigLoader([self.path], environment).load_with_origins(profile)

    def load(self, text: str, **environment: str) -> Config:
        self.write("default", text)
        return self.loaded(**environment).config

    def faults(self, text: str, **environment: str) -> list[str]:
        """The faults of a profile, without the directory's name before the file's."""
        with pytest.raises(ConfigurationFaults) as caught:
            self.load(text, **environment)
        assert str(caught.value) == "; ".join(caught.value.faults)
        return [fault.replace(f"{self.path}/", "") for fault in caught.value.faults]


@pytest.fixture
def profiles(tmp_path: Path) -> Profiles:
    return Profiles(tmp_path)


def value_of(config: Config, name: str) -> Any:
    section, _, key = name.rpartition(".")
    return getattr(getattr(config, section) if section else config, key)


def values(config: Config) -> dict[str, Any]:
    return {name: value_of(config, name) for name in PARAMETERS}


# --- the profiles that come with the program ---


@pytest.mark.parametrize("profile", PROFILES)
def test_shipped_profile(profile: str) -> None:
    config = UnifiedConfigLoader([SOURCE_PROFILES], {}).load(profile)
    assert config.environment == profile
    # A container's own network; the host publishes the ports on its localhost.
    inside = profile == "container"
    assert config.output.host == ("0.0.0.0" if inside else "127.0.0.1")
    assert config.output.allow_insecure is inside


@pytest.mark.parametrize("profile", PROFILES)
def test_every_shipped_profile_takes_the_key_from_the_environment(profile: str) -> None:
    variables = {
        "RTAP_API_KEY": "0123456789012345",
        "RTAP_ALLOWED_HOSTS": "car.lan, *.fleet.example,",
        "RTAP_ALLOWED_ORIGINS": "https://screen.example:3000",
        "RTAP_TRUSTED_PROXIES": "192.0.2.1,172.20.0.0/16",
    }
    output = UnifiedConfigLoader([SOURCE_PROFILES], variables).load(profile).output
    assert output.api_key == "0123456789012345"
    assert output.allowed_hosts == ("car.lan", "*.fleet.example")
    assert output.allowed_origins == ("https://screen.example:3000",)
    assert output.trusted_proxies == ("192.0.2.1", "172.20.0.0/16")


def test_shipped_profiles_are_all_tested() -> None:
    assert tuple(sorted(path.stem for path in SOURCE_PROFILES.glob("*.yaml"))) == PROFILES


@cache
def shipped_default() -> LoadedConfig:
    return UnifiedConfigLoader([SOURCE_PROFILES], {}).load_with_origins("default")


def test_default_profile_names_every_parameter_with_the_built_in_value() -> None:
    loaded = shipped_default()
    assert loaded.config == Config()
    assert [name for name, origin in loaded.origins.items() if origin == BUILT_IN] == []


def comment_above(parameter: str) -> str:
    loaded = shipped_default()
    lines = (SOURCE_PROFILES / "default.yaml").read_text().splitlines()
    line = int(loaded.origins[parameter].rpartition(":")[2]) - 2
    # Parameters with one comment between them stand below each other.
    while not lines[line].lstrip().startswith("#"):
        line -= 1
    first = line
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(lines[first : line + 1])


@pytest.mark.parametrize("name", PARAMETERS)
def test_default_profile_explains_what_is_allowed(name: str) -> None:
    kind = PARAMETERS[name].kind
    comment = comment_above(name)
    for mark in getattr(kind, "__metadata__", ()):
        if isinstance(mark, Range):
            assert f"{mark.lowest} to {mark.highest}" in comment or (
                str(mark.lowest) in comment and re.search(rf"\bto {mark.highest}\b", comment)
            )
        if isinstance(mark, OneOf):
            assert [one for one in mark.names if one not in comment] == []
    if get_origin(kind) is Literal:
        missing = [value for value in get_args(kind) if str(value) not in comment]
        assert missing == []


def test_standby_shares_no_port_with_the_primary() -> None:
    loader = UnifiedConfigLoader([SOURCE_PROFILES], {})
    primary, standby = loader.load("main_pc"), loader.load("pc2")
    # Where the two meet is one port, of the primary alone.
    ports = [name for name in PARAMETERS if "port" in name and name != "standby.port"]
    assert len(ports) == 6
    assert (primary.standby.role, standby.standby.role) == ("primary", "standby")
    assert primary.standby.port == standby.standby.port
    assert [name for name in ports if value_of(primary, name) == value_of(standby, name)] == []
    assert (primary.stt.device, standby.stt.device) == ("cuda", "cpu")


# --- which profile ---


def test_without_files_all_is_built_in(tmp_path: Path) -> None:
    loaded = UnifiedConfigLoader([tmp_path, tmp_path / "none"], {}).load_with_origins()
    assert loaded.config == Config()
    assert loaded.files == ()
    assert set(loaded.origins.values()) == {BUILT_IN}


def test_choice_of_profile(profiles: Profiles) -> None:
    for number, name in enumerate(("default", "car", "truck"), start=1):
        profiles.write(name, f"stt: {{beam_size: {number}}}")
    assert profiles.loaded().config.stt.beam_size == 1
    assert profiles.loaded(RTAP_ENVIRONMENT="").config.stt.beam_size == 1
    assert profiles.loaded(RTAP_ENVIRONMENT="car").config.stt.beam_size == 2
    loaded = profiles.loaded("truck", RTAP_ENVIRONMENT="car")
    assert loaded.config.stt.beam_size == 3
    assert loaded.config.environment == "truck"


def test_earlier_directory_counts(tmp_path: Path) -> None:
    for number, name in enumerate(("etc", "source"), start=1):
        (tmp_path / name).mkdir()
        Profiles(tmp_path / name).write("default", f"stt: {{beam_size: {number}}}")
    Profiles(tmp_path / "source").write("car", "inherits: default")
    loader = UnifiedConfigLoader([tmp_path / "etc", tmp_path / "source"], {})
    assert loader.load("car").stt.beam_size == 1


def test_search(tmp_path: Path) -> None:
    assert UnifiedConfigLoader.from_environment({}).directories == (
        INSTALLED_PROFILES,
        SOURCE_PROFILES,
    )
    chosen = UnifiedConfigLoader.from_environment({"RTAP_CONFIG_DIR": str(tmp_path)})
    assert chosen.directories == (tmp_path,)
    with pytest.raises(ConfigurationError, match=r"RTAP_CONFIG_DIR is .*/none, .* unset it"):
        UnifiedConfigLoader.from_environment({"RTAP_CONFIG_DIR": f"{tmp_path}/none"})


@pytest.mark.parametrize(
    ("profile", "environment", "message"),
    [
        ("truk", {}, "no profile truk: did you mean truck?"),
        (
            None,
            {"RTAP_ENVIRONMENT": "bus"},
            r"no profile bus \(RTAP_ENVIRONMENT says so\): there are",
        ),
        ("../truck", {}, "no profile ../truck: .*--file"),
        ("", {"RTAP_ENVIRONMENT": "x/y"}, "RTAP_ENVIRONMENT says so.*--file"),
    ],
)
def test_unknown_profile(
    profiles: Profiles, profile: str | None, environment: dict[str, str], message: str
) -> None:
    profiles.write("truck", "")
    with pytest.raises(ConfigurationError, match=message):
        profiles.loaded(profile, **environment)


def test_file_beside_its_parent(tmp_path: Path) -> None:
    Profiles(tmp_path).write("base", "stt: {beam_size: 4}")
    path = Profiles(tmp_path).write("mine", "inherits: base")
    loader = UnifiedConfigLoader([], {"RTAP_ENVIRONMENT": "unknown"})
    loaded = loader.load_with_origins(file=path)
    assert loaded.config.stt.beam_size == 4
    assert loaded.config.environment == "mine"
    assert loaded.files == (path, tmp_path / "base.yaml")
    with pytest.raises(ConfigurationError, match="give one of the two"):
        loader.load("default", path)
    with pytest.raises(ConfigurationError, match=r"none.yaml cannot be read \(No such file"):
        loader.load(file=tmp_path / "none.yaml")


# --- inheritance ---


def test_sections_merge_and_lists_replace(profiles: Profiles) -> None:
    profiles.write("default", "stt: {beam_size: 2, hotwords: [a, b]}\nmodels_dir: /m")
    profiles.write("middle", "inherits: default\nstt:\n  num_threads: 3")
    profiles.write("car", "inherits: middle\nstt:\n  hotwords: [c]\nvad:\nmodels_dir:")
    loaded = profiles.loaded("car")
    assert loaded.config.stt.beam_size == 2
    assert loaded.config.stt.num_threads == 3
    assert loaded.config.stt.hotwords == ("c",)
    assert loaded.config.models_dir is None
    assert [path.stem for path in loaded.files] == ["car", "middle", "default"]
    assert loaded.origins["stt.beam_size"] == f"{profiles.path}/default.yaml:1"
    assert loaded.origins["stt.num_threads"] == f"{profiles.path}/middle.yaml:3"
    assert loaded.origins["stt.language"] == BUILT_IN


def test_the_default_can_be_inherited_where_there_is_no_file(profiles: Profiles) -> None:
    profiles.write("car", "inherits: default\nstt: {beam_size: 2}")
    assert profiles.loaded("car").config.stt.beam_size == 2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("inherits: defalt", "default.yaml:1: inherits is defalt, .* did you mean default?"),
        ("\ninherits: [a]", "default.yaml:2: inherits is a list: it must be a profile's name"),
        ("inherits:", "default.yaml:1: inherits is empty: it must be a profile's name"),
        ("inherits: other", r"other.yaml:1: .* circle \(default -> other -> default\)"),
    ],
)
def test_bad_parent(profiles: Profiles, text: str, fault: str) -> None:
    profiles.write("other", "inherits: default")
    (found,) = profiles.faults(text)
    assert re.match(fault, found), found


def test_faults_of_the_whole_chain_are_listed(profiles: Profiles) -> None:
    profiles.write("base", "vad: {threshold: 2}\nstt: {beam_size: 0}")
    faults = profiles.faults("inherits: base\nvad: {threshold: 0.4}\nstt: {num_threads: 0}")
    assert faults == [
        "default.yaml:3: stt.num_threads is 0: it must be from 1 to 64",
        "base.yaml:1: vad.threshold is 2: it must be from 0 to 1",
        "base.yaml:2: stt.beam_size is 0: it must be from 1 to 16",
    ]


# --- variables in values ---


@pytest.mark.parametrize(
    ("text", "environment", "name", "expected"),
    [
        ("output: {http_port: 1}", {}, "output.http_port", 1),
        ("output:\n  http_port: ${PORT:8100}", {}, "output.http_port", 8100),
        ("output:\n  http_port: ${PORT:8100}", {"PORT": "8200"}, "output.http_port", 8200),
        ("output:\n  http_port: ${PORT:8100}", {"PORT": ""}, "output.http_port", 8100),
        ("output:\n  http_port: 8${PORT}0", {"PORT": "12"}, "output.http_port", 8120),
        ("vad:\n  threshold: ${T}", {"T": "1"}, "vad.threshold", 1.0),
        ("audio:\n  real_time: ${R}", {"R": "false"}, "audio.real_time", False),
        ("audio:\n  file: ${F:}", {}, "audio.file", None),
        ("audio:\n  file: ${F}", {"F": "/x y: #z"}, "audio.file", Path("/x y: #z")),
        ("audio:\n  device: plughw:CARD=${C:Mic}", {}, "audio.device", "plughw:CARD=Mic"),
        ("audio:\n  device: $${C}$$C $C", {}, "audio.device", "${C}$C $C"),
        # Text stays text, whatever YAML would take it for.
        ("output:\n  api_key: ${K}", {"K": "0123"}, "output.api_key", "0123"),
        ("output:\n  api_key: ${K:}", {}, "output.api_key", ""),
        ('output:\n  api_key: "${K:true}"', {}, "output.api_key", "true"),
        ("stt:\n  language: ${L}", {"L": "no"}, "stt.language", "no"),
        ("stt:\n  hotwords:\n  - ${W}\n  - b", {"W": "7"}, "stt.hotwords", ("7", "b")),
        ("# ${GONE}\nstt:\n  beam_size: 2 # ${GONE}", {}, "stt.beam_size", 2),
    ],
)
def test_substitution(
    profiles: Profiles, text: str, environment: dict[str, str], name: str, expected: object
) -> None:
    value = value_of(profiles.load(text, **environment), name)
    assert value == expected
    assert type(value) is type(expected)


def test_origin_names_the_variable(profiles: Profiles) -> None:
    profiles.write("default", "audio:\n  device: ${MIC:x}")
    origin = profiles.loaded(MIC="y").origins["audio.device"]
    assert origin == f"{profiles.path}/default.yaml:2 (MIC)"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("${MIC}", "the environment variable MIC is not set: set it, or write ${MIC:default}"),
        ("${}", "a ${ begins no variable"),
        ("${1A:x}", "a ${ begins no variable"),
        ("${MIC", "a ${ begins no variable"),
        ("${MIC:${OTHER:x}}", "a ${ begins no variable"),
        ("!!int ${X:many}", "the value cannot be read"),
        ("!!map x", "the value cannot be read"),
        ("!!python/name:os.system x", "the value cannot be read"),
    ],
)
def test_bad_substitution(profiles: Profiles, value: str, fault: str) -> None:
    (found,) = profiles.faults(f"audio:\n  channels: 1\n  device: {value}")
    assert found.startswith(f"default.yaml:3: {fault}")


# --- environment variables that override ---


@pytest.mark.parametrize(
    ("environment", "name", "expected"),
    [
        ({"RTAP_LOG_LEVEL": "DEBUG"}, "logging.level", "DEBUG"),
        ({"LOG_LEVEL": "warning"}, "logging.level", "WARNING"),
        ({"RTAP_LOG_LEVEL": "DEBUG", "LOG_LEVEL": "loud"}, "logging.level", "DEBUG"),
        ({"RTAP_LOG_LEVEL": "", "LOG_LEVEL": "ERROR"}, "logging.level", "ERROR"),
        ({"AUDIO_DEVICE": "2"}, "audio.device", "2"),
        ({"AUDIO_DEVICE": ""}, "audio.device", "file"),
        ({"RTAP_AUDIO_MOCK": "True"}, "audio.source", "mock"),
        ({"RTAP_AUDIO_MOCK": "false"}, "audio.source", "none"),
        ({"MODEL_NAME": "whisper-base"}, "stt.model_name", "whisper-base"),
        ({"MODELS_DIR": "/m"}, "models_dir", Path("/m")),
        ({"CACHE_DIR": "/c"}, "cache_dir", Path("/c")),
        ({"ONNX_NUM_THREADS": "4"}, "stt.num_threads", 4),
        ({"ONNX_NUM_THREADS": "010"}, "stt.num_threads", 10),
    ],
)
def test_override(
    profiles: Profiles, environment: dict[str, str], name: str, expected: object
) -> None:
    text = """
audio: {device: file, source: none}
logging: {level: CRITICAL}
stt: {model_name: file, num_threads: 1}
models_dir: /file
cache_dir: /file
"""
    config = profiles.load(text, **environment)
    assert value_of(config, name) == expected
    others = {key: value for key, value in values(profiles.load(text)).items() if key != name}
    assert others.items() <= values(config).items()


def test_override_is_an_origin(profiles: Profiles) -> None:
    loaded = profiles.loaded(LOG_LEVEL="DEBUG", RTAP_AUDIO_MOCK="1")
    assert loaded.origins["logging.level"] == "LOG_LEVEL"
    assert loaded.origins["audio.source"] == "RTAP_AUDIO_MOCK"


def test_home_directory(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    config = profiles.load("cache_dir: ~/cache", MODELS_DIR="~/models")
    assert config.cache_dir == Path("/home/me/cache")
    assert config.models_dir == Path("/home/me/models")


def test_bad_overrides_name_the_variable(profiles: Profiles) -> None:
    faults = profiles.faults(
        "vad: {threshold: 2}",
        ONNX_NUM_THREADS="many",
        LOG_LEVEL="loud",
        RTAP_AUDIO_MOCK="perhaps",
        MODELS_DIR="~nobody-of-that-name/x",
    )
    assert faults == [
        "default.yaml:1: vad.threshold is 2: it must be from 0 to 1",
        "ONNX_NUM_THREADS is many: it must be a whole number from 1 to 64",
        "LOG_LEVEL is loud: it must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        "MODELS_DIR is ~nobody-of-that-name/x: there is no such user: write the whole path",
        "RTAP_AUDIO_MOCK is perhaps: it must be true or false",
    ]


# --- values ---


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("vad: {threshold: 3}", "vad.threshold is 3: it must be from 0 to 1"),
        ("vad: {threshold: .nan}", "vad.threshold is .nan: it must be from 0 to 1"),
        ("vad: {threshold: true}", "vad.threshold is true: it must be a number from 0 to 1"),
        ("vad: {threshold: [1]}", "vad.threshold is a list: it must be a number from 0 to 1"),
        ("vad: {threshold: {a: 1}}", "vad.threshold is a mapping: it must be a number"),
        ("vad: {threshold: }", "vad.threshold is empty: it must be a number from 0 to 1"),
        (f"vad: {{threshold: 1{'0' * 400}}}", "vad.threshold is 1000"),
        ("audio: {frame_ms: 20.0}", "audio.frame_ms is 20.0: it must be a whole number from 10 to"),
        ("audio: {frame_ms: 9}", "audio.frame_ms is 9: it must be from 10 to 100"),
        ("audio: {sample_rate: 8000}", "audio.sample_rate is 8000: it must be 16000"),
        ("audio: {channels: true}", "audio.channels is true: it must be 1"),
        ("audio: {real_time: 1}", "audio.real_time is 1: it must be true or false"),
        ("audio: {source: radio}", "audio.source is radio: it must be one of microphone, file,"),
        ("audio: {device: 1}", "audio.device is 1: it must be text, so put it in quotes"),
        ("audio: {device: 2020-01-01}", "audio.device is 2020-01-01: it must be text, so"),
        ("audio: {device: ' '}", "audio.device is  : it must be filled in"),
        ("audio: {device: ''}", "audio.device is empty: it must be filled in"),
        ("audio: {file: 1}", "audio.file is 1: it must be text, so put it in quotes"),
        ("output: {http_port: '80'}", 'output.http_port is "80": it must be a whole number'),
        ("output: {http_port: 65536}", "output.http_port is 65536: it must be from 0 to 65535"),
        ("output: {api_key: 1234}", "output.api_key is ***: it must be text, so put it in quotes"),
        ("wakeword: {access_key: [a]}", "wakeword.access_key is ***: it must be text"),
        ("stt: {language: no}", "stt.language is no: it must be text, so put it in quotes"),
        ("stt: {language: germn}", "stt.language is germn: did you mean german (de)"),
        ("stt: {languages: [de, auto]}", "stt.languages[2] is auto: "),
        ("stt: {languages: de}", "stt.languages is de: it must be a list such as [a, b]"),
        ("stt: {hotwords: [a, [b]]}", "stt.hotwords[2] is a list: it must be text"),
        ("audio: 3", "audio is 3: it must be a section, with keys below it"),
        ("audio: [a]", "audio is a list: it must be a section, with keys below it"),
        ("models_dir: {a: b}", "models_dir is a mapping: it must be text"),
    ],
)
def test_bad_value(profiles: Profiles, text: str, fault: str) -> None:
    (found,) = profiles.faults(f"# a comment\n{text}")
    assert re.sub(r"\s+", " ", found).startswith(re.sub(r"\s+", " ", f"default.yaml:2: {fault}"))
    assert len(found) < 250


def test_values_of_lists_have_lines_of_their_own(profiles: Profiles) -> None:
    text = "stt:\n  hotwords:\n    - a\n    - 5\n    - ''\n    - ${GONE}\n"
    assert [fault.partition(" is ")[0] for fault in profiles.faults(text)] == [
        "default.yaml:6: the environment variable GONE",
        "default.yaml:4: stt.hotwords[2]",
        "default.yaml:5: stt.hotwords[3]",
    ]


def test_languages_become_codes(profiles: Profiles) -> None:
    stt = profiles.load("stt: {language: German, languages: [en-GB, 'no']}").stt
    assert (stt.language, stt.languages) == ("de", ("en", "no"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("vad: {treshold: 1}", "vad.treshold is unknown: did you mean vad.threshold?"),
        (
            "vad: {min-speech-ms: 1}",
            "vad.min-speech-ms is unknown: did you mean vad.min_speech_ms?",
        ),
        ("vad: {beam_size: 1}", "vad.beam_size is unknown: did you mean stt.beam_size?"),
        ("language: {xyzzy: 1}", "language.xyzzy is unknown: there are detection, sentiment"),
        ("audoi: {a: 1, b: 2}", "audoi is unknown: did you mean audio?"),
        ("threshold: 1", "threshold is unknown: did you mean vad.threshold?"),
        ("vad.threshold: 1", "vad.threshold is unknown: write vad: on a line, and threshold:"),
        ("environment: x", "environment is unknown: it is the file's name, so leave it out"),
        ("xyzzy: 1", "xyzzy is unknown: there are audio, wakeword"),
        ("1: 2", "1 is unknown: there are audio"),
        ("<<: {audio: 1}", "<< is unknown"),
        ("[a]: 1", "a key is a list or a mapping: write a name"),
    ],
)
def test_unknown_key(profiles: Profiles, text: str, fault: str) -> None:
    (found,) = profiles.faults(f"\n{text}")
    assert found.startswith(f"default.yaml:2: {fault}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("audio:\n  channels: 1\n  channels: 1", "3: channels is here for the second time: line 2"),
        ("audio: {}\naudio: {}", "2: audio is here for the second time: line 1"),
        ("audio: {}\n\tvad: 1", "2: this is no YAML: "),
        ("audio: [", "1: this is no YAML: "),
        ("a: 1\n---\nb: 2", "2: this is no YAML: "),
        ("audio: {}\nvad: \x00", "2: this is no YAML: special characters"),
        ("[\n" * 1500, "1: brackets are nested too deep"),
        ("- audio", "1: this is no profile"),
        ("audio", "1: this is no profile"),
        ("&a audio: *b", "1: this is no YAML: found undefined alias"),
    ],
)
def test_bad_file(profiles: Profiles, text: str, fault: str) -> None:
    found = profiles.faults(text)
    assert found[0].startswith(f"default.yaml:{fault}")
    assert len(found) == 1


def test_alias_that_leads_round_ends(profiles: Profiles) -> None:
    faults = profiles.faults("audio: &a\n  device: *a\nstt: {hotwords: &b [*b]}")
    assert faults[0].startswith("default.yaml:2: audio.device is a mapping")
    assert faults[1].startswith("default.yaml:3: stt.hotwords[1] is a list")


@pytest.mark.parametrize("text", ["", "# nothing\n", "audio:\nstt:\n", "\ufeffaudio: {}\r\n", "{}"])
def test_profile_that_says_nothing(profiles: Profiles, text: str) -> None:
    assert profiles.load(text) == Config()


def test_file_in_another_encoding(profiles: Profiles) -> None:
    (profiles.path / "default.yaml").write_bytes("audio: {device: Gerät}".encode("latin-1"))
    with pytest.raises(ConfigurationFaults, match=r"default\.yaml:1: this is not text in UTF-8"):
        profiles.loaded()


# --- values that do not go together ---

EXPOSED = "output.host is 0.0.0.0, which others can reach: set output.api_key"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("output: {host: 0.0.0.0}", EXPOSED),
        ("output: {host: car.local}", "output.host is car.local, which others can reach"),
        ("output: {http_port: 8080}", "output.http_port and output.health_port are all 8080"),
        (
            "output: {zmq_pub_port_events: 5802}",
            "output.websocket_port and output.zmq_pub_port_events are all 5802",
        ),
        ("output: {wyoming_port: 8080}", "output.health_port and output.wyoming_port are all 8080"),
        (
            "output: {wyoming_host: 0.0.0.0, api_key: secret}",
            "output.wyoming_host is 0.0.0.0, which others can reach, and Wyoming knows no API key",
        ),
        (
            "output: {host: 0.0.0.0, api_key: fifteen-letters}",
            "output.api_key has 15 characters, and others reach 0.0.0.0 and can guess: give it 16 or more",
        ),
        (
            "output: {allowed_origins: [screen.example]}",
            "output.allowed_origins has screen.example, which is no origin: write scheme, name and port",
        ),
        (
            "output: {allowed_origins: ['https://screen.example/page']}",
            "output.allowed_origins has https://screen.example/page, which is no origin",
        ),
        ("output: {allowed_origins: ['*']}", "output.allowed_origins is *, so that every page"),
        (
            "output: {allowed_hosts: ['car.lan:8000']}",
            "output.allowed_hosts has car.lan:8000, which is no name: write it without scheme and port",
        ),
        (
            "output: {trusted_proxies: [proxy]}",
            "output.trusted_proxies has proxy, which is no IP number or network",
        ),
        (
            "output: {wyoming_zeroconf: true}",
            "output.wyoming_zeroconf announces Wyoming to the network, and output.wyoming_host is 127.0.0.1",
        ),
        (
            "standby: {role: primary, port: 8000}",
            "output.http_port and standby.port are all 8000",
        ),
        (
            "standby: {role: standby, heartbeat_ms: 200}",
            "standby.timeout_ms is 500: make it three times standby.heartbeat_ms or more, 600",
        ),
        ("audio: {source: file}", "audio.source is file: give the path as audio.file"),
        ("wakeword: {engine: porcupine}", "wakeword.engine is porcupine: give Picovoice's"),
        (
            "audio: {frame_ms: 30}",
            "audio.ring_buffer_size_ms is 4000, which is no multiple of audio.frame_ms, 30: make it",
        ),
        (
            "vehicle: {adapter: mqtt, mqtt_broker: 'mqtt://car:1883'}",
            "vehicle.mqtt_broker is mqtt://car:1883: write HOST or HOST:PORT",
        ),
        (
            "vehicle: {adapter: mqtt, mqtt_topic: car/#}",
            "vehicle.mqtt_topic is car/#: write up to 200 characters",
        ),
        (
            "vehicle: {adapter: mqtt, mqtt_password: secret}",
            "vehicle.mqtt_password is set without a name: set vehicle.mqtt_user",
        ),
        (
            "vehicle: {adapter: mqtt, mqtt_ca_file: ca.pem}",
            "vehicle.mqtt_ca_file is set, and nothing is encrypted: set vehicle.mqtt_tls to true",
        ),
        (
            "vehicle: {adapter: mqtt, mqtt_broker: car, mqtt_user: us, mqtt_password: secret}",
            "vehicle.mqtt_password would go to car where others can read it: set vehicle.mqtt_tls",
        ),
        (
            "vehicle: {adapter: kuksa, kuksa_broker: '::1'}",
            "vehicle.kuksa_broker is ::1: write HOST or HOST:PORT",
        ),
        (
            "vehicle: {adapter: kuksa, kuksa_ca_file: ca.pem}",
            "vehicle.kuksa_ca_file is set, and nothing is encrypted: set vehicle.kuksa_tls to true",
        ),
        (
            "vehicle: {adapter: kuksa, kuksa_broker: 'car:55555', kuksa_token: secret}",
            "vehicle.kuksa_token would go to car:55555 where others can read it: set vehicle.kuksa_tls",
        ),
    ],
)
def test_conflict(profiles: Profiles, text: str, fault: str) -> None:
    (found,) = profiles.faults(f"\n{text}")
    assert found.startswith(f"default.yaml:2: {fault}")


@pytest.mark.parametrize(
    "text",
    [
        "output: {host: 0.0.0.0, api_key: sixteen-letters-}",
        "output: {api_key: short}",
        "output: {allowed_origins: ['https://screen.example:3000', 'null', 'app://screen/']}",
        "output: {allowed_origins: ['*'], api_key: short}",
        "output: {allowed_hosts: [car.lan, '*.car.lan', '*']}",
        "output: {trusted_proxies: [192.0.2.1, 172.20.0.0/16, '::1']}",
        "output: {host: 0.0.0.0, allow_insecure: true}",
        "output: {host: '::1'}",
        "output: {host: localhost}",
        "output: {host: 127.8.0.1}",
        "output: {zmq_pub_port_events: 8000, zmq_enabled: false}",
        "output: {websocket_port: 8000, websocket_enabled: false}",
        "output: {http_port: 0, health_port: 0, websocket_port: 0}",
        "output: {wyoming_host: 0.0.0.0, allow_insecure: true}",
        "output: {wyoming_host: 0.0.0.0, wyoming_enabled: false}",
        "output: {wyoming_port: 8000, wyoming_enabled: false}",
        "output: {wyoming_zeroconf: true, wyoming_enabled: false}",
        "standby: {role: standby, port: 8000}",
        "standby: {heartbeat_ms: 200}",
        "audio: {source: file, file: x.wav}",
        "wakeword: {engine: porcupine, access_key: secret}",
        "wakeword: {engine: porcupine, enabled: false}",
        "audio: {frame_ms: 30, ring_buffer_size_ms: 6000}",
        "stt: {device: cuda}",
        "vehicle: {adapter: mqtt, mqtt_broker: '[::1]:1883', mqtt_topic: fleet/car-7}",
        "vehicle: {adapter: mqtt, mqtt_user: us, mqtt_password: secret}",
        "vehicle: {adapter: mqtt, mqtt_broker: car, mqtt_user: us, mqtt_password: x, mqtt_tls: true}",
        "vehicle: {adapter: kuksa, kuksa_broker: '[::1]:55555', kuksa_token: secret}",
        "vehicle: {adapter: kuksa, kuksa_broker: car, kuksa_token: secret, kuksa_tls: true}",
        "vehicle: {mqtt_broker: 'not used/', mqtt_topic: '#', mqtt_password: x}",
    ],
)
def test_no_conflict(profiles: Profiles, text: str) -> None:
    assert profiles.load(text) != Config()


@pytest.mark.parametrize(
    "text",
    [
        "output: {host: 0.0.0.0, api_key: 1234}",
        "output:\n  host: 0.0.0.0\n  api_key: ${GONE}",
        "audio: {frame_ms: 30, frame_ms: 20}",
    ],
)
def test_no_conflict_with_a_value_that_is_wrong_anyway(profiles: Profiles, text: str) -> None:
    (found,) = profiles.faults(text)
    assert "which" not in found


def test_conflict_is_where_the_nearest_value_stands(profiles: Profiles) -> None:
    profiles.write("base", "output:\n  http_port: 9000\n  health_port: 9001")
    (found,) = profiles.faults("inherits: base\noutput:\n\n  health_port: 9000")
    assert found.startswith("default.yaml:4: output.http_port and output.health_port are all 9000")


# --- secrets ---


@pytest.mark.parametrize("show", [repr, str])
def test_secrets_are_not_shown(profiles: Profiles, show: Callable[[object], str]) -> None:
    config = profiles.load(
        "output: {api_key: hush}\nwakeword: {access_key: hush}\n"
        "vehicle: {mqtt_password: hush, kuksa_token: hush}"
    )
    assert "hush" not in show(config)
    assert {name for name, parameter in PARAMETERS.items() if parameter.secret} == {
        "output.api_key",
        "vehicle.kuksa_token",
        "vehicle.mqtt_password",
        "wakeword.access_key",
    }


@pytest.mark.parametrize("value", ["${KEY", "!!int ${KEY}", "[${KEY}]", "hush: hush", "- hush"])
def test_secrets_are_not_in_messages(profiles: Profiles, value: str) -> None:
    faults = profiles.faults(f"output:\n  api_key: {value}", KEY="hush")
    assert "hush" not in "".join(faults)
