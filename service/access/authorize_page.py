"""The page on which a person signs in for a dashboard of others. Plain HTML: no script, nothing from elsewhere; it
works with a keyboard, a screen reader and at any size of text."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from service.access.authorization import CARRIED, Wish
from service.access.principals import SCOPES

STYLE = """
body { font: 18px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 34rem; padding: 0 1rem; color: #212b32 }
h1 { font-size: 1.6rem } label { display: block; font-weight: 600; margin-top: 1rem }
input { border: 2px solid #4c6272; box-sizing: border-box; font: inherit; padding: 0.4rem; width: 100% }
button { border: 2px solid #00401e; cursor: pointer; font: inherit; font-weight: 600; margin: 1.5rem 1rem 0 0;
  padding: 0.5rem 1.2rem; background: #007f3b; color: #fff }
button.no { background: #fff; border-color: #4c6272; color: #212b32 }
input:focus, button:focus, [role=alert]:focus { outline: 4px solid #ffeb3b; border-color: #212b32 }
[role=alert] { border: 4px solid #d5281b; padding: 0 1rem } .hint { color: #4c6272; margin: 0 }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def headers(wish: Wish | None = None) -> dict[str, str]:
    """How browsers may use the page. A form's answer may send the person on to the dashboard, and nowhere else."""
    target = f"'self' {wish.origin}" if wish else "'none'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action {target}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def sign_in(wish: Wish, asked: Mapping[str, str], path: str, problem: str = "") -> str:
    """The page with the form; `problem` is why the person sees it again."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in CARRIED if name in asked
    )
    may = "".join(f"<li>{escape(SCOPES[scope])}</li>" for scope in sorted(wish.scopes))
    alert = f'<div role="alert" tabindex="-1"><p><strong>{escape(problem)}</strong></p></div>' if problem else ""
    code = (
        '<label for="otp">Code from your authenticator app</label>'
        '<p class="hint" id="otp-hint">If you have set one up: six digits, or a recovery code</p>'
        '<input id="otp" name="otp" aria-describedby="otp-hint" autocomplete="one-time-code" maxlength="20">'
    )
    name = escape(wish.client_name)
    return _page(
        f"{'Error: ' if problem else ''}Sign in for {wish.client_name}",
        f"<h1>Sign in to let {name} work for you</h1>{alert}"
        f"<p><strong>{name}</strong> ({escape(wish.origin)}) asks to do this for you, on wards that both of you"
        f" work on:</p><ul>{may}</ul><p>It does not see your password. Sign in only if you came here from it.</p>"
        f'<form method="post" action="{path}">{hidden}'
        '<label for="username">E-mail address</label>'
        f'<input id="username" name="username" type="email" autocomplete="username" required maxlength="254"'
        f' value="{escape(asked.get("username", ""))}">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required'
        f' maxlength="256">{code}'
        '<button name="answer" value="allow">Sign in and allow</button>'
        '<button name="answer" value="deny" class="no" formnovalidate>Cancel</button></form>',
    )


def refusal(text: str) -> str:
    """The page for a request of which we do not know whose it is."""
    return _page("Sign-in not possible", f"<h1>Sign-in not possible</h1><p>{escape(text)}</p>")


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Wardwatch</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
