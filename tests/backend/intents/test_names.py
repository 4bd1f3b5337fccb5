"""Files of names."""

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from rtap.intents.names import read_names


def test_names(tmp_path: Path):
    path = tmp_path / "contacts.txt"
    path.write_text("# family\nAnna Huber, Anna , my sister\n\n  Mum\n,\n", "utf-8")
    assert list(read_names(path)) == [
        ("Anna Huber", ("Anna Huber", "Anna", "my sister"), f"{path}:2"),
        ("Mum", ("Mum",), f"{path}:4"),
    ]


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="is not there: write it"):
        list(read_names(tmp_path))
