"""The version on the console: what the image writes into /etc/issue, as agetty shows it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tools.system.yocto.layer import LAYER

IMAGE = (LAYER / "recipes-core/images/voice-assistant-image.inc").read_text()


def issue(root: Path) -> str:
    """What the recipe's function writes; bitbake fills in its variables."""
    body = re.search(r"^voice_assistant_issue\(\) \{\n(.*?)^\}", IMAGE, re.DOTALL | re.MULTILINE)
    assert body
    script = body[1].replace("${IMAGE_ROOTFS}", str(root)).replace("${sysconfdir}", "/etc")
    assert "${" not in script
    (root / "etc").mkdir()
    # dash turns a backslash and a letter into something else where bash does not.
    subprocess.run(["sh", "-euc", script], check=True)
    return (root / "etc/issue").read_text()


def test_the_login_prompt_tells_version_build_and_variant(tmp_path: Path) -> None:
    text = issue(tmp_path)
    assert text == "Voice Assistant \\S{IMAGE_VERSION} (\\S{BUILD_ID}, \\S{VARIANT_ID}) \\n \\l\n\n"


def test_os_release_has_what_the_login_prompt_shows(tmp_path: Path) -> None:
    written = set(re.findall(r"^        \('(\w+)', ", IMAGE, re.MULTILINE))
    shown = set(re.findall(r"\\S\{(\w+)\}", issue(tmp_path)))
    assert shown == {"IMAGE_VERSION", "BUILD_ID", "VARIANT_ID"}
    assert shown <= written


def test_the_image_runs_it() -> None:
    commands = re.search(
        r'^ROOTFS_POSTPROCESS_COMMAND:append = "(.*?)"', IMAGE, re.DOTALL | re.MULTILINE
    )
    assert commands
    assert "voice_assistant_issue" in re.findall(r"\w+", commands[1])
