"""Direct providers and other servers, played on the loopback, used by the installed command."""
