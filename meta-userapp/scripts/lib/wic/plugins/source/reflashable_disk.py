# SPDX-License-Identifier: MIT
"""Makes a disk that can be written over an older version of itself without touching the data partition."""

import os

from wic import WicError
from wic.misc import get_bitbake_var
from wic.pluginbase import SourcePlugin

_IDENTIFIER_OFFSET = 440  # in a master boot record
_SECTOR = 512


class ReflashableDisk(SourcePlugin):
    """Use it as `bootloader --source reflashable_disk`, with the data partition last and `--source empty`."""

    name = "reflashable_disk"

    @classmethod
    def do_install_disk(
        cls,
        disk,
        disk_name,
        creator,
        workdir,
        oe_builddir,
        bootimg_dir,
        kernel_dir,
        native_sysroot,
    ):
        """Finish the image."""
        data = disk.partitions[-1]
        if data.source != "empty":
            raise WicError("The last partition has to be that of the data, with --source empty")
        with open(disk.path, "r+b") as image:
            _set_identifier(image)
            _forget_content(image, data.start * _SECTOR)


def _set_identifier(image):
    # The root is found and the data partition mounted by PARTUUID. Both are made of the disk's identifier,
    # which wic draws at random.
    identifier = get_bitbake_var("VOICE_ASSISTANT_DISK_ID") or ""
    try:
        raw = int(identifier, 16).to_bytes(4, "little")
    except (ValueError, OverflowError) as error:
        raise WicError(
            f"VOICE_ASSISTANT_DISK_ID is '{identifier}': it has to be eight hexadecimal digits"
        ) from error
    image.seek(_IDENTIFIER_OFFSET)
    image.write(raw)


def _forget_content(image, start):
    # parted writes zeros to the end of the image when it makes the table. The .bmap would name those blocks,
    # and a reflash would write them into the middle of somebody's data. Cut off and made longer again, it is
    # a hole.
    size = image.seek(0, os.SEEK_END)
    image.truncate(start)
    image.truncate(size)
