"""The wire: how requests are encoded and sent with httpx, directly or through proxies."""
