"""What runs on a developer's machine and not on the device. rtap imports none of it.

A link beside this file, ``tools/NAME``, starts ``tools/commands/NAME.py``; everything else is the
commands' library. :mod:`.root` says where the checkout is. Packages import in one direction: ``console``,
``process`` and ``setup`` know no other, ``commands`` is known by none.
"""
