"""Starts an AIMA worker; `aima worker` does the same."""

from aima.worker import main

if __name__ == "__main__":
    main()
