"""A kernel of this environment that runs cells one after the other: for trusted code only."""

import os
import queue
import shutil
import subprocess
import tempfile
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager


class CellError(RuntimeError):
    """A cell that should have run did not; one sentence says which and why."""


class Kernel:
    """Runs cells; used as a context.

    Parameters
    ----------
    name : str
        Of the notebook that the cells belong to, for messages.
    folder : path-like
        The kernel's working folder.

    Attributes
    ----------
    scratch : pathlib.Path
        A folder for its files, which goes with it.
    """

    def __init__(self, name: str, folder: str | os.PathLike[str]) -> None:
        self._name = name
        self._folder = Path(folder)
        self._manager: KernelManager | None = None
        self._client: BlockingKernelClient | None = None
        self.scratch = Path(tempfile.mkdtemp(prefix="kernel_"))

    def __enter__(self) -> "Kernel":
        environment = os.environ | {
            "COURSE_RUNS_ROOT": str(self.scratch / "runs"),
            "COURSE_SCALE": "mini",
            "MPLBACKEND": "agg",
        }
        environment.pop("COURSE_SETTINGS", None)
        self._manager = KernelManager(
            kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()
        )
        try:
            self._manager.start_kernel(
                env=environment,
                cwd=str(self._folder),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._client = self._manager.blocking_client()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        if self._client is not None:
            self._client.stop_channels()
        if self._manager is not None and self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._manager is not None and self._manager.is_alive()

    def run(self, cell: str, source: str, seconds: float) -> list[dict]:
        """Run one cell.

        Parameters
        ----------
        cell : str
            Its id, for messages.
        source : str
            What it holds.
        seconds : float
            How long it may take.

        Returns
        -------
        list of dict
            The MIME bundles that it gave, in their order.

        Raises
        ------
        CellError
            If it raises something, or takes longer.
        """
        outputs: list[dict] = []

        def take(message: dict) -> None:
            if message["msg_type"] in ("execute_result", "display_data"):
                outputs.append(message["content"]["data"])

        try:
            reply = self._client.execute_interactive(
                source, timeout=seconds, output_hook=take, allow_stdin=False
            )
        except (TimeoutError, queue.Empty) as error:
            raise CellError(
                f"The cell {cell} of {self._name} did not end within {seconds:g} s; mend the "
                "source notebook."
            ) from error
        content = reply["content"]
        if content["status"] != "ok":
            raise CellError(
                f"The cell {cell} of {self._name} failed with {content.get('ename')}: "
                f"{content.get('evalue')}; mend the source notebook."
            )
        return outputs
