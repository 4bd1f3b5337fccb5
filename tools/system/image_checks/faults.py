"""What must not be built is not built: each deliberate fault fails, with a message that names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.system.image_checks.masked_build import MaskedBuild
from tools.system.image_checks.sample_container import NAME, write_sample
from tools.system.image_checks.sample_model import write_sample_model
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.layer import LAYER

FRAGMENTS: Final = LAYER / "recipes-kernel/linux/files"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a build has to refuse."""

    name: str
    target: str
    complaint: str
    """Part of the message that has to appear."""
    passed: dict[str, str] = field(default_factory=dict)
    task: str = "build"


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: a fault is built all the same, or refused for another reason."""
    build = MaskedBuild.prepare(workshop, release)
    folder = workshop.empty_folder("faults")
    faults = _faults(folder)
    for fault in faults:
        done = build.bitbake(
            *("-c", fault.task, fault.target),
            log=f"fault-{fault.name}.log",
            passed=fault.passed,
        )
        if done.status == 0:
            raise CheckFailed(f"{fault.name}: bitbake builds it all the same; see {done.log}")
        if fault.complaint not in done.text:
            raise CheckFailed(f"{fault.name}: bitbake fails for another reason; see {done.log}")
    _require_complete_kernel(build, folder)
    return f"{len(faults)} faults refused"


def _faults(folder: Path) -> list[Fault]:
    wrong = _sample(folder / "wrong")
    wrong.with_name(f"{NAME}.sha256").write_text("0" * 64 + f"  {NAME}\n")
    foreign = _sample(folder / "foreign", architecture="amd64")
    no_archive = _sample(folder / "no-archive")
    no_archive.write_bytes(b"not a tar")
    return [
        _tarball_fault("wrong-checksum", wrong, "has the SHA-256"),
        _tarball_fault("missing-container", folder / "nowhere.tar", "There is no"),
        _tarball_fault("container-for-amd64", foreign, "is for amd64"),
        _tarball_fault("no-container", no_archive, "has the SHA-256"),
        _model_fault("missing-model", folder / "no-model", "There is no model in"),
        _model_fault("damaged-model", _damaged_model(folder), "is missing or damaged"),
        _setting_fault("VOICE_ASSISTANT_DISPLAY", "touch-3", "rpi-config"),
        _setting_fault("VOICE_ASSISTANT_CMA_MB", "1000", "rpi-config"),
        _setting_fault("GPU_MEM", "256M", "rpi-config"),
        _setting_fault("VOICE_ASSISTANT_DISPLAY_ROTATION", "45", "qt6-voice-assistant"),
        _setting_fault("VOICE_ASSISTANT_DISPLAY_MODE", "4k", "qt6-voice-assistant"),
        Fault(
            name="display-without-driver",
            target="rpi-config",
            complaint="KERNEL_DEVICETREE has no overlays/vc4-kms-dsi-ili9881-7inch.dtbo",
            passed={"VOICE_ASSISTANT_DISPLAY": "touch-2-7inch", "KERNEL_DEVICETREE": ""},
        ),
        Fault(
            name="file-not-shipped",
            target="voice-assistant-tuning",
            complaint="installed-vs-shipped",
            passed={"CHECK_FAULT": "file-not-shipped"},
            task="package",
        ),
        Fault(
            name="kernel-option-not-taken",
            target="kernel-options-sample",
            complaint="CONFIG_VIRTIO_BLK=y, but it is n",
            passed=_kernel(folder, without="CONFIG_VIRTIO_BLK"),
            task="check_kernel_options",
        ),
    ]


def _setting_fault(variable: str, value: str, target: str) -> Fault:
    name = f"wrong-{variable.lower().replace('_', '-')}"
    return Fault(name, target, f"{variable} is '{value}': use ", passed={variable: value})


def _tarball_fault(name: str, tarball: Path, complaint: str) -> Fault:
    passed = {"WHISPER_BACKEND_TARBALL": str(tarball)}
    return Fault(name, "whisper-backend", complaint, passed, task="verify_tarball")


def _model_fault(name: str, model: Path, complaint: str) -> Fault:
    passed = {"WHISPER_MODEL": str(model)}
    return Fault(name, "whisper-model", complaint, passed, task="verify_model")


def _damaged_model(folder: Path) -> Path:
    model = write_sample_model(folder / "damaged")
    (model / "encoder.onnx.data").write_bytes(b"weighty\n")
    return model


def _sample(folder: Path, architecture: str = "arm64") -> Path:
    folder.mkdir()
    return write_sample(folder, architecture=architecture)


def _kernel(folder: Path, without: str) -> dict[str, str]:
    """What makes the sample kernel's configuration have all options but one."""
    wanted = "".join(file.read_text() for file in sorted(FRAGMENTS.glob("*.cfg")))
    lines = [line for line in wanted.splitlines() if not line.startswith(f"{without}=")]
    file = folder / f"config-without-{without}"
    file.write_text("\n".join([*lines, f"# {without} is not set", ""]))
    return {"CHECK_FAULT": "kernel-option-not-taken", "CHECK_KERNEL_CONFIG": str(file)}


def _require_complete_kernel(build: MaskedBuild, folder: Path) -> None:
    """Raises: CheckFailed: the check of kernel options refuses what is in order."""
    done = build.bitbake(
        *("-c", "check_kernel_options", "kernel-options-sample"),
        log="kernel-options-complete.log",
        passed=_kernel(folder, without="CONFIG_NOTHING"),
    )
    if done.status:
        raise CheckFailed(f"a complete kernel configuration is refused; see {done.log}")
