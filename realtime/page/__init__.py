"""`serve`: a browser page that sends a visitor's camera and shows the result. Needs the extra `serve` (aiohttp)."""
