"""The provider without a network: it answers like the gateway and draws a sketch."""
