"""The direct providers and servers of other kinds: scripted servers on the loopback, asked by the installed command."""
