"""The commands that README and CONTRIBUTING show exist."""

from __future__ import annotations

import re
import subprocess

import pytest

FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s;&|(`$])make((?:[ \t]+[^\s;&|)#`]+)*)", re.MULTILINE)


def targets(root) -> set[str]:
    """Return the targets, as make itself reads them."""
    text = subprocess.run(
        ["make", "--print-data-base", "--question", "--no-builtin-rules", "help"],
        cwd=root,
        capture_output=True,
        text=True,
    ).stdout
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    return set(phony.group(1).split())


def named(text: str) -> set[str]:
    """Return the targets that a text's code blocks and `code spans` name."""
    code = FENCED.findall(text) + re.findall(r"`(make [^`\n]+)`", FENCED.sub("", text))
    words = [word for block in code for match in COMMAND.findall(block) for word in match.split()]
    return {word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "INSTRUCTORS.md"])
def test_commands_in_the_guides_exist(root, name):
    path = root / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert named(text) <= targets(root)


def test_commands_are_found_in_text():
    block = "```bash\n$ make lab LAB_OPTIONS=x  # opens\nmake clean test\n```\n"
    text = f"Run `make lint`.\n{block}make do\n"
    assert named(text) == {"lint", "lab", "clean", "test"}


def test_every_target_has_its_line_of_help(root):
    shown = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+) +\S", shown, re.MULTILINE)) == targets(root)


@pytest.mark.parametrize("given", ["argument", "environment"])
def test_data_root_becomes_absolute(root, tmp_path, given):
    probe = tmp_path / "probe.mk"
    probe.write_text("include Makefile\nprobe:\n\t@printenv COURSE_DATA_ROOT\n")
    setting = "COURSE_DATA_ROOT=../my data"
    command = ["make", "-s", "-f", str(probe), "probe"]
    if given == "environment":
        command = ["env", setting, *command]
    else:
        command.append(setting)
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert shown == f"{root}/../my data\n"
