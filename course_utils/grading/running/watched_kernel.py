"""nbval's kernel, with an eye on it: whether it lives, what it answers, and how long it takes."""

import time
from collections import deque
from queue import Empty
from typing import Any

import ipykernel.kernelspec
import nbval.kernel
import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from course_utils.grading.running.cell_outputs import Outputs

_LOOK = 0.2  # seconds between two looks whether the kernel lives
_GRACE = 3.0  # seconds that an interrupted cell has to stop
_AT_A_TIME = 200  # messages that are read before the clock is looked at


class KernelDied(RuntimeError):
    """The kernel's process has ended in the middle of a cell."""


class OwnKernel(KernelSpecManager):
    """Knows the installed kernels, and this environment's own, which starts behind the guard."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel's command; see the base class."""
        if kernel_name != nbval.kernel.CURRENT_ENV_KERNEL_NAME:
            return super().get_kernel_spec(kernel_name)
        spec = ipykernel.kernelspec.get_kernel_dict()
        module = "course_utils.grading.running.guarded_kernel"
        spec["argv"] = ipykernel.kernelspec.make_ipkernel_cmd(
            module,
            # Without the history's database the kernel starts sooner.
            extra_arguments=["--HistoryManager.enabled=False", f"--Session.packer={module}.packed"],
            python_arguments=["-P"],
        )
        return KernelSpec(**spec)


class WatchedKernel(nbval.kernel.RunningKernel):
    """A kernel that is noticed to be dead at once, and whose answers are kept.

    Attributes
    ----------
    outputs : Outputs
        What the present cell has put out.
    reply : str
        ``"ok"``, ``"error"`` or ``"aborted"``; empty until the cell is answered.
    interrupted : bool
        Whether the present cell ran out of time.
    idle : bool
        Whether the kernel has said that it is through with the present cell.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.outputs = Outputs()
        self._asked: str | None = None
        self._forget()
        super().__init__(*args, **kwargs)

    def _forget(self) -> None:
        self._waiting: deque[dict] = deque()
        self.reply, self.interrupted, self.idle, self._until = "", False, False, float("inf")

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell to the kernel; gives the message's id."""
        self._forget()
        self.outputs.begin()
        self._asked = super().execute_cell_input(cell_input, allow_stdin)
        return self._asked

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait until the kernel answers a message, and note how.

        Raises
        ------
        queue.Empty
            When the time is over.
        KernelDied
            When the kernel is.
        """
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        while time.monotonic() < until:
            lives = self.is_alive()  # before the last look for what it has said
            self._listen()
            if self.kc.shell_channel.msg_ready():
                message = self.kc.get_shell_msg(timeout=0)
                if message["parent_header"].get("msg_id") == msg_id:
                    self.reply = str(message["content"].get("status", ""))
                    return
            elif not lives:
                raise KernelDied("The kernel has ended.")
        raise Empty

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """The next message of a cell: nbval's way to the outputs."""
        if stream != "iopub" or self._asked is None:
            return super().get_message(stream, timeout)
        until = min(time.monotonic() + (float("inf") if timeout is None else timeout), self._until)
        while not self._waiting or time.monotonic() > self._until:
            if time.monotonic() > until:
                raise Empty
            lives = self.is_alive()
            self._listen()
            if not self._waiting and not lives:
                raise KernelDied("The kernel has ended.")
        return self._waiting.popleft()

    def interrupt(self) -> None:
        """Stop the cell; a kernel that does not do it soon is killed by nbval."""
        self.interrupted, self._until = True, time.monotonic() + _GRACE
        super().interrupt()

    def _listen(self) -> None:
        """Wait a moment for the kernel, and take in what it has put out meanwhile.

        It is taken in while the cell runs, because zmq drops what nobody takes for long.
        """
        poller = zmq.Poller()
        poller.register(self.kc.shell_channel.socket, zmq.POLLIN)
        poller.register(self.kc.iopub_channel.socket, zmq.POLLIN)
        poller.poll(1000 * _LOOK)
        for _ in range(_AT_A_TIME):
            if not self.kc.iopub_channel.msg_ready():
                return
            self._sort(self.kc.get_iopub_msg(timeout=0))

    def _sort(self, message: dict) -> None:
        """Keep what answers the present cell; say what else has arrived."""
        kind = message["header"]["msg_type"]
        if message["parent_header"].get("msg_id") != self._asked:
            if kind in ("stream", "display_data", "execute_result", "error"):
                self.outputs.note("An output of an earlier cell arrived and was left out.")
            return
        if kind == "status" and message["content"].get("execution_state") == "idle":
            self.idle = True
            self._waiting.append(message)
        elif self.outputs.take(message):
            self._waiting.append(message)
