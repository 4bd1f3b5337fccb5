"""Who may connect, and how much each may hold: keys, origins, rates, connections, bytes and seconds.

Every port is behind this, and its checks come before any body is read. What a client asks for after that
is not decided here.
"""
