"""Understanding: which command a text is, by a grammar of sentences in Home Assistant's template format.

:func:`rtap.intents.loader.load_grammar` reads and checks the grammar of one language,
:class:`rtap.intents.matcher.Matcher` finds the intent of a text, and :class:`rtap.intents.dialogue.Dialogue`
what becomes of the turns of one speaker. Nothing here reads a clock, and only the loading does I/O.
``grammars`` has what this project brings; it is package data, as the program and its sentences change
together.
"""
