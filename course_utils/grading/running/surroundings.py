"""What a command in a sandbox has around it: environment variables, and limits of the system."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.grading.running import bubblewrap

if TYPE_CHECKING:
    from course_utils.grading.running.sandbox import Limits

_MEGABYTE = 1 << 20


def rlimits(limits: "Limits") -> dict[str, int]:
    """Limits of each process, set by the system: they hold between two looks of the watch."""
    return {
        "RLIMIT_CPU": math.ceil(limits.seconds) * (os.cpu_count() or 1) + 1,
        "RLIMIT_FSIZE": limits.file_mb * _MEGABYTE,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 1024,
        # Not RLIMIT_AS: PyTorch maps gigabytes of libraries that it never touches. A quarter more
        # than what may be used, because stacks and arenas are counted before they are used.
        "RLIMIT_DATA": limits.memory_mb * _MEGABYTE * 5 // 4,
    }


_ONE_THREAD = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """All environment variables of a command; nothing comes from the grader's own but Windows'."""
    private = folder / bubblewrap.PRIVATE
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return (
        kept
        | dict.fromkeys(_ONE_THREAD, "1")
        | {
            "PATH": "/usr/local/bin:/usr/bin:/bin" if os.name == "posix" else os.environ["PATH"],
            "HOME": str(private / "home"),
            "USERPROFILE": str(private / "home"),
            "TMPDIR": str(private / "tmp"),
            "USER": "learner",
            "LOGNAME": "learner",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLBACKEND": "agg",
            "COURSE_SCALE": "mini",
            "COURSE_RUNS_ROOT": str(folder / "runs"),
            "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
    )
