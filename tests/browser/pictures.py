"""Waiting for the picture of an explorer."""

QUIET_MS = 600


def changed(page, before: str, picture: str = ".jp-OutputArea img") -> str:
    """Wait for another picture, then until no newer one follows, and return it."""
    image = page.locator(picture)
    page.wait_for_function(
        "([picture, before]) => document.querySelector(picture).src !== before",
        arg=[picture, before],
    )
    found = ""
    while found != (found := image.get_attribute("src")):
        page.wait_for_timeout(QUIET_MS)
    return found
