"""What enters and leaves the process: one package for each protocol, and what they share.

A protocol knows :mod:`.service`, which is all that it may ask of the program, :mod:`.schemas` for what
goes over the wire, and :mod:`.admission` for who may connect. Protocols do not know one another; OpenAI's
API alone builds on REST, whose uploads it shares. :mod:`.api` and :mod:`.publishers` put them together.
"""
