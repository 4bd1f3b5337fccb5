"""tools.system.image_checks.signatures: bitbake's list of signatures."""

from __future__ import annotations

from tools.system.image_checks.signatures import read_signatures

TEXT = """\
SIGGEN_LOCKEDSIGS_t-aarch64 = "\\
    zlib:do_compile:{a} \\
    zlib:do_install:{b} \\
    "
SIGGEN_LOCKEDSIGS_TYPES:qemuarm64 = "t-aarch64"
""".format(a="a" * 64, b="b" * 64)


def test_tasks_with_their_signatures() -> None:
    assert read_signatures(TEXT) == {"zlib:do_compile": "a" * 64, "zlib:do_install": "b" * 64}
