"""`/docs`: every call on one page, without a script and without anything from elsewhere; and who to tell of a hole."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from service.access.guards import public
from service.clock import real_now
from service.errors import NotFound

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #212b32 }
h2 { border-bottom: 1px solid #aeb7bd; margin-top: 2.5rem } h3 { font-size: 1rem; margin-bottom: 0 }
code { font: 0.9em ui-monospace, monospace } summary { cursor: pointer } p { margin: 0.2rem 0 }
table { border-collapse: collapse } td, th { padding: 0.1rem 1rem 0.1rem 0; text-align: left; vertical-align: top }
pre { background: #f0f4f5; overflow: auto; padding: 1rem }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
VALID_FOR = timedelta(days=180)
"""RFC 9116 wants an end, less than a year away."""


router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def get_docs(request: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


@router.get("/")
async def get_root() -> RedirectResponse:
    """To the page."""
    return RedirectResponse("/docs")


@router.get("/.well-known/security.txt")
@public("whoever finds a hole has no account")
async def get_security(request: Request) -> PlainTextResponse:
    """Whom to write to; raises NotFound when there is nobody."""
    contact = request.app.state.settings.security_contact
    if not contact:
        raise NotFound
    expires = (real_now() + VALID_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (f"Contact: {contact}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: en")
    return PlainTextResponse("\n".join(lines) + "\n", headers={"Cache-Control": "max-age=86400"})


def page(document: dict[str, Any]) -> str:
    """The OpenAPI document as a page to read."""
    info = {name: escape(text) for name, text in document["info"].items()}
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append("".join(_operation(method, path, operation)))
    parts = [f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items()]
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{info['title']}</title>"
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>{info['title']} {info['version']}</h1><p>{info['description']}</p>"
        f'<p><a href="/openapi.json">openapi.json</a>, for tools.</p>{"".join(parts)}<h2>Schemas</h2>{schemas}'
        "</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary') or '')}</p>"
    scopes = [scope for each in operation.get("security", ()) for names in each.values() for scope in names]
    if scopes:
        yield f"<p>Needs <code>{'</code> or <code>'.join(map(escape, scopes))}</code>.</p>"
    elif "security" in operation:
        yield "<p>Needs any token.</p>"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "<table>"
        for each in parameters:
            needed = "required" if each.get("required") else ""
            text = escape(each.get("description", ""))
            yield f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}<td>{needed}<td>{text}"
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>Takes {_names(body)}</p>"
    for status, answer in sorted(operation.get("responses", {}).items()):
        if status != "default":
            yield f"<p>{escape(status)}: {escape(answer.get('description', ''))} {_names(answer)}</p>"


def _names(part: dict[str, Any]) -> str:
    found = []
    for media, content in part.get("content", {}).items():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        link = f' <a href="#{escape(name)}">{escape(name)}</a>' if name else ""
        found.append(f"<code>{escape(media)}</code>{link}")
    return ", ".join(found)


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>'
