"""Whether there is a hub, found out in a bounded time; test_checkpoint.py fetches from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import huggingface_hub
import pytest
import requests
from huggingface_hub import constants

from tools.model.conversion import hub

Answer = Callable[[], object]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Sets what the hub does when it is asked."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def set_answer(answer: Answer) -> None:
        class Api:
            def model_info(self, name: str, timeout: float) -> object:
                return answer()

        monkeypatch.setattr(huggingface_hub, "HfApi", Api)

    return set_answer


def refuses() -> object:
    raise requests.ConnectionError("unreachable")


def test_a_hub_that_has_it(says: Callable[[Answer], None]) -> None:
    says(lambda: SimpleNamespace(id="openai/whisper-base"))
    assert hub.answers("openai/whisper-base")


def test_no_network(says: Callable[[Answer], None]) -> None:
    says(refuses)
    assert not hub.answers("openai/whisper-base")


def test_a_hub_that_never_answers(says: Callable[[Answer], None]) -> None:
    ended = threading.Event()
    says(ended.wait)
    assert not hub.answers("openai/whisper-base", seconds=0.05)
    ended.set()


def test_switched_off_it_is_not_asked(
    says: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    says(lambda: asked.append(True))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not hub.answers("openai/whisper-base")
    assert not asked
