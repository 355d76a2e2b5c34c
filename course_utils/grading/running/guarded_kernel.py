"""The kernel of a graded notebook: IPython's own, behind a guard where the sandbox asks for one.

Run as ``python -m course_utils.grading.running.guarded_kernel -f CONNECTION_FILE``.
"""

import json
import os
import sys
from typing import Any

from course_utils.grading.running import guard


def packed(message: Any) -> bytes:
    """What :class:`jupyter_client.session.Session` sends for a part of a message.

    Half of a surrogate pair, which no UTF-8 can hold, becomes a question mark. Jupyter's own packer
    raises an error there. In the thread that sends, that error leaves messages behind which nothing
    wakes the thread for again: a cell that prints one such character would silence the kernel.
    """
    from jupyter_client.jsonutil import json_clean, json_default
    from jupyter_client.session import json_packer

    try:
        return json_packer(message)
    except UnicodeEncodeError:
        text = json.dumps(
            json_clean(message), default=json_default, ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8", "replace")


def main() -> None:
    """Set the guard up, then become an IPython kernel."""
    # The debugger costs a third of the kernel's start and has nobody to talk to here.
    sys.modules["debugpy"] = None
    asked = os.environ.pop(guard.GUARD, "")
    if asked:
        guard.install(*json.loads(asked))
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
