"""Pictures through the browser: names, the staging area, archives, predictions, and the worker that makes events."""
