"""JupyterLab's light and dark theme, and what cannot be read or does not fit in a page."""

from __future__ import annotations

LEAST_CONTRAST = 4.5
"""Of text and what lies behind it, as WCAG 2.1 wants it on level AA."""

# A colour as [red, green, blue, opacity]; what lies behind an element, all layers together.
_COLOURS = """
const parsed = (text) => {
  const numbers = text.match(/[\\d.]+/g).map(Number);
  const scale = text.startsWith("color(") ? 255 : 1;
  return [...numbers.slice(0, 3).map((value) => scale * value), numbers[3] ?? 1];
};
const over = (top, below) =>
  [0, 1, 2].map((part) => top[3] * top[part] + (1 - top[3]) * below[part]);
const above = (element) => {
  const found = [];
  for (let each = element; each; each = each.parentElement) found.push(each);
  return found;
};
const behind = (element) => above(element).reverse().reduce(
  (ground, each) => over(parsed(getComputedStyle(each).backgroundColor), ground), [255, 255, 255]);
const light = (colour) => {
  const parts = colour.map((value) => value / 255)
    .map((value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05;
};
const contrast = (element) => {
  const ground = behind(element), style = getComputedStyle(element);
  const colour = parsed(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const opacity = above(element).reduce((all, each) => all * getComputedStyle(each).opacity, 1);
  const [text, paper] =
    [over([...colour.slice(0, 3), opacity * colour[3]], ground), ground].map(light);
  return Math.max(text, paper) / Math.min(text, paper);
};
"""
# Text in outputs, widgets and text cells; pictures in outputs; whatever is wider than its place.
_LOOK = """
async ([least, places]) => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  const faults = [], name = (element) => element.localName + [...element.classList].map(
    (each) => "." + each).join("");
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  for (const place of document.querySelectorAll(places)) {
    if (!seen(place)) continue;
    const written = new Set(place.querySelectorAll("input:not([type=file]), select"));
    const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (texts.currentNode.data.trim()) written.add(texts.currentNode.parentElement);
    }
    for (const element of written) {
      // Left out: what cannot be pressed; what only screen readers read; the colours of code, which
      // are JupyterLab's own.
      if (!seen(element) || element.closest(":disabled, [aria-disabled=true], style, script,"
        + " option, mjx-assistive-mml, .cm-editor, pre code")) continue;
      const found = contrast(element);
      if (!(found >= least)) {
        const says = (element.value ?? element.textContent).trim().slice(0, 60);
        faults.push(`contrast ${found.toFixed(2)}: ${name(element)}: ${says}`);
      }
    }
    for (const image of place.querySelectorAll("img")) {
      const pen = new OffscreenCanvas(64, 64).getContext("2d");
      await image.decode();
      pen.drawImage(image, 0, 0, 64, 64);
      const pixels = pen.getImageData(0, 0, 64, 64).data;
      if (pixels.some((value, at) => at % 4 === 3 && value < 255)) {
        faults.push(`no ground of its own: the picture ${image.alt.slice(0, 60)}`);
      }
    }
    for (const element of [place, ...place.querySelectorAll("*")]) {
      const { overflowX, textOverflow } = getComputedStyle(element);
      const cut = /auto|scroll/.test(overflowX) || textOverflow === "ellipsis";
      if ((element === place || cut) && element.scrollWidth > element.clientWidth + 1
          && element.clientWidth && seen(element)) {
        const more = element.scrollWidth - element.clientWidth;
        faults.push(`${more} px too wide: ${name(element)}: ` +
          element.textContent.trim().slice(0, 60));
      }
    }
  }
  return faults;
}
"""
PLACES = ".jp-OutputArea-output, .jp-RenderedMarkdown, .jp-InputArea-editor .cm-scroller"
"""Outputs and text cells, whose text has to be read, and code."""


def switch(page, theme: str) -> None:
    """Choose the theme "Light" or "Dark" in the menu, and wait until it is there."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text(f"JupyterLab {theme}", exact=True).click()
    page.wait_for_function(
        """isLight => {
             const { backgroundColor } = getComputedStyle(document.querySelector('.jp-Notebook'));
             return isLight === backgroundColor.match(/\\d+/g)[0] > 128;
           }""",
        arg=theme == "Light",
    )


def faults(page, places: str = PLACES) -> list[str]:
    """What cannot be read or is too wide, in the theme that the page has."""
    look = _LOOK.replace("=> {", "=> {" + _COLOURS, 1)
    return page.evaluate(look, [LEAST_CONTRAST, places])


def faults_of_both(page, places: str = PLACES) -> list[str]:
    """As :func:`faults`, in the light theme and then in the dark one, which the page keeps."""
    found = []
    for theme in ("Light", "Dark"):
        switch(page, theme)
        found += [f"{theme}: {each}" for each in faults(page, places)]
    return found
