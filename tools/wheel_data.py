"""A hatch build hook: a wheel carries the shipped data sets, an editable install finds them.

A hosted notebook installs the package without a checkout; there `course_utils.places.shipped()`
is `course_utils/_data`.
"""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Put everything in data/ into the wheel, the scripts that make it apart."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Name the files and their places; nothing for an editable install."""
        if version == "editable":
            return
        data = Path(self.root) / "data"
        for path in sorted(data.rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                inside = path.relative_to(data).as_posix()
                build_data["force_include"][str(path)] = f"course_utils/_data/{inside}"
