"""From typed options to the calls that a provider gets. Nothing is sent here."""
