"""The web server: Starlette routes requests, uvicorn listens. Nothing else imports them."""
