"""The terminal: streams, messages, previews, and detection of what the terminal can show."""
