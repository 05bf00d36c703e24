#!/usr/bin/env python3
"""The command line of Second Look."""

from deploy.cli import main

if __name__ == "__main__":
    main()
