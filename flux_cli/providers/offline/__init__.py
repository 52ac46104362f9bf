"""The offline provider: answers like the gateway, with a sketch."""
