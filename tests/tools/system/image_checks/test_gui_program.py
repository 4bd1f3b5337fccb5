"""tools.system.image_checks.gui_program: what a compiled GUI must not tell."""

from __future__ import annotations

from pathlib import Path

from tools.system.image_checks.gui_program import leaking_sources


def test_a_generated_source_with_the_builds_folder_is_found(tmp_path: Path) -> None:
    sources = {
        ".rcc/qrc_leaks.cpp": f"// {tmp_path}/gui/qml/A.qml",
        ".rcc/qrc_fine.cpp": "// qml/A.qml",
        "CMakeFiles/3.25/CompilerIdCXX/a.cpp": f"// {tmp_path}",
        "build.ninja": f"{tmp_path}",
    }
    for name, text in sources.items():
        file = tmp_path / "build" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert leaking_sources(tmp_path) == [".rcc/qrc_leaks.cpp"]
