"""rtap.whisper.model_store: where models are looked for, and which one is taken."""

import pwd
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from rtap.errors import ModelError
from rtap.whisper.model_store import AUTO, BUNDLED_WARNING, Choice, ModelStore
from tests.backend.model_directories import make_model


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    for name in ("whisper-base", "whisper-tiny"):
        make_model(tmp_path / "models" / name)
    return store_at(tmp_path)


def store_at(root: Path, environment_choice: str = "") -> ModelStore:
    return ModelStore(
        root / "models", root / "bundled", root / "config" / "model.json", environment_choice
    )


@pytest.mark.parametrize(
    ("environment", "models_dir", "choice_file"),
    [
        ({}, "/home/me/.local/share/rtap/models", "/home/me/.config/rtap/model.json"),
        ({"MODELS_DIR": "/m"}, "/m", "/home/me/.config/rtap/model.json"),
        ({"MODELS_DIR": "~/m"}, "/home/me/m", "/home/me/.config/rtap/model.json"),
        (
            {"XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c", "MODELS_DIR": ""},
            "/d/rtap/models",
            "/c/rtap/model.json",
        ),
        (
            {"XDG_DATA_HOME": "relative", "XDG_CONFIG_HOME": ""},
            "/home/me/.local/share/rtap/models",
            "/home/me/.config/rtap/model.json",
        ),
    ],
)
def test_places(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    models_dir: str,
    choice_file: str,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    store = ModelStore.from_environment(environment)
    assert store.models_dir == Path(models_dir)
    assert store.choice_file == Path(choice_file)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 06: no HOME, and a number that no user has."""

    def unknown(_: int) -> NoReturn:
        raise KeyError("uid not found")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_nothing_in_a_home_is_needed(nobody: None) -> None:
    assert ModelStore.from_environment({}).resolve().path.name == "cabin-en"
    assert ModelStore.from_environment({"MODELS_DIR": "/m"}).models_dir == Path("/m")
    assert ModelStore.from_environment({"MODELS_DIR": "~/m"}).models_dir == Path("~/m")
    assert ModelStore.from_environment({}).resolve("auto").path.name == "cabin-en"
    with pytest.raises(ModelError, match="no model ~/base"):
        ModelStore.from_environment({}).resolve("~/base")


def test_a_home_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME is root's, in a container that runs under another number. Root may enter everything, hence the
    doubles."""
    home = tmp_path / "root"

    def refuse(path: Path, *_: object, **__: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    is_dir = Path.is_dir
    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(
        Path, "is_dir", lambda path: refuse(path) if home in path.parents else is_dir(path)
    )
    store = replace(
        ModelStore.from_environment({}),
        models_dir=home / ".local" / "share" / "rtap" / "models",
        choice_file=home / ".config" / "rtap" / "model.json",
    )
    assert store.choose().model == "cabin-en"
    home.joinpath(".config", "rtap").mkdir(parents=True)
    with pytest.raises(ModelError, match="may not be read"):
        store.choose()  # the directory is ours, the file is not


def test_order_of_choices(store: ModelStore, tmp_path: Path) -> None:
    make_model(tmp_path / "bundled" / "cabin-en")
    elsewhere = make_model(tmp_path / "elsewhere")
    assert store.resolve().path.name == "cabin-en"
    store.use("whisper-base")
    assert store.resolve().path.name == "whisper-base"
    wished = store_at(tmp_path, environment_choice="whisper-tiny")
    assert wished.resolve().path.name == "whisper-tiny"
    assert wished.resolve(str(elsewhere)).path == elsewhere
    assert wished.resolve("cabin-en").path.parent.name == "bundled"


def test_auto_names_nothing(store: ModelStore, tmp_path: Path) -> None:
    make_model(tmp_path / "bundled" / "cabin-en")
    for unsaid in (None, "", AUTO):
        choice = store.choose(unsaid)
        assert (choice.model, choice.warning) == ("cabin-en", BUNDLED_WARNING)
        assert choice.reason == f"there is no whisper-base-int8 in {tmp_path}/models"
    store.use("whisper-base")
    assert store.choose(AUTO) == Choice("whisper-base", "`rtap models use` chose it")
    wished = store_at(tmp_path, environment_choice="whisper-tiny")
    assert wished.choose(AUTO) == Choice("whisper-tiny", "MODEL_NAME says so")
    assert wished.choose("cabin-en") == Choice("cabin-en", "")


def test_the_default_understands_people(store: ModelStore, tmp_path: Path) -> None:
    make_model(tmp_path / "bundled" / "cabin-en")
    make_model(tmp_path / "models" / "whisper-base-int8")
    assert store.choose() == Choice("whisper-base-int8", "the default")
    # A model that was asked for needs no advice.
    assert store.choose("cabin-en").warning == ""
    store.use("cabin-en")
    assert store.choose() == Choice("cabin-en", "`rtap models use` chose it")


@pytest.mark.parametrize(
    ("variable", "choice"), [("", ""), (" ", ""), (AUTO, ""), (" whisper-tiny\n", "whisper-tiny")]
)
def test_what_the_environment_names(variable: str, choice: str) -> None:
    assert ModelStore.from_environment({"MODEL_NAME": variable}).environment_choice == choice


def test_the_users_models_come_before_the_bundled(store: ModelStore, tmp_path: Path) -> None:
    make_model(tmp_path / "bundled" / "whisper-base")
    assert store.resolve("whisper-base").path == tmp_path / "models" / "whisper-base"


def test_use_remembers_names_and_paths(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.use(str(tmp_path / "models" / "whisper-tiny"))
    assert '"whisper-tiny"' in store.choice_file.read_text()
    make_model(tmp_path / "here" / "mine")
    monkeypatch.chdir(tmp_path / "here")
    store.use("mine")
    monkeypatch.chdir(tmp_path)
    assert store.resolve().path == tmp_path / "here" / "mine"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("whisper-bse", "did you mean whisper-base"),
        ("xyzzy", "there are whisper-base, whisper-tiny"),
        ("openai/whisper-base", "`make model MODEL=openai/whisper-base`"),
        ("./none", "no model ./none"),
        ("..", "manifest.json"),
    ],
)
def test_unknown_models(store: ModelStore, wanted: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        store.resolve(wanted)
    assert message in str(caught.value)
    with pytest.raises(ModelError):
        store.use(wanted)
    assert not store.choice_file.exists()


def test_nothing_chosen(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"`rtap models use NAME`.* whisper-base, whisper-tiny"):
        store.resolve()
    with pytest.raises(ModelError, match="make model"):
        store_at(tmp_path / "other").resolve()


def test_messages_say_where_the_name_came_from(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="MODEL_NAME"):
        store_at(tmp_path, environment_choice="gone").resolve()
    store.choice_file.parent.mkdir()
    store.choice_file.write_text('{"model": "gone"}')
    with pytest.raises(ModelError, match="`rtap models use` chose it"):
        store.resolve()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\0"])
def test_damaged_choice(store: ModelStore, text: str) -> None:
    store.choice_file.parent.mkdir()
    store.choice_file.write_text(text)
    with pytest.raises(ModelError, match="run `rtap models use NAME` again"):
        store.resolve()


def test_list(store: ModelStore, tmp_path: Path) -> None:
    make_model(tmp_path / "bundled" / "cabin-en")
    make_model(tmp_path / "models" / ".half")
    (tmp_path / "models" / "unrelated").mkdir()
    damaged = make_model(tmp_path / "models" / "damaged")
    (damaged / "config.json").unlink()
    models = store.list_models()
    assert [model.name for model in models] == [
        "damaged",
        "whisper-base",
        "whisper-tiny",
        "cabin-en",
    ]
    assert [model.bundled for model in models] == [False, False, False, True]
    assert models[0].directory is None
    assert "config.json is missing" in models[0].problem


def test_list_of_nothing(tmp_path: Path) -> None:
    assert store_at(tmp_path).list_models() == []


def test_models_dir_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(ModelError, match="check MODELS_DIR"):
        store_at(tmp_path).list_models()
