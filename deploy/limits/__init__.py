"""What a client may take of the server before any code of a view runs: bytes, time, connections, requests.

Daphne reads headers and a whole body into a file before the application hears of the request, and waits for both as
long as somebody sends a byte now and then. So the bounds stand here, in the server's own protocol classes, and hold
for `make demo`, `serve` and production alike. Importing this package imports no reactor.
"""
