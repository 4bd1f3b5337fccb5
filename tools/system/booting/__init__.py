"""An image in QEMU: its disk, its machine, its console and what is awaited of it."""
