"""A build folder of bitbake, set up by kas."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from tools.process.run import Done, run


@dataclass(frozen=True, slots=True)
class BuildFolder:
    """Where bitbake runs.

    Args:
        path: has conf/local.conf and conf/bblayers.conf.
        poky: the checkout of bitbake.
        prefix: what runs a command as an ordinary user.
        environment: all of it.
        logs: where the outputs are kept.
    """

    path: Path
    poky: Path
    prefix: tuple[str, ...]
    environment: dict[str, str]
    logs: Path

    def run(
        self,
        *arguments: str | Path,
        log: str,
        seconds: float = 3600,
        passed: dict[str, str] | None = None,
    ) -> Done:
        """Run a program of bitbake's.

        Args:
            log: name of the file in ``logs``.
            passed: further environment variables, which recipes may read.
        """
        more = passed or {}
        names = " ".join(["WHISPER_BACKEND_TARBALL", *more])
        command = shlex.join(map(str, arguments))
        script = shlex.join([".", str(self.poky / "oe-init-build-env"), str(self.path)])
        environment = self.environment | more | {"BB_ENV_PASSTHROUGH_ADDITIONS": names}
        return run(
            [*self.prefix, "bash", "-c", f"{script} >/dev/null && exec {command}"],
            self.logs / log,
            name=Path(arguments[0]).name,
            folder=self.path,
            environment=environment,
            seconds=seconds,
        )
