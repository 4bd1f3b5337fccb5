"""The page ``/try`` in a real browser: spoken to, given files, and let down in all ways that it foresees.

`RTAP_SCREENSHOT=.github/images/try.png pytest tests/browser -k picture` makes the README's picture.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from rtap.config import LimitsConfig, OutputConfig
from tests.backend.transports.serving import Server, serving, wait_until
from tests.browser.conftest import (
    ELSEWHERE,
    Browse,
    spoken,
    write_microphone,
)
from tests.browser.try_page import (
    NBSP,
    page_of,
    problem,
    quick,
    said,
    shown,
    state,
    step,
    type_command,
)
from tests.deadlines import SOON
from tests.running_service import AUDIO, COMMAND, Running, service
from tools.process.ports import free_ports

KEY = "sésame & open"
RECORD_PARTIALS = """
window.partials = [];
addEventListener("DOMContentLoaded", () => {
  const partial = document.getElementById("partial");
  new MutationObserver(() => window.partials.push(partial.textContent)).observe(
    partial, { childList: true, characterData: true, subtree: true });
});
"""
KEEP_MEDIA = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => (window.media = await ask(wanted));
"""
TALL_BARS = """
(canvas) => {
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const row = Math.round(height * 0.35) * width;
  let tall = 0;
  for (let at = row; at < row + width; at += 1) tall += pixels[4 * at + 3] > 0;
  return tall;
}
"""


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One command, after a while in which the page begins to listen."""
    path = tmp_path_factory.mktemp("microphone") / "command.wav"
    return write_microphone(path, 3.0, spoken("set_the_temperature"), 10.0)


@pytest.fixture
def car(tmp_path: Path) -> Iterator[Server]:
    """A service whose answers are made up."""
    with serving(quick(tmp_path)) as server:
        yield server


def test_a_spoken_command_grows_into_an_answer(
    browse: Browse, running: Running, microphone: Path
) -> None:
    visit = browse(running.url("/try"), microphone, script=RECORD_PARTIALS)
    page = visit.page
    expect(page.locator("#model")).to_have_text("cabin-en")
    expect(page.locator("#warning")).to_contain_text("does not understand people reliably")
    page.get_by_role("button", name="Speak").click()
    state(page, "listening")
    expect(page.locator("#partial")).not_to_be_empty()
    assert page.locator("#waveform").evaluate(TALL_BARS) > 10
    said(page, COMMAND)

    partials = [text for text in page.evaluate("window.partials") if text]
    assert partials
    assert partials[0] != COMMAND
    assert all(later.startswith(text) for text, later in pairwise(partials))
    assert COMMAND.startswith(partials[-1])
    expect(page.locator("#finals .code")).to_have_text("EN")
    by_service = seconds_in(page.locator("#finals .latency"))
    here = seconds_in(page.locator("#finals .here"))
    assert 0.3 < by_service <= here < SOON
    assert page.locator("#finals time").get_attribute("datetime")

    page.get_by_role("button", name="Stop").click()
    state(page, "ready")
    said(page, COMMAND)
    step(page, "intent", "SetTemperature")
    step(page, "action", "Done")
    step(page, "answer", "The temperature is 21 degrees.")
    expect(shown(page, "Temperature")).to_contain_text([f"21{NBSP}°C"] * 4)
    assert "intents=execute" in visit.sockets[0]
    assert visit.console == []
    assert visit.hosts() == {f"127.0.0.1:{running.port}"}
    assert len(visit.sockets) == 1
    assert "sample_rate=" in visit.sockets[0]


def seconds_in(place: Locator) -> float:
    found = re.search(r"(\d+\.\d\d) s", place.inner_text())
    assert found
    return float(found[1])


def test_a_file_becomes_text(browse: Browse, running: Running) -> None:
    visit = browse(running.url("/try"))
    page = visit.page
    state(page, "ready")
    page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
    state(page, "listening")
    expect(page.get_by_label("Choose a file")).to_be_disabled()
    said(page, "navigate home")
    state(page, "ready")
    assert page.locator("#waveform").evaluate(TALL_BARS) > 10
    # The same file once more, in a language that is chosen.
    page.get_by_label("Language").select_option(label="English")
    page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
    said(page, "navigate home", "navigate home")
    state(page, "ready")
    assert "language=en" in visit.sockets[1]
    assert visit.console == []


def test_a_file_may_be_dropped(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    drop_file(page, "command.wav", list((AUDIO / "navigate_home.wav").read_bytes()))
    expect(page.locator("#finals .said")).to_contain_text("somebody spoke")


def drop_file(page: Page, name: str, content: list[int]) -> None:
    page.evaluate(
        """([name, content]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(content)], name));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
        }""",
        [name, content],
    )


def test_what_is_no_audio_is_refused_in_words(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    drop_file(page, "letter.txt", list(b"hello"))
    problem(page, "letter.txt could not be read as audio")
    state(page, "failed")
    # And then one that is.
    page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
    expect(page.locator("#finals .said")).to_contain_text("somebody spoke")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_only_one_runs_at_a_time(browse: Browse, car: Server, microphone: Path) -> None:
    visit = browse(page_of(car), microphone)
    state(visit.page, "ready")
    visit.page.get_by_role("button", name="Speak").click()
    drop_file(visit.page, "command.wav", list((AUDIO / "navigate_home.wav").read_bytes()))
    state(visit.page, "listening")
    visit.page.locator("#retry").dispatch_event("click")
    visit.page.get_by_role("button", name="Stop").click()
    state(visit.page, "ready")
    assert len(visit.sockets) == 1


def test_a_key_is_asked_for_and_kept(browse: Browse, tmp_path: Path) -> None:
    with serving(quick(tmp_path, output=OutputConfig(api_key=KEY))) as server:
        visit = browse(page_of(server))
        page = visit.page
        field = page.get_by_label("API key")
        expect(field).to_be_focused()
        expect(page.get_by_role("button", name="Speak")).to_be_disabled()
        drop_file(page, "command.wav", list((AUDIO / "navigate_home.wav").read_bytes()))
        field.fill("guess")
        field.press("Enter")
        problem(page, "does not know this key")
        field.fill(KEY)
        page.get_by_role("button", name="Use this key").click()
        state(page, "ready")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(field).to_be_hidden()
        assert visit.sockets == []
        page.reload()
        state(page, "ready")
        page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
        expect(page.locator("#finals .said")).to_contain_text("somebody spoke")
        assert not any(quote(KEY) in url for url in visit.requested)
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length") == 0


def test_a_model_that_is_being_loaded_is_waited_for(browse: Browse, car: Server) -> None:
    facts, car.service.facts = car.service.facts, None
    page = browse(page_of(car)).page
    state(page, "loading")
    problem(page, "the speech model is being loaded")
    car.service.facts = facts
    state(page, "ready")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_who_begins_before_the_model_is_there_waits(browse: Browse, car: Server) -> None:
    facts, car.service.facts = car.service.facts, None
    car.service.stt.ready.clear()
    page = browse(page_of(car)).page
    state(page, "loading")
    page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
    state(page, "loading")
    expect(page.get_by_role("button", name="Stop")).to_be_enabled()
    car.service.facts = facts
    car.service.stt.ready.set()
    expect(page.locator("#finals .said")).to_contain_text("somebody spoke")


def test_a_service_that_is_full_says_so(browse: Browse, tmp_path: Path) -> None:
    with serving(quick(tmp_path, limits=LimitsConfig(max_streams=1))) as server:
        first, second = browse(page_of(server)).page, browse(page_of(server)).page
        server.service.engine.gate.clear()
        for page in (first, second):
            state(page, "ready")
            page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
            if page is first:  # else the other may be the one that is let in
                connected = re.compile("listening|finishing")
                expect(page.locator("body")).to_have_attribute("data-state", connected)
        problem(second, "streams are open already")
        state(second, "failed")
        server.service.engine.gate.set()
        state(first, "ready")
        second.get_by_role("button", name="Try again").click()
        expect(second.locator("#finals .said")).to_contain_text("somebody spoke")


def test_a_service_that_goes_and_comes_back(
    browse: Browse, tmp_path: Path, microphone: Path
) -> None:
    ports = free_ports()
    with service(tmp_path, output=ports) as gone:
        gone.wait_until_healthy()
        page = browse(gone.url("/try"), microphone).page
        state(page, "ready")
        page.get_by_role("button", name="Speak").click()
        state(page, "listening")
        gone.process.kill()
        problem(page, "The connection to the service is lost")
        state(page, "failed")
        page.get_by_role("button", name="Try again").click()
        problem(page, "The service does not answer")
    with service(tmp_path, output=ports) as back:
        back.wait_until_healthy()
        page.get_by_role("button", name="Try again").click()
        state(page, "listening")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_page_that_finds_no_service(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    page.route("**/model/info", lambda route: route.abort())
    page.reload()
    problem(page, "The service does not answer")
    expect(page.get_by_role("button", name="Speak")).to_be_enabled()
    page.unroute("**/model/info")
    page.get_by_role("button", name="Try again").click()
    state(page, "ready")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_user_who_says_no(browse: Browse, car: Server, microphone: Path) -> None:
    page = browse(page_of(car), microphone, allowed=False).page
    state(page, "ready")
    page.get_by_role("button", name="Speak").click()
    problem(page, "does not let this page use the microphone")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_machine_without_a_microphone(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    page.get_by_role("button", name="Speak").click()
    problem(page, "There is no microphone")


def test_a_microphone_that_is_pulled_out(browse: Browse, car: Server, microphone: Path) -> None:
    page = browse(page_of(car), microphone, script=KEEP_MEDIA).page
    state(page, "ready")
    page.get_by_role("button", name="Speak").click()
    state(page, "listening")
    page.evaluate("window.media.getTracks()[0].dispatchEvent(new Event('ended'))")
    problem(page, "The microphone is gone")
    state(page, "ready")
    assert page.evaluate("window.media.getTracks()[0].readyState") == "ended"


def test_the_microphone_is_let_go(browse: Browse, car: Server, microphone: Path) -> None:
    page = browse(page_of(car), microphone, script=KEEP_MEDIA).page
    state(page, "ready")
    page.get_by_role("button", name="Speak").click()
    state(page, "listening")
    page.get_by_role("button", name="Stop").click()
    state(page, "ready")
    assert page.evaluate("window.media.getTracks()[0].readyState") == "ended"
    wait_until(lambda: car.metric('rtap_streams_open{transport="stream"} 0.0'))


def test_a_page_that_browsers_do_not_trust(
    browse: Browse, running: Running, microphone: Path
) -> None:
    page = browse(running.url("/try", host=ELSEWHERE), microphone).page
    state(page, "ready")
    expect(page.get_by_role("button", name="Speak")).to_be_disabled()
    advice = page.get_by_text("Browsers give the microphone only to pages from https://")
    expect(advice).to_contain_text(f"http://localhost:{running.port}/try")


def test_what_the_service_says_is_text_and_no_markup(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    evil = "<img src=x onerror=alert(1)>"
    page.route_web_socket(
        "**/stream*",
        lambda socket: socket.send(
            f'{{"type":"error","timestamp":1,"code":"x","message":"{evil}"}}'
        ),
    )
    page.get_by_label("Choose a file").set_input_files(AUDIO / "navigate_home.wav")
    problem(page, evil)
    assert page.locator("img").count() == 0


def test_everything_has_a_name_and_can_be_reached(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    state(page, "ready")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for role, name in [
        ("button", "Speak"),
        ("combobox", "Language"),
        ("meter", "Volume"),
        ("img", "Waveform of the last seconds"),
        ("region", "What was understood"),
        ("region", "Car"),
        ("textbox", "Command"),
        ("group", "A command"),
        ("radio", "Only understand"),
    ]:
        expect(page.get_by_role(role, name=name, exact=True)).to_have_count(1)  # type: ignore[arg-type]
    expect(page.locator("#state")).to_have_text("Ready")
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert reached == ["speak", "command", "send", "undo", "wish", "language", "file"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_all_of_it(browse: Browse, car: Server, scheme: str) -> None:
    size = {"width": 360, "height": 740}
    page = browse(page_of(car), viewport=size, color_scheme=scheme).page
    state(page, "ready")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    box = page.locator("#welcome").bounding_box()
    assert box
    assert box["width"] > 300
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) > 384) is (scheme == "light")


def test_a_picture_of_the_page(browse: Browse, running: Running, tmp_path: Path) -> None:
    """After the second command, when the car has done it."""
    sound = write_microphone(
        tmp_path / "two.wav",
        *(2.0, spoken("navigate_home"), 1.5, spoken("set_the_temperature"), 8.0),
    )
    size = {"width": 1280, "height": 720}
    page = browse(running.url("/try"), sound, viewport=size, color_scheme="light").page
    state(page, "ready")
    expect(page.get_by_label("Do it")).to_be_checked()
    type_command(page, "set the temperature to 19 degrees")
    step(page, "action", "Done")
    page.get_by_role("button", name="Speak").click()
    said(page, COMMAND, "navigate home", "set the temperature to 19 degrees")
    expect(page.locator(".new")).to_have_count(4)
    step(page, "answer", "The temperature is 21 degrees.")
    picture = Path(os.environ.get("RTAP_SCREENSHOT") or tmp_path / "try.png")
    page.screenshot(path=picture)
    assert 5_000 < picture.stat().st_size < 200_000
    assert page.evaluate("document.documentElement.scrollHeight") <= size["height"]
