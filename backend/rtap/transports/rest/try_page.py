"""``GET /try``: a page that speaks to ``/stream`` from a browser, to try the service without a program.

Its files are in ``pages``, under the paths that they are served at. They load nothing from anywhere else, and
the page itself is no secret: it asks for the API key where one is configured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response

_FOLDER: Final = Path(__file__).with_name("pages")
_PAGE: Final = "try.html"
_MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    # Older browsers do not count WebSockets to the page's own address as 'self'.
    "connect-src": "'self' ws: wss:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def try_page() -> APIRouter:
    """Routes for the API's application. They are for browsers, so they stay out of ``/openapi.json``."""
    routes = APIRouter(include_in_schema=False)
    _serve(routes, "/try", _FOLDER / _PAGE)
    for file in sorted((_FOLDER / "try").iterdir()):
        _serve(routes, f"/try/{file.name}", file)
    return routes


def _serve(routes: APIRouter, path: str, file: Path) -> None:
    """Read now, so that no path from a request ever names a file."""
    content, media_type = file.read_bytes(), _MEDIA_TYPES[file.suffix]

    @routes.get(path)
    async def send() -> Response:
        return Response(content, media_type=media_type, headers=_HEADERS)
