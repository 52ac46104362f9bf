"""The installed command against real servers of our own, over real sockets, into real files."""
