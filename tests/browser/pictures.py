"""Waiting for the picture of an explorer."""

QUIET_MS = 600


def changed(page, before: str) -> str:
    """Wait for another picture, then until no newer one follows, and return it."""
    image = page.locator(".jp-OutputArea img")
    page.wait_for_function(
        "before => document.querySelector('.jp-OutputArea img').src !== before", arg=before
    )
    found = ""
    while found != (found := image.get_attribute("src")):
        page.wait_for_timeout(QUIET_MS)
    return found
