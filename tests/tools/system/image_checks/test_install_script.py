"""tools.system.image_checks.install_script: what the text of a do_install tells."""

from __future__ import annotations

import pytest

from tools.system.image_checks.install_script import installed_paths

ROOT = "/build/work/x/image"


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("install -m 0644 /w/asound.conf ROOT/etc", "/etc/asound.conf"),
        ("install -D -m 0644 /w/ours ROOT//etc/asound.conf", "/etc/asound.conf"),
        ("install -Dm0644 /w/a.conf ROOT/etc/asound.conf", "/etc/asound.conf"),
        ("install -m 0644 -t ROOT/etc /w/a /w/asound.conf", "/etc/asound.conf"),
        ("install --target-directory=ROOT/etc /w/asound.conf", "/etc/asound.conf"),
        ("install -m 0644 \\\n  /w/a.conf \\\n  ROOT/etc/asound.conf", "/etc/asound.conf"),
        ("install -m 0644 /w/*.conf ROOT/etc", "/etc/asound.conf"),
        ("if true; then cp -a /w/asound.conf ROOT/etc/; fi", "/etc/asound.conf"),
        ("cd /w && mv asound.conf $D/etc/", "/etc/asound.conf"),
        ("ln -sf ../run/asound.conf ROOT/etc/asound.conf", "/etc/asound.conf"),
        ("echo 'pcm \"x\"' > ROOT/etc/asound.conf", "/etc/asound.conf"),
        ("cat >>ROOT/etc/asound.conf <<E", "/etc/asound.conf"),
        ("LANG=C touch ROOT/etc/asound.conf", "/etc/asound.conf"),
        # It may not happen.
        (
            "install /w/asound.conf ROOT/etc\nif false; then\nrm ROOT/etc/asound.conf\nfi",
            "/etc/asound.conf",
        ),
        ("install /w/asound.conf ROOT/etc\nrm ROOT/etc/asound", "/etc/asound.conf"),
        ("echo it's; install /w/asound.conf ROOT/etc", "/etc/asound.conf"),
    ],
)
def test_what_is_installed(script: str, path: str) -> None:
    assert path in installed_paths(script.replace("ROOT", ROOT), ROOT, ["asound.conf", "a.state"])


@pytest.mark.parametrize(
    "script",
    [
        "",
        "install -d ROOT/etc/asound.conf",
        "install -m 0644 /w/asound.conf /elsewhere/etc",
        "# install /w/asound.conf ROOT/etc",
        "install /w/asound.conf ROOT/etc\nrm -f ROOT/etc/asound.conf",
        "install /w/asound.conf ROOT/etc\nrm ROOT/etc/*.conf",
        "install /w/asound.conf ROOT/etc\nrm -rf ROOT/etc",
        "install /w/asound.conf ROOT/etc\nmv ROOT/etc/asound.conf ROOT/usr/share/alsa/alsa.conf",
        "sed -i s/a/b/ ROOT/etc/asound.conf",
        "cp ROOT/etc/asound.conf",
    ],
)
def test_what_is_not_installed(script: str) -> None:
    paths = installed_paths(script.replace("ROOT", ROOT), ROOT, ["asound.conf"])
    assert "/etc/asound.conf" not in paths
