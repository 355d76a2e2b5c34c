"""The kernel of a graded notebook: IPython's own, behind a guard where the sandbox asks for one.

Run as ``python -m course_utils.grading.running.guarded_kernel -f CONNECTION_FILE``.
"""

import json
import os
import sys

from course_utils.grading.running import guard


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
