"""The device's shell scripts, against stand-ins for docker, systemd and the clock."""

from __future__ import annotations

import contextlib
import ctypes.util
import errno
import hashlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.system.yocto.layer import LAYER

BACKEND = LAYER / "recipes-backend/whisper-backend/files"
DATA = LAYER / "recipes-support/voice-assistant-data/files"
AUDIO = LAYER / "recipes-support/voice-assistant-audio/files"
TUNING = LAYER / "recipes-support/voice-assistant-tuning/files"
SPLASH = LAYER / "recipes-core/psplash/files"
GUI = LAYER / "recipes-gui/qt6-voice-assistant/files"

SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
OURS = "sha256:" + "a" * 64
OLDER = "sha256:" + "b" * 64
DEADLINE_S = 20

DOCKER = r"""#!/bin/sh
cd "$FAKE" || exit 99
echo "$*" >>calls
case "$1 ${2:-}" in
"version "*) [ ! -e down ] ;;
"image inspect")
    case "$*" in
    *Config.User*) echo 10001:10001 ;;
    *) for id; do :; done; grep -x "$id" images ;;
    esac ;;
"image ls") cat images ;;
"image rm")
    for id; do :; done
    grep -v -x "$id" images >rest; mv rest images ;;
"image prune") ;;
"load "*)
    if [ -s load-fails ]; then sed -i 1d load-fails; exit 1; fi
    cat archive-id >>images ;;
"run "*)
    [ ! -e run-fails ] || exit 125
    echo $$ >client
    echo true >running
    exec /bin/sleep 600 ;;
"attach "*)
    echo $$ >client
    echo attached >>notifications
    exec /bin/sleep 600 ;;
"container inspect") [ ! -e down ] && cat running ;;
"stop "* | "rm "*)
    rm -f running
    [ ! -e client ] || kill "$(cat client)" 2>/dev/null
    rm -f client ;;
*) echo "unexpected: $*" >&2; exit 98 ;;
esac
"""
SYSTEMCTL = r"""#!/bin/sh
echo "systemctl $*" >>"$FAKE/calls"
case $1 in
is-failed) [ -e "$FAKE/docker-failed" ] ;;
start) rm -f "$FAKE/docker-failed" "$FAKE/down"; : >"$FAKE/images" ;;
esac
"""
# Time passes only in a sleep.
SLEEP = r"""#!/bin/sh
echo "sleep $1" >>"$FAKE/calls"
echo "$(($(cut -d . -f 1 "$FAKE/uptime") + $1)).00 0.00" >"$FAKE/uptime.new"
mv "$FAKE/uptime.new" "$FAKE/uptime"
"""


class Device:
    """A directory that stands for the device, with programs that write down how they were called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bin").mkdir()
        self.environment = {"PATH": f"{root / 'bin'}:{SYSTEM_PATH}", "FAKE": str(root)}

    def program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def write(self, name: str, text: str = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        path = self.root / name
        return path.read_text() if path.exists() else ""

    def calls(self) -> list[str]:
        return self.read("calls").splitlines()

    def called(self, start: str) -> bool:
        return any(call.startswith(start) for call in self.calls())

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(script), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


@pytest.fixture
def backend(device: Device) -> Device:
    """A device with docker, the container's archive, and nothing loaded."""
    device.program("docker", DOCKER)
    device.program("systemctl", SYSTEMCTL)
    device.program("sleep", SLEEP)
    device.program("sync", "#!/bin/sh\n")
    device.program("umount", '#!/bin/sh\necho "umount $*" >>"$FAKE/calls"\n')
    device.write("uptime", "100.00 0.00\n")
    device.write("meminfo", "MemTotal:        1900000 kB\nMemFree:          100000 kB\n")
    device.write("images")
    device.write("archive-id", OURS + "\n")
    archive = device.write("archive.tar", "layers")
    device.write("shipped/image-id", OURS + "\n")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    device.write("shipped/archive.sha256", checksum + "\n")
    device.write("store/layer", "of an older image")
    device.write(
        "mounts", f"overlay {device.root}/store/merged overlay rw 0 0\n/dev/x / ext4 ro 0 0\n"
    )
    for variable, name in {
        "WHISPER_ARCHIVE": "archive.tar",
        "WHISPER_SHIPPED": "shipped",
        "WHISPER_STATE": "state",
        "WHISPER_RUN": "run",
        "WHISPER_DOCKER_STORE": "store",
        "WHISPER_MOUNTS": "mounts",
        "WHISPER_UPTIME": "uptime",
        "WHISPER_MEMINFO": "meminfo",
        "WHISPER_CACHE": "cache",
        "WHISPER_MODELS": "models",
        "WHISPER_SOUND": "snd",
        "WHISPER_ASOUND": "asound.conf",
        "WHISPER_GROUPS": "group",
        "WHISPER_OS_RELEASE": "os-release",
    }.items():
        device.environment[variable] = str(device.root / name)
    (device.root / "run").mkdir()
    return device


class TestLoadImage:
    script = BACKEND / "load-image"

    def loaded(self, backend: Device) -> None:
        backend.write("images", OURS + "\n")
        backend.write("state/loaded-id", OURS + "\n")

    def test_first_boot_loads_and_the_second_does_not(self, backend: Device) -> None:
        assert backend.run(self.script).returncode == 0
        assert backend.called("load ")
        assert backend.read("state/loaded-id") == OURS + "\n"
        backend.write("calls")
        assert backend.run(self.script).returncode == 0
        assert not backend.called("load ")

    def test_an_image_that_was_not_flushed_before_a_power_cut_is_loaded_again(
        self, backend: Device
    ) -> None:
        backend.write("images", OURS + "\n")
        assert backend.run(self.script).returncode == 0
        assert backend.called("load ")

    def test_an_update_removes_the_older_image_after_loading(self, backend: Device) -> None:
        backend.write("images", OLDER + "\n")
        backend.write("state/loaded-id", OLDER + "\n")
        assert backend.run(self.script).returncode == 0
        calls = backend.calls()
        loading = next(i for i, call in enumerate(calls) if call.startswith("load "))
        assert calls.index(f"image rm --force {OLDER}") > loading
        assert backend.read("images") == OURS + "\n"
        assert backend.read("state/loaded-id") == OURS + "\n"

    def test_a_damaged_archive_says_so_and_touches_nothing(self, backend: Device) -> None:
        backend.write("archive.tar", "layerz")
        run = backend.run(self.script)
        assert run.returncode == 1
        assert "flash the card again" in run.stderr
        assert not backend.called("load ")
        assert backend.read("store/layer")

    def test_a_store_that_docker_does_not_start_with_is_made_anew(self, backend: Device) -> None:
        self.loaded(backend)
        backend.write("down")
        backend.write("docker-failed")
        assert backend.run(self.script).returncode == 0
        assert not (backend.root / "store/layer").exists()
        assert backend.called("systemctl stop docker.socket docker.service")
        assert backend.called(f"umount -l {backend.root}/store/merged")
        assert not backend.called("umount -l /\n")
        assert backend.read("images") == OURS + "\n"

    def test_docker_has_time_to_start(self, backend: Device) -> None:
        self.loaded(backend)
        backend.write("down")
        backend.program("sleep", '#!/bin/sh\nrm -f "$FAKE/down"\n')
        assert backend.run(self.script).returncode == 0
        assert (backend.root / "store/layer").exists()

    def test_a_load_that_fails_once_is_tried_again_with_more_room(self, backend: Device) -> None:
        backend.write("images", OLDER + "\n")
        backend.write("load-fails", "once\n")
        assert backend.run(self.script).returncode == 0
        assert f"image rm --force {OLDER}" in backend.calls()
        assert (backend.root / "store/layer").exists()

    def test_a_load_that_goes_on_failing_makes_the_store_anew(self, backend: Device) -> None:
        backend.write("load-fails", "once\ntwice\n")
        assert backend.run(self.script).returncode == 0
        assert not (backend.root / "store/layer").exists()
        assert backend.read("state/loaded-id") == OURS + "\n"

    @pytest.mark.parametrize(
        ("failures", "loads", "wipes"), [(2, False, False), (3, True, False), (6, True, True)]
    )
    def test_failed_starts_lead_to_a_new_image_and_then_a_new_store(
        self, backend: Device, failures: int, *, loads: bool, wipes: bool
    ) -> None:
        self.loaded(backend)
        backend.write("run/failures", f"{failures}\n")
        assert backend.run(self.script).returncode == 0
        assert backend.called("load ") == loads
        assert (backend.root / "store/layer").exists() != wipes


class Service:
    """run-container as systemd starts it: what it tells systemd comes through a pipe."""

    def __init__(self, device: Device) -> None:
        self.device = device
        pipe = device.root / "notifications"
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDWR)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            ["sh", str(BACKEND / "run-container")],
            env=self.device.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return self.process

    def hears(self, start: str) -> None:
        """Wait until a notification starts so."""
        heard = ""
        while not any(line.startswith(start) for line in heard.splitlines()):
            assert self._selector.select(DEADLINE_S), f"no {start} after {heard}"
            heard += os.read(self._pipe, 65536).decode()

    def end(self) -> tuple[int, str]:
        assert self.process
        output, _ = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, output

    def close(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
        self._selector.close()
        os.close(self._pipe)


@pytest.fixture
def service(backend: Device) -> Iterator[Service]:
    backend.program("systemd-notify", '#!/bin/sh\necho "$*" >>"$FAKE/notifications"\n')
    # Nothing answers before the container is there, which starts in the background.
    backend.program("wget", '#!/bin/sh\n[ -e "$FAKE/healthy" ] && grep -q "^run " "$FAKE/calls"\n')
    backend.program("nproc", "#!/bin/sh\necho 2\n")
    backend.program("chown", '#!/bin/sh\necho "chown $*" >>"$FAKE/calls"\n')
    running = Service(backend)
    yield running
    running.close()


def container_command(device: Device) -> str:
    return next(call for call in device.calls() if call.startswith("run "))


def published(command: str) -> list[str]:
    return [word for word in command.split() if word.count(":") == 2 and word[0].isdigit()]


def on(address: str) -> list[str]:
    return [f"{address}:{port}:{port}" for port in (8000, 5802, 6552, 6553, 8080, 10300)]


class TestRunContainer:
    def test_the_container_is_confined(self, backend: Device, service: Service) -> None:
        backend.write("healthy")
        backend.write("group", "root:x:0:\naudio:x:29:\n")
        (backend.root / "snd").mkdir()
        backend.write("asound.conf")
        backend.environment |= {"MODEL_NAME": "cabin-en", "RTAP_LOG_LEVEL": "", "WHISPER_CPUS": "3"}
        service.start()
        service.hears("--ready")
        command = container_command(backend)
        for option in (
            "--read-only",
            "--memory 1g --memory-swap 1g",
            "--cpus 2",
            "--pids-limit 256",
            "--cap-drop ALL",
            "--security-opt no-new-privileges",
            f"--volume {backend.root}/cache:/app/cache",
            "--group-add 29",
            "--device-cgroup-rule c 116:* rw",
            "--env MODEL_NAME",
        ):
            assert option in command
        assert published(command) == on("127.0.0.1")
        assert "RTAP_LOG_LEVEL" not in command
        assert "RTAP_SYSTEM_VERSION" not in command
        # Whichever card is there when it is opened; fixed here, one that comes later would not be found.
        assert "VOICE_ASSISTANT_MICROPHONE" not in command
        assert "--restart" not in command
        assert command.endswith(OURS)
        assert f"chown -R 10001:10001 {backend.root}/cache" in backend.calls()

    @pytest.mark.parametrize(
        ("board_kb", "setting", "limit"),
        [
            (932_864, "", "527m"),  # 1 GB without what the firmware and the kernel keep
            (932_864, "1g", "527m"),
            (932_864, "600000k", "527m"),
            (932_864, "512m", "512m"),
            (932_864, "400000000", "400000000"),
            (1_900_000, "1G", "1G"),
            (3_900_000, "", "1g"),
            (3_900_000, "3500M", "3424m"),
        ],
    )
    def test_a_small_board_leaves_memory_to_the_screen(
        self, backend: Device, service: Service, board_kb: int, setting: str, limit: str
    ) -> None:
        backend.write("healthy")
        backend.write("meminfo", f"MemTotal: {board_kb} kB\nMemFree: 1 kB\n")
        backend.environment["WHISPER_MEMORY"] = setting
        service.start()
        service.hears("--ready")
        assert f"--memory {limit} --memory-swap {limit} " in container_command(backend)

    @pytest.mark.parametrize(
        ("default", "setting", "chosen"),
        [
            ("whisper-base-int8\n", "", "whisper-base-int8"),
            ("whisper-base-int8\n", "cabin-en", "cabin-en"),
            (None, "", ""),
        ],
    )
    def test_models_of_the_system_are_mounted_and_their_default_is_chosen(
        self, backend: Device, service: Service, default: str | None, setting: str, chosen: str
    ) -> None:
        backend.write("healthy")
        backend.write("models/sample/manifest.json")
        if default is not None:
            backend.write("models/default", default)
        backend.environment["MODEL_NAME"] = setting
        # Docker gets the value through its own environment.
        run = '"run "*)\n'
        backend.program("docker", DOCKER.replace(run, f'{run}    echo "$MODEL_NAME" >model\n'))
        service.start()
        service.hears("--ready")
        command = container_command(backend)
        assert f"--volume {backend.root}/models:/app/models:ro" in command
        assert ("--env MODEL_NAME" in command) == bool(chosen)
        assert backend.read("model").strip() == chosen

    def test_a_system_without_models_mounts_none(self, backend: Device, service: Service) -> None:
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert "/app/models" not in container_command(backend)

    def test_a_loudspeaker_may_be_named(self, backend: Device, service: Service) -> None:
        backend.environment["VOICE_ASSISTANT_SPEAKER"] = "Headphones"
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert "--env VOICE_ASSISTANT_SPEAKER " in container_command(backend)

    def test_no_sound_card_is_no_reason_not_to_start(
        self, backend: Device, service: Service
    ) -> None:
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert "/dev/snd" not in container_command(backend)

    @pytest.mark.parametrize(
        ("address", "ports"),
        [
            ("127.0.0.1", on("127.0.0.1")),
            ("0.0.0.0", on("0.0.0.0")),
            # The screen and the watch over the service go on using localhost.
            ("192.168.7.20", on("127.0.0.1") + on("192.168.7.20")),
        ],
    )
    def test_an_address_opens_the_ports_to_others(
        self, backend: Device, service: Service, address: str, ports: list[str]
    ) -> None:
        backend.environment |= {"WHISPER_ADDRESS": address, "RTAP_API_KEY": "secret"}
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        command = container_command(backend)
        assert published(command) == ports
        # By name: others can read a program's arguments.
        assert "--env RTAP_API_KEY " in command
        assert "secret" not in command

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.04",
            "::",
            "localhost",
            "$(reboot)",
            "1.2.3.4\n5.6.7.8",
        ],
    )
    def test_an_address_that_is_none_is_refused_without_haste(
        self, backend: Device, service: Service, address: str
    ) -> None:
        backend.environment["WHISPER_ADDRESS"] = address
        service.start()
        status, output = service.end()
        assert status == 1
        assert output.startswith(f"WHISPER_ADDRESS is '{address}': set it in /data/config/")
        assert "sleep 60" in backend.calls()
        assert not backend.called("run ")
        # Else load-image would load the image again and at last wipe docker's store.
        assert backend.read("run/failures") == ""

    def test_the_service_learns_the_version_of_the_system(
        self, backend: Device, service: Service
    ) -> None:
        backend.write(
            "os-release",
            'NAME="Voice Assistant"\nIMAGE_VERSION="1.2.3"\nBUILD_ID="7"\nVARIANT_ID="release"\n',
        )
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert "--env RTAP_SYSTEM_VERSION=1.2.3 (7, release) " in container_command(backend)

    @pytest.mark.parametrize(
        "text", ['NAME="Debian"\n', 'IMAGE_VERSION="1.2\n', "IMAGE_VERSION=(\n"]
    )
    def test_a_system_without_a_version_is_no_reason_not_to_start(
        self, backend: Device, service: Service, text: str
    ) -> None:
        backend.write("os-release", text)
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert "RTAP_SYSTEM_VERSION" not in container_command(backend)

    def test_it_is_ready_when_health_says_so(self, backend: Device, service: Service) -> None:
        service.start()
        service.hears("WATCHDOG=1")
        backend.write("run/failures", "1\n")
        backend.write("healthy")
        service.hears("--ready")
        assert not (backend.root / "run/failures").exists()

    def test_a_container_that_ends_at_once_is_a_failed_start(
        self, backend: Device, service: Service
    ) -> None:
        backend.write("run-fails")
        service.start()
        status, output = service.end()
        assert status == 1
        assert "ended before it was healthy" in output
        assert backend.read("run/failures") == "1\n"

    def test_a_service_that_is_never_healthy_is_a_failed_start(
        self, backend: Device, service: Service
    ) -> None:
        backend.environment["WHISPER_START_TIMEOUT"] = "30"
        service.start()
        status, output = service.end()
        assert status == 1
        assert "isn't healthy after 30 s" in output
        assert backend.read("run/failures") == "1\n"
        assert not (backend.root / "running").exists()

    @pytest.mark.parametrize(("failures", "seconds"), [(1, 2), (3, 8), (5, 32), (20, 60)])
    def test_each_failed_start_makes_the_next_wait_longer(
        self, backend: Device, service: Service, failures: int, seconds: int
    ) -> None:
        backend.write("run/failures", f"{failures}\n")
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        assert f"sleep {seconds}" in backend.calls()

    def test_a_service_that_stays_unwell_is_ended(self, backend: Device, service: Service) -> None:
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        (backend.root / "healthy").unlink()
        status, output = service.end()
        assert status == 1
        assert "unwell for 60 s" in output
        assert not (backend.root / "running").exists()
        assert backend.read("run/failures") == ""

    def test_a_container_that_is_killed_ends_the_service(
        self, backend: Device, service: Service
    ) -> None:
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        (backend.root / "running").unlink()
        os.kill(int(backend.read("client")), signal.SIGKILL)
        status, output = service.end()
        assert status == 1
        assert "the container ended" in output

    def test_the_container_outlives_docker(self, backend: Device, service: Service) -> None:
        backend.write("healthy")
        service.start()
        service.hears("--ready")
        backend.write("down")
        os.kill(int(backend.read("client")), signal.SIGKILL)
        service.hears("WATCHDOG=1")
        (backend.root / "down").unlink()
        service.hears("attached")
        service.hears("WATCHDOG=1")
        assert service.process
        assert service.process.poll() is None

    def test_systemd_can_stop_it(self, backend: Device, service: Service) -> None:
        backend.write("healthy")
        process = service.start()
        service.hears("--ready")
        process.terminate()
        status, _ = service.end()
        assert status == 0
        assert backend.called("stop -t 5")


class TestPrepareData:
    """On a file in place of a partition, with the real tools of ext4."""

    script = DATA / "prepare-data"
    size_mib = 200

    @pytest.fixture
    def partition(self, device: Device) -> Path:
        if not shutil.which("mke2fs", path=SYSTEM_PATH):
            pytest.skip("needs e2fsprogs")
        path = device.root / "sda3"
        with path.open("wb") as file:
            file.truncate(self.size_mib * 2**20)
        entry = device.root / "sys/devices/sda/sda3"
        entry.mkdir(parents=True)
        (device.root / "sys/class").mkdir()
        (device.root / "sys/class/sda3").symlink_to(entry)
        device.environment["PREPARE_DATA_SYS"] = str(device.root / "sys/class")
        for name, number in {"partition": 3, "start": 8192, "size": self.sectors()}.items():
            (entry / name).write_text(f"{number}\n")
        self.disk_sectors(device, 8192 + self.sectors())
        device.environment["PREPARE_DATA_DEV"] = str(device.write("dev/sda", "").parent)
        for tool in ("sfdisk", "resizepart"):
            device.program(tool, f'#!/bin/sh\necho "{tool} $*" >>"$FAKE/calls"\n')
        device.program("partx", "#!/bin/sh\necho 81920\n")
        return path

    def sectors(self) -> int:
        return self.size_mib * 2048

    def disk_sectors(self, device: Device, disk: int, partition: int | None = None) -> None:
        """What blockdev says about the disk and the partition."""
        size = partition or self.sectors()
        device.program(
            "blockdev",
            f"#!/bin/sh\ncase $2 in */dev/sda) echo {disk} ;; *) echo {size} ;; esac\n",
        )

    def remember(self, device: Device, partition: Path) -> None:
        note = device.write("note", "volume=7")
        self.debugfs(partition, "-w", "-R", f"write {note} settings")

    def remembered(self, partition: Path) -> str:
        return self.debugfs(partition, "-R", "cat settings")

    def debugfs(self, partition: Path, *arguments: str) -> str:
        return subprocess.run(
            ["debugfs", *arguments, str(partition)],
            env={"PATH": SYSTEM_PATH},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_an_empty_partition_gets_a_file_system(self, device: Device, partition: Path) -> None:
        run = device.run(self.script, str(partition))
        assert run.returncode == 0, run.stderr
        self.remember(device, partition)
        assert self.remembered(partition) == "volume=7"
        assert not device.called("sfdisk")

    def test_a_later_boot_changes_nothing(self, device: Device, partition: Path) -> None:
        device.run(self.script, str(partition))
        self.remember(device, partition)
        run = device.run(self.script, str(partition))
        assert run.returncode == 0
        assert "clean" in run.stdout
        assert "making" not in run.stdout
        assert self.remembered(partition) == "volume=7"

    def test_it_grows_to_the_end_of_the_card(self, device: Device, partition: Path) -> None:
        self.disk_sectors(device, 8192 + 10 * self.sectors())
        assert device.run(self.script, str(partition)).returncode == 0
        disk = device.root / "dev/sda"
        assert any(f"-N 3 {disk}" in call for call in device.calls())
        assert device.called(f"resizepart {disk} 3 81920")

    def test_the_disk_is_locked_while_it_grows(self, device: Device, partition: Path) -> None:
        # Otherwise udev looks at it in between and takes the partition's name away.
        self.disk_sectors(device, 8192 + 10 * self.sectors())
        probe = (
            f'#!/bin/sh\nflock --nonblock {device.root}/dev/sda true && echo free >>"$FAKE/calls"\n'
        )
        for tool in ("sfdisk", "resizepart"):
            device.program(tool, probe)
        device.run(self.script, str(partition))
        assert not device.called("free")

    def test_a_larger_card_gets_a_larger_file_system(self, device: Device, partition: Path) -> None:
        device.run(self.script, str(partition))
        self.remember(device, partition)
        with partition.open("r+b") as file:
            file.truncate(2 * self.size_mib * 2**20)
        self.disk_sectors(device, 8192 + 2 * self.sectors(), 2 * self.sectors())
        assert device.run(self.script, str(partition)).returncode == 0
        assert self.remembered(partition) == "volume=7"
        assert f"Block count:              {2 * self.sectors() // 8}" in self.debugfs(
            partition, "-R", "show_super_stats -h"
        )

    def test_a_damaged_superblock_costs_no_data(self, device: Device, partition: Path) -> None:
        device.run(self.script, str(partition))
        self.remember(device, partition)
        with partition.open("r+b") as file:
            file.write(bytes(4096))
        assert device.run(self.script, str(partition)).returncode == 0
        assert self.remembered(partition) == "volume=7"

    def test_a_partition_that_did_not_grow_keeps_its_data(
        self, device: Device, partition: Path
    ) -> None:
        device.run(self.script, str(partition))
        self.remember(device, partition)
        device.program("sfdisk", "#!/bin/sh\nexit 1\n")
        self.disk_sectors(device, 8192 + 2 * self.sectors(), 64 * 2048)
        run = device.run(self.script, str(partition))
        assert run.returncode == 1
        assert "nothing is changed" in run.stderr
        assert self.remembered(partition) == "volume=7"


class TestDataPartition:
    script = DATA / "data-partition"
    DISKS = ("pci0/mmcblk0/mmcblk0p2", "pci0/mmcblk0/mmcblk0p3", "usb1/sda/sda2", "usb1/sda/sda3")

    @pytest.fixture
    def cards(self, device: Device) -> Device:
        """The root is on the second partition of a card; another card is in a USB reader."""
        numbers = ("179:2", "179:3", "8:2", "8:3")
        (device.root / "sys/dev/block").mkdir(parents=True)
        for number, name in zip(numbers, self.DISKS, strict=True):
            folder = device.root / "sys/devices" / name
            folder.mkdir(parents=True)
            (device.root / "sys/dev/block" / number).symlink_to(folder)
        device.write(
            "mountinfo",
            "1 1 0:2 / / rw - rootfs rootfs rw\n"
            "22 1 179:2 / / ro,relatime - ext4 /dev/root ro\n"
            "23 22 8:3 / /mnt rw - ext4 /dev/sda3 rw\n",
        )
        device.environment["DATA_PARTITION_SYS"] = str(device.root / "sys")
        device.environment["DATA_PARTITION_MOUNTS"] = str(device.root / "mountinfo")
        return device

    @pytest.mark.parametrize("name", DISKS)
    def test_is_on_the_disk_of_the_root(self, cards: Device, name: str) -> None:
        done = cards.run(self.script, f"/devices/{name}")
        assert (done.returncode == 0, done.stderr) == ("mmcblk0" in name, "")

    @pytest.mark.parametrize("name", DISKS)
    def test_follows_the_root_to_another_disk(self, cards: Device, name: str) -> None:
        cards.write("mountinfo", "22 1 8:2 / / ro,relatime - ext4 /dev/root ro\n")
        assert (cards.run(self.script, f"/devices/{name}").returncode == 0) == ("sda" in name)

    def test_a_root_on_no_disk_has_none(self, cards: Device) -> None:
        cards.write("mountinfo", "22 1 0:20 / / rw - overlay overlay rw\n")
        assert cards.run(self.script, f"/devices/{self.DISKS[1]}").returncode == 1


def test_the_rule_and_the_units_mean_the_same_partition() -> None:
    link = "voice-assistant/data"
    rule = (DATA / "voice-assistant-data.rules").read_text()
    assert f'SYMLINK+="{link}"' in rule
    assert "data-partition %p" in rule
    assert f"What=/dev/{link}\n" in (DATA / "data.mount").read_text()
    service = (DATA / "voice-assistant-data.service").read_text()
    assert f"prepare-data /dev/{link}\n" in service
    assert service.count(r"dev-voice\x2dassistant-data.device") == 2


class TestKeepState:
    script = DATA / "keep-state"
    first, second = "1" * 32, "2" * 32

    @pytest.fixture
    def system(self, device: Device) -> Device:
        device.program("mount", '#!/bin/sh\necho "mount $*" >>"$FAKE/calls"\n')
        device.program("sync", "#!/bin/sh\n")
        device.write("layout", f"# a comment\n{device.root}/var/lib/alsa\n")
        device.environment |= {
            "KEEP_STATE_LAYOUT": str(device.root / "layout"),
            "KEEP_STATE": str(device.root / "state"),
            "KEEP_STATE_MACHINE_ID": str(device.write("machine-id", self.first + "\n")),
        }
        return device

    def test_the_first_identity_stays(self, system: Device) -> None:
        assert system.run(self.script).returncode == 0
        assert system.read("state/machine-id") == self.first + "\n"
        system.write("machine-id", self.second + "\n")
        assert system.run(self.script).returncode == 0
        assert system.read("state/machine-id") == self.first + "\n"
        place = system.root / "machine-id"
        assert f"mount --bind -o ro {system.root}/state/machine-id {place}" in system.calls()

    def test_a_damaged_identity_is_replaced(self, system: Device) -> None:
        system.write("state/machine-id", "\0\0\0")
        assert system.run(self.script).returncode == 0
        assert system.read("state/machine-id") == self.first + "\n"

    def test_directories_are_mounted_over_their_places(self, system: Device) -> None:
        assert system.run(self.script).returncode == 0
        place = f"{system.root}/var/lib/alsa"
        assert f"mount --bind {system.root}/state{place} {place}" in system.calls()


class Sound:
    """Sound cards that come and go, and what is linked as the microphone."""

    script = AUDIO / "choose-microphone"
    link = "dev/snd/voice-assistant-microphone"

    def __init__(self, device: Device) -> None:
        self._device = device
        device.program("systemctl", SYSTEMCTL)
        (device.root / "dev/snd").mkdir(parents=True)
        (device.root / "sound").mkdir()
        device.environment |= {
            "MICROPHONE_SOUND": str(device.root / "sound"),
            "MICROPHONE_DEVICES": str(device.root / "dev/snd"),
            "MICROPHONE_LOCK": str(device.root / "lock"),
        }

    def plug_in(self, number: int, name: str, *, where: str = "pci0", captures: bool = True) -> str:
        """Returns what is the microphone then."""
        place = f"devices/{where}/sound/card{number}"
        self._device.write(f"{place}/id", name + "\n")
        self._link(f"card{number}", place)
        pcm = f"pcmC{number}D0{'c' if captures else 'p'}"
        (self._device.root / place / pcm).mkdir()
        self._link(pcm, f"{place}/{pcm}")
        return self.chosen()

    def pull_out(self, number: int) -> str:
        for path in (self._device.root / "sound").glob(f"*[dC]{number}*"):
            path.unlink()
        return self.chosen()

    def chosen(self) -> str:
        done = self._device.run(self.script)
        assert (done.returncode, done.stderr) == (0, "")
        link = self._device.root / self.link
        return str(link.readlink()) if link.is_symlink() else ""

    def restarts(self) -> int:
        return len([call for call in self._device.calls() if "try-restart" in call])

    def _link(self, name: str, place: str) -> None:
        (self._device.root / "sound" / name).symlink_to(self._device.root / place)


class TestChooseMicrophone:
    USB = "pci0/usb1/1-1"

    @pytest.fixture
    def sound(self, device: Device) -> Sound:
        return Sound(device)

    def test_one_that_comes_after_start(self, sound: Sound) -> None:
        assert sound.chosen() == ""
        assert sound.plug_in(0, "vc4hdmi0", captures=False) == ""
        assert sound.plug_in(1, "Snowball", where=self.USB) == "controlC1"
        # Whoever had found none asks again by itself.
        assert sound.restarts() == 0

    def test_one_that_comes_back_with_another_number(self, sound: Sound) -> None:
        assert sound.plug_in(1, "Snowball", where=self.USB) == "controlC1"
        assert sound.pull_out(1) == ""
        assert sound.plug_in(2, "Snowball", where=self.USB) == "controlC2"
        assert sound.restarts() == 0

    def test_the_one_in_use_stays_when_an_equal_one_comes(self, sound: Sound) -> None:
        sound.plug_in(2, "Snowball", where=self.USB)
        assert sound.plug_in(0, "Device", where=self.USB) == "controlC2"
        assert sound.plug_in(1, "seeed") == "controlC2"
        assert sound.pull_out(2) == "controlC0"
        assert sound.pull_out(0) == "controlC1"
        assert sound.restarts() == 0

    def test_a_better_one_takes_over_and_the_programs_let_go_of_the_first(
        self, sound: Sound
    ) -> None:
        assert sound.plug_in(0, "Loopback") == "controlC0"
        assert sound.plug_in(1, "seeed") == "controlC1"
        assert sound.restarts() == 1
        assert sound.plug_in(2, "Device", where=self.USB) == "controlC2"
        assert sound.restarts() == 2
        for _ in range(3):
            assert sound.chosen() == "controlC2"
        assert sound.restarts() == 2

    def test_a_loudspeaker_on_usb_is_none(self, sound: Sound) -> None:
        sound.plug_in(0, "seeed")
        assert sound.plug_in(1, "Speaker", where=self.USB, captures=False) == "controlC0"

    def test_card_ten_is_not_card_one(self, sound: Sound) -> None:
        sound.plug_in(1, "vc4hdmi0", captures=False)
        assert sound.plug_in(10, "Device", where=self.USB) == "controlC10"

    def test_udev_calls_it(self) -> None:
        rule = (AUDIO / "voice-assistant-audio.rules").read_text()
        assert f"/usr/libexec/voice-assistant/{Sound.script.name}" in rule


_OPEN_TWICE = """\
import ctypes, os, sys
alsa = ctypes.CDLL("libasound.so.2")
def opened():
    pcm = ctypes.c_void_p()
    return -alsa.snd_pcm_open(ctypes.byref(pcm), b"default", 1, 0)
before = opened()
os.symlink("/dev/null", sys.argv[1])
print(before, opened())
"""


def test_alsa_looks_for_the_microphone_when_it_is_opened(tmp_path: Path) -> None:
    """In a program that began without one. The card is made up, so it can't be opened in the end."""
    if ctypes.util.find_library("asound") is None:
        pytest.skip("libasound2 is not installed: tools/setup/install_packages.sh alsa-utils")
    link = tmp_path / "microphone"
    text = (AUDIO / "asound.conf").read_text()
    ours = tmp_path / "asound.conf"
    ours.write_text(text.replace("/dev/snd/voice-assistant-microphone", str(link)))
    both = tmp_path / "alsa.conf"
    both.write_text(f"</usr/share/alsa/alsa.conf>\n<{ours}>\n")
    done = subprocess.run(
        [sys.executable, "-c", _OPEN_TWICE, str(link)],
        env={"ALSA_CONFIG_PATH": str(both)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stdout.split() == [str(errno.ENOENT), str(errno.ENOTTY)]


class TestStartScreen:
    script = GUI / "start-screen"

    @pytest.fixture
    def screen(self, device: Device) -> Device:
        device.program("gui", '#!/bin/sh\nenv | grep ^QT_ | sort\necho "$@"\n')
        device.program("sleep", SLEEP)
        device.write("uptime", "1.0 0\n")
        (device.root / "drm").mkdir()
        device.environment |= {
            "START_SCREEN_PROGRAM": str(device.root / "bin/gui"),
            "START_SCREEN_DRM": str(device.root / "drm"),
            "START_SCREEN_FRAME_BUFFER": str(device.write("fb0")),
            "XDG_RUNTIME_DIR": str(device.root),
        }
        return device

    def test_eglfs_uses_the_card_that_has_connectors(self, screen: Device) -> None:
        for name in ("card0", "card1", "card1-HDMI-A-1", "renderD128"):
            (screen.root / "drm" / name).mkdir()
        run = screen.run(self.script)
        assert run.returncode == 0, run.stderr
        assert "QT_QPA_PLATFORM=eglfs" in run.stdout
        assert json.loads(screen.read("kms.json")) == {
            "device": "/dev/dri/card1",
            "hwcursor": False,
        }
        assert run.stdout.endswith("--fullscreen --rotation auto\n")

    @staticmethod
    def connect(screen: Device, name: str, *modes: str, status: str = "connected") -> None:
        """A connector as the kernel shows it: the preferred mode first."""
        screen.write(f"drm/{name}/status", status + "\n")
        screen.write(f"drm/{name}/modes", "".join(f"{mode}\n" for mode in modes))

    @staticmethod
    def chosen(screen: Device) -> dict[str, str]:
        outputs = json.loads(screen.read("kms.json")).get("outputs", [])
        return {output["name"]: output["mode"] for output in outputs}

    @pytest.mark.parametrize(
        ("modes", "mode"),
        [
            (("3840x2160", "1920x1200", "1920x1080", "1920x1080i", "1280x720"), "1920x1080"),
            (("3840x2400", "1920x1200", "1920x1080"), "1920x1200"),
            (("2560x1440", "1024x768", "1280x720i", "640x480"), "1024x768"),
            (("3440x1440", "3840x1080"), None),
            (("1920x1200", "1920x1080"), None),
            (("1920x1080i", "1280x720"), None),
            (("720x1280",), None),
            (("800x480", "3840x2160"), None),
            ((), None),
        ],
    )
    def test_a_large_screen_gets_a_mode_that_can_be_drawn(
        self, screen: Device, modes: tuple[str, ...], mode: str | None
    ) -> None:
        self.connect(screen, "card1-HDMI-A-2", *modes)
        self.connect(screen, "card1-HDMI-A-1", "3840x2160", "1920x1080", status="disconnected")
        run = screen.run(self.script)
        assert run.returncode == 0, run.stderr
        assert self.chosen(screen) == ({"HDMI2": mode} if mode else {})
        assert (f"HDMI-A-2: {mode} instead of {modes[0]}\n" if mode else "") == run.stderr

    def test_the_native_mode_lifts_the_limit(self, screen: Device) -> None:
        self.connect(screen, "card1-HDMI-A-1", "3840x2160", "1920x1080")
        screen.environment["VOICE_ASSISTANT_DISPLAY_MODE"] = "native"
        assert screen.run(self.script).stderr == ""
        assert self.chosen(screen) == {}

    def test_a_mode_is_set_on_the_screens_that_offer_it(self, screen: Device) -> None:
        self.connect(screen, "card1-DSI-1", "720x1280")
        self.connect(screen, "card1-HDMI-A-1", "1920x1080", "1280x720")
        screen.environment["VOICE_ASSISTANT_DISPLAY_MODE"] = "1280x720@50"
        assert screen.run(self.script).returncode == 0
        assert self.chosen(screen) == {"HDMI1": "1280x720@50"}

    def test_a_mode_that_no_screen_offers_is_told_and_left(self, screen: Device) -> None:
        self.connect(screen, "card1-HDMI-A-1", "3840x2160", "1920x1080")
        screen.environment["VOICE_ASSISTANT_DISPLAY_MODE"] = "1280x720"
        run = screen.run(self.script)
        assert run.returncode == 0
        assert "VOICE_ASSISTANT_DISPLAY_MODE is 1280x720, which no screen offers" in run.stderr
        assert self.chosen(screen) == {"HDMI1": "1920x1080"}

    def test_every_screen_is_limited_by_itself(self, screen: Device) -> None:
        self.connect(screen, "card1-DSI-1", "800x480")
        self.connect(screen, "card1-HDMI-A-1", "3840x2160", "1920x1080")
        self.connect(screen, "card1-HDMI-A-2", "2560x1440", "1280x720")
        screen.run(self.script)
        assert self.chosen(screen) == {"HDMI1": "1920x1080", "HDMI2": "1280x720"}

    @pytest.mark.parametrize("platform", ["eglfs", "linuxfb"])
    @pytest.mark.parametrize("rotation", ["0", "90", "180", "270", "auto"])
    def test_the_program_turns_the_picture(
        self, screen: Device, platform: str, rotation: str
    ) -> None:
        (screen.root / "drm/card1-DSI-1").mkdir()
        screen.environment["VOICE_ASSISTANT_PLATFORM"] = platform
        screen.environment["VOICE_ASSISTANT_DISPLAY_ROTATION"] = rotation
        run = screen.run(self.script)
        assert run.stdout.endswith(f"--fullscreen --rotation {rotation}\n")
        assert "ROTATION" not in run.stdout, "Qt would turn a part of it a second time"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ROTATION", "45"),
            ("ROTATION", "left"),
            ("ROTATION", "90 --help"),
            ("MODE", "4k"),
            ("MODE", "1920x"),
            ("MODE", "0x0"),
            ("MODE", '1x1" }'),
        ],
    )
    def test_a_wrong_value_is_told_and_costs_no_picture(
        self, screen: Device, name: str, value: str
    ) -> None:
        self.connect(screen, "card1-HDMI-A-1", "1920x1080")
        screen.environment[f"VOICE_ASSISTANT_DISPLAY_{name}"] = value
        run = screen.run(self.script)
        assert run.returncode == 0
        assert f"VOICE_ASSISTANT_DISPLAY_{name} is {value}: use auto, " in run.stderr
        assert run.stdout.endswith("--fullscreen --rotation auto\n")
        assert self.chosen(screen) == {}

    def test_without_a_graphics_card_it_says_what_to_do(self, screen: Device) -> None:
        run = screen.run(self.script)
        assert run.returncode == 1
        assert "set VOICE_ASSISTANT_PLATFORM to linuxfb" in run.stderr
        assert len([call for call in screen.calls() if call == "sleep 1"]) == 10

    def test_a_frame_buffer_that_comes_late_is_waited_for(self, screen: Device) -> None:
        (screen.root / "fb0").unlink()
        screen.program("sleep", f"{SLEEP}\n: >{screen.root}/fb0\n")
        screen.environment["VOICE_ASSISTANT_PLATFORM"] = "linuxfb"
        run = screen.run(self.script)
        assert run.returncode == 0, run.stderr
        assert "QT_QPA_PLATFORM=linuxfb\n" in run.stdout
        assert [call for call in screen.calls() if call == "sleep 1"] == ["sleep 1"]

    def test_without_a_frame_buffer_it_says_what_to_do(self, screen: Device) -> None:
        (screen.root / "fb0").unlink()
        screen.environment["VOICE_ASSISTANT_PLATFORM"] = "linuxfb"
        run = screen.run(self.script)
        assert run.returncode == 1
        assert "/fb0 after 10 s: set VOICE_ASSISTANT_PLATFORM to eglfs" in run.stderr

    @pytest.mark.parametrize(
        ("platform", "qt"),
        [
            ("linuxfb", "linuxfb"),
            ("offscreen", "offscreen"),
            ("vnc", "vnc:size=1280x720:port=5000"),
        ],
    )
    def test_other_platforms_are_drawn_by_the_processor(
        self, screen: Device, platform: str, qt: str
    ) -> None:
        screen.environment["VOICE_ASSISTANT_PLATFORM"] = platform
        run = screen.run(self.script)
        assert f"QT_QPA_PLATFORM={qt}\n" in run.stdout
        assert "QT_QUICK_BACKEND=software\n" in run.stdout

    def test_an_unknown_platform_is_named(self, screen: Device) -> None:
        screen.environment["VOICE_ASSISTANT_PLATFORM"] = "x11"
        run = screen.run(self.script)
        assert run.returncode == 2
        assert "VOICE_ASSISTANT_PLATFORM is x11" in run.stderr


@pytest.mark.parametrize(
    ("mode", "rotation", "angle"),
    [
        ("U:800x480p-60", "auto", "0"),
        ("U:720x1280p-0", "auto", "270"),
        ("U:720x1280p-0", "", "270"),
        ("U:720x1280p-0", "0", "0"),
        # Clockwise here, against the clock there.
        ("U:800x480p-60", "90", "270"),
        ("U:800x480p-60", "180", "180"),
        ("U:720x1280p-0", "270", "90"),
        ("", "auto", "0"),
        (None, "auto", "0"),
        ("U:720x1280p-0", "upside down", "270"),
    ],
)
def test_start_splash(device: Device, mode: str | None, rotation: str, angle: str) -> None:
    device.program("psplash", '#!/bin/sh\necho "$@"\n')
    if mode is not None:
        device.write("modes", f"{mode}\n" if mode else "")
    device.environment |= {
        "VOICE_ASSISTANT_DISPLAY_ROTATION": rotation,
        "START_SPLASH_MODES": str(device.root / "modes"),
        "START_SPLASH_PROGRAM": str(device.root / "bin/psplash"),
    }
    done = device.run(SPLASH / "start-splash")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"--angle {angle}\n")


def test_full_speed(device: Device) -> None:
    device.write("cpufreq/policy0/scaling_available_governors", "ondemand performance\n")
    device.write("cpufreq/policy0/scaling_governor", "ondemand\n")
    device.environment["FULL_SPEED_CPUFREQ"] = str(device.root / "cpufreq")
    assert device.run(TUNING / "full-speed").returncode == 0
    assert device.read("cpufreq/policy0/scaling_governor") == "performance\n"


def test_shellcheck_finds_nothing() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    scripts = [
        path
        for directory in (BACKEND, DATA, AUDIO, TUNING, GUI, SPLASH)
        for path in directory.iterdir()
        if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh")
    ]
    assert len(scripts) == 10
    run = subprocess.run(
        ["shellcheck", *map(str, scripts)], capture_output=True, text=True, check=False
    )
    assert run.stdout == ""
