"""What a browser may do with our pages.

What belongs here: the Content-Security-Policy and the headers beside it. What does not: the pages.

Vega is run with its own interpreter of expressions (`ast`), so no page needs `unsafe-eval`; there are no scripts and no
styles inside pages, so none needs `unsafe-inline`.
"""

from __future__ import annotations


def policy(*, built: bool, pictures: bool) -> str:
    """The Content-Security-Policy.

    Args:
        built: Whether the page is opened from disk, where files have no host that `'self'` could stand for.
        pictures: Whether images of other hosts are shown.
    """
    own = "'self' file:" if built else "'self'"
    connected = "'none'" if built else own
    parts = [
        "default-src 'none'",
        f"script-src {own}",
        f"style-src {own}",
        f"img-src {own} data:{' https: http:' if pictures else ''}",
        f"connect-src {connected}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if not built:
        parts.append("frame-ancestors 'none'")  # Reason: ignored in a page's own <meta>, with a warning.
    return "; ".join(parts)


def headers(*, pictures: bool) -> dict[str, str]:
    """Headers of every answer of the server."""
    return {
        "Content-Security-Policy": policy(built=False, pictures=pictures),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
