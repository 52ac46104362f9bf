"""Commands about earlier runs."""
