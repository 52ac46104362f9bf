"""The network: retries, deadlines, redirects, key safety, rate limiting."""
