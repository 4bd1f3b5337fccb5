"""The page ``/try`` from a command to the car: what is done, asked and taken back, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from rtap.config import OutputConfig, VehicleConfig
from tests.backend.assistant.french_car import VOLUME, french_car
from tests.backend.transports.serving import Server, serving
from tests.browser.conftest import Browse
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
from tests.running_service import Running

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def car(tmp_path: Path) -> Iterator[Server]:
    """A service with a simulated car and two sentences."""
    config = french_car(tmp_path)
    with serving(replace(config, stt=replace(config.stt, language="fr"))) as server:
        yield server


def volume(page: Page) -> str:
    return page.locator(f"[title^='{VOLUME}:']").inner_text()


def ready(page: Page) -> None:
    state(page, "ready")
    expect(page.locator("#adapter")).to_have_text("simulated")


def test_a_typed_command_is_done_shown_and_taken_back(browse: Browse, running: Running) -> None:
    visit = browse(running.url("/try"))
    page = visit.page
    ready(page)
    expect(page.get_by_label("Do it")).to_be_checked()
    type_command(page, "Set the temperature to 23 degrees.")
    said(page, "Set the temperature to 23 degrees.")
    step(page, "intent", f"SetTemperaturetemperature 23{NBSP}°C")
    step(page, "action", "Done")
    step(page, "action", f"Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature 23{NBSP}°C")
    step(page, "answer", "The temperature is 23 degrees.")
    expect(page.locator(".figures")).to_have_text("ENtyped")
    expect(page.get_by_label("Command", exact=True)).to_have_value("")
    changed = shown(page, "Temperature")
    for one in changed.all():
        expect(one).to_have_class("value new")
        expect(one).to_contain_text(f"23{NBSP}°Cwas ")
    expect(page.locator("summary", has_text="Climate")).to_have_text("Climate4 changed")
    before = changed.first.locator("small").inner_text().removeprefix("was ")

    page.get_by_role("button", name="Undo").click()
    said(page, "undo", "Set the temperature to 23 degrees.")
    step(page, "action", "Done")
    expect(changed.first).to_contain_text(f"{before}was 23{NBSP}°C")
    assert visit.console == []
    assert visit.hosts() == {f"127.0.0.1:{running.port}"}


def test_a_question_is_answered_in_the_next_turn(browse: Browse, running: Running) -> None:
    page = browse(running.url("/try")).page
    ready(page)
    type_command(page, "call anna")
    step(page, "action", "Asks which one is meant")
    step(page, "options", "Anna Schmidt")
    step(page, "options", "Anna Berg")
    type_command(page, "Berg")
    step(page, "intent", "Anna Berg")
    expect(page.locator("#finals > li:first-child .asked")).to_have_count(0)


def test_what_is_only_understood_is_not_done(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    ready(page)
    before = volume(page)
    page.get_by_label("Only understand").check()
    type_command(page, "plus fort")
    step(page, "intent", "RaiseVolume")
    expect(page.locator(".action")).to_have_count(0)
    page.get_by_label("Do it").check()
    type_command(page, "plus fort")
    step(page, "action", "Done")
    expect(page.locator(f"[title^='{VOLUME}:']")).to_contain_text(f"was {before}")
    expect(page.locator("details", has=page.locator(".new"))).to_have_attribute("open", "")


def test_what_others_do_in_the_car_is_seen(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    ready(page)
    car.service.assistant.handle("plus fort", "fr", execute=True)
    expect(page.locator(".new")).to_have_count(1)
    assert page.locator("#finals li").count() == 0


def test_a_refusal_says_why(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    ready(page)
    type_command(page, "chauffe à 21 degrés")
    step(page, "refused", "Refused: ")
    step(page, "refused", "the table")


def test_the_nearest_sentence_is_offered_and_not_done(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    ready(page)
    type_command(page, "plus for")
    step(page, "intent", "No command that is known")
    step(page, "action", "Asks whether something near was meant")
    page.get_by_role("button", name="plus fort").click()
    expect(page.get_by_label("Command", exact=True)).to_have_value("plus fort")
    assert page.locator("#finals > li").count() == 1
    page.get_by_role("button", name="Send").click()
    step(page, "action", "Done")


def test_a_language_without_sentences_is_told(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    ready(page)
    page.get_by_label("Language").select_option(label="German")
    type_command(page, "lauter")
    problem(page, "intents.languages leaves de out")
    state(page, "ready")
    page.get_by_label("Language").select_option(label="Automatic")
    type_command(page, "plus fort")
    step(page, "action", "Done")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_command_that_does_not_arrive_is_sent_again(browse: Browse, car: Server) -> None:
    visit = browse(page_of(car))
    page = visit.page
    ready(page)
    sent: list[str] = []

    def lose_the_answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fetch()
        route.abort()

    page.route("**/intent", lose_the_answer)
    type_command(page, "plus fort")
    problem(page, "The service does not answer")
    page.unroute("**/intent")
    with page.expect_request("**/intent") as again:
        page.get_by_role("button", name="Try again").click()
    step(page, "action", "Done")
    assert again.value.post_data == sent[0]
    state(page, "ready")
    expect(page.locator(f"[title^='{VOLUME}:']")).to_contain_text(f"40{NBSP}%")


def test_no_car_is_told_and_nothing_is_done_by_itself(browse: Browse, tmp_path: Path) -> None:
    with serving(quick(tmp_path, vehicle=VehicleConfig(adapter="none"))) as server:
        page = browse(page_of(server)).page
        state(page, "ready")
        expect(page.locator("#car-problem")).to_contain_text("choose another vehicle.adapter")
        expect(page.get_by_label("Only understand")).to_be_checked()


def test_a_service_that_goes_leaves_the_car_unknown(browse: Browse, tmp_path: Path) -> None:
    with serving(quick(tmp_path)) as server:
        page = browse(page_of(server)).page
        ready(page)
        page.route("**/vehicle", lambda route: route.abort())
        expect(page.locator("#car-problem")).to_contain_text("The service does not answer")
        expect(page.locator("#signals")).to_have_class("stale")
        page.unroute("**/vehicle")
        expect(page.locator("#car-problem")).to_be_empty()
        expect(page.locator("#signals")).not_to_have_class("stale")


def test_a_key_that_is_no_longer_known_is_asked_for(browse: Browse, tmp_path: Path) -> None:
    with serving(quick(tmp_path, output=OutputConfig(api_key="sesame"))) as server:
        page = browse(page_of(server)).page
        page.get_by_label("API key").fill("sesame")
        page.get_by_role("button", name="Use this key").click()
        ready(page)
        refusal = {"error": {"message": "this service wants an API key"}}
        page.route("**/intent", lambda route: route.fulfill(status=401, json=refusal))
        type_command(page, "undo")
        problem(page, "does not know this key")
        state(page, "locked")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        expect(page.locator("#signals")).to_be_empty()


def test_what_the_service_says_is_text_and_no_markup(browse: Browse, car: Server) -> None:
    page = browse(page_of(car)).page
    signal = {"path": f"Vehicle.{EVIL}", "value": EVIL, "unit": EVIL}
    slot = {"name": EVIL, "value": EVIL, "unit": EVIL, "text": EVIL}
    intent = {"name": EVIL, "slots": [slot], "confidence": 0.5, "matching": 1}
    reply = {
        "text": EVIL,
        "language": "en",
        "intent": intent,
        "alternatives": [intent],
        "did_you_mean": EVIL,
        "question": None,
        "action": {"outcome": "done", "held": [signal], "reason": {"text": EVIL}},
        "answer": {"text": EVIL},
    }
    shown_car = {"adapter": EVIL, "signals": [signal]}
    page.route("**/vehicle", lambda route: route.fulfill(body=json.dumps(shown_car)))
    page.route("**/intent", lambda route: route.fulfill(body=json.dumps(reply)))
    state(page, "ready")
    expect(page.locator("#adapter")).to_have_text(EVIL)
    type_command(page, "whatever")
    said(page, EVIL)
    step(page, "answer", EVIL)
    assert page.locator("img").count() == 0
