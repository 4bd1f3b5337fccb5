"""rtap.transports.rest.try_page: what browsers get; what they do with it is tried in tests/browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from rtap.config import Config, OutputConfig
from rtap.transports.rest import try_page
from tests.backend.transports.serving import serving
from tests.deadlines import SOON

FILES = sorted(file.name for file in (try_page._FOLDER / "try").iterdir())


@pytest.fixture(scope="module", params=["", "sesame"], ids=["open", "locked"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with (
        serving(Config(output=OutputConfig(api_key=request.param))) as server,
        httpx.Client(base_url=f"http://{server.address}", timeout=SOON) as one,
    ):
        yield one


def test_the_page_is_no_secret(client: httpx.Client) -> None:
    reply = client.get("/try")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Try the voice assistant</title>" in reply.text


def test_all_that_the_page_names_is_there(client: httpx.Client) -> None:
    page = client.get("/try").text
    named = set(re.findall(r'(?:src|href)="([^"]+)"', page))
    assert named == {"try/icon.svg", "try/page.css", "try/page.js"}
    for name in named:
        assert client.get(f"/{name}").status_code == 200


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_is(client: httpx.Client, name: str) -> None:
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    reply = client.get(f"/try/{name}")
    assert reply.status_code == 200
    assert reply.headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]
    for imported in re.findall(r'from "\./([^"]+)"', reply.text):
        assert imported in FILES


@pytest.mark.parametrize("path", ["/try", "/try/page.js"])
def test_the_browser_is_told_to_be_strict(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("microphone=(self)")
    policy = headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any(word in headers["content-security-policy"] for word in ("unsafe", "http", "*"))


@pytest.mark.parametrize("path", ["/try/", "/try/none.js", "/try/%2e%2e/try.html"])
def test_nothing_else_is_served(client: httpx.Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_programs_see_what_they_always_saw(client: httpx.Client) -> None:
    assert client.get("/").json()["status"] == "running"
    assert not any(path.startswith("/try") for path in client.get("/openapi.json").json()["paths"])


def test_server_text_never_becomes_markup() -> None:
    scripts = [(try_page._FOLDER / "try" / name).read_text() for name in FILES if ".js" in name]
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not [found for text in scripts for found in re.findall(forbidden, text)]


def test_no_file_names_another_place() -> None:
    allowed = {"http://www.w3.org", "http://localhost", "https://"}
    for file in try_page._FOLDER.rglob("*.*"):
        addresses = set(re.findall(r"(?:https?|wss?)://[a-z0-9.-]*", file.read_text()))
        assert addresses <= allowed, file.name
