"""A progress bar that leaves nothing behind: not in a log, not in a stored notebook."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import tqdm


@contextmanager
def bar(total: int | None, label: str, unit: str, wanted: bool = True) -> Iterator[tqdm.tqdm]:
    """Show how far something is while the block runs.

    Parameters
    ----------
    total : int or None
        How many units there are; None when that is not known.
    label : str
        Stands before the bar.
    unit : str
        ``"B"`` for bytes, which get a decimal prefix; any other word as it is.
    wanted : bool
        False shows nothing.

    Yields
    ------
    tqdm.tqdm
        Call ``update(n)`` on it. Neither a terminal nor a notebook: nothing is shown at all.
    """
    looks = {"total": total, "desc": label, "unit": unit, "unit_scale": unit == "B"}
    if wanted and _in_notebook():
        yield from _notebook_bar(looks)
    else:
        shown = wanted and sys.stderr is not None and sys.stderr.isatty()
        with tqdm.tqdm(**looks, leave=False, disable=not shown, file=sys.stderr) as running:
            yield running


def _in_notebook() -> bool:
    """Whether the output goes to a Jupyter front end."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _notebook_bar(looks: dict) -> Iterator[tqdm.tqdm]:
    """A tqdm widget, in an output that is emptied at the end.

    With ``leave=False`` alone tqdm closes its widget but leaves the output that showed it, and a
    stored notebook would keep a dead widget.
    """
    from IPython.display import display
    from tqdm.notebook import tqdm as notebook_tqdm

    # A refresh is several messages. Programs that run a notebook, nbval among them, read them only
    # when the cell has ended, and after some thousands the last ones, which say so, are lost.
    running = notebook_tqdm(**looks, leave=False, display=False, mininterval=0.5)
    handle = display(running.container, display_id=True)
    try:
        yield running
    finally:
        running.close()
        handle.update({}, raw=True)
