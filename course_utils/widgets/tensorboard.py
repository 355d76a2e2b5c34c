"""TensorBoard inside a notebook, for as long as the notebook's kernel lives.

The ``%tensorboard`` magic starts a second program, which needs to be found on the search path and
goes on running after the notebook is closed. Here it runs in a thread of the kernel.
"""

import html
import logging
import sys
from pathlib import Path
from types import ModuleType

from IPython.display import HTML

from course_utils import places


def show(folder: Path, height: int = 600) -> HTML | None:
    """Open TensorBoard on a folder of logs, below the cell.

    Parameters
    ----------
    folder : Path
        Holds event files, or folders with event files, one for each run to be compared.
    height : int
        Of the frame, in pixels.

    Returns
    -------
    IPython.display.HTML or None
        The frame, or a sentence where nothing answers; None in Colab, which shows its own.

    Raises
    ------
    ValueError
        If there are no event files.
    """
    folder = Path(folder)
    if not any(folder.rglob("events.out.tfevents.*")):
        raise ValueError(
            f"There are no TensorBoard logs in {places.shown(folder)}; expected a folder that a"
            " training run writes to; train first."
        )
    address = _serve(folder)
    if "google.colab" in sys.modules:
        # The browser is on another machine than the kernel; only Colab can connect the two.
        from google.colab import output

        port = int(address.rstrip("/").rpartition(":")[2])
        output.serve_kernel_port_as_iframe(port, height=height)
        return None
    title = html.escape(f"TensorBoard of {places.shown(folder)}")
    # The stored output outlives the server: an <object> then shows the text within it, where an
    # <iframe> would show a sad face.
    return HTML(
        f'<object data="{address}" type="text/html" title="{title}" width="100%"'
        f' height="{height}" style="border: 1px solid #999">TensorBoard is shown here once this'
        " cell is run, for as long as its kernel runs on this computer.</object>"
    )


def _serve(folder: Path) -> str:
    """Start the server on a free port of this machine; its address."""
    if "tensorflow" not in sys.modules:
        # A lesson in PyTorch: TensorBoard would load TensorFlow into its kernel otherwise.
        sys.modules["tensorboard.compat.notf"] = ModuleType("tensorboard.compat.notf")
    from tensorboard import program

    # It reports every request and every missing plugin.
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    board = program.TensorBoard()
    board.configure(logdir=str(folder), host="127.0.0.1", port=0, load_fast="false")
    return board.launch()
