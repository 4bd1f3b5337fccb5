"""Whether somebody called the assistant: :mod:`.engine` is what all engines share, the others are one each.

What is known of an engine without loading it stands in :mod:`rtap.config.wake_engines`.
"""

from rtap.stages.wakeword.engine import WakeWord, make_wake_word

__all__ = ["WakeWord", "make_wake_word"]
