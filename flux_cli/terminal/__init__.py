"""The terminal: streams, messages, and what it can show."""
