"""Preferring the sentences that are expected, such as a driver's commands: a bonus, never a cage.

The text that Whisper would write comes first, as ever. Only where it is no expected sentence, and an expected
one may be nearly as likely, those are searched on the same encoded audio; the likeliest takes the place of
the text if the text is hardly likelier. ``sentences`` says what is expected, ``token_graph`` has it as
tokens, ``trail`` sees while the text is decoded where a sentence would have gone another way, ``guide``
guesses which sentence that may be, ``reading`` has the decoder read the guesses, ``search`` finds the
likeliest where no guess was right, and ``choice`` decides. ``rivals`` then says how certain it is that a
command was said and not another one that sounds alike. ``known_tokens`` scores sentences.
"""
