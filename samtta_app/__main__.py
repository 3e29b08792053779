"""`python -m samtta_app` is the same as `samtta`."""

from __future__ import annotations

from samtta_app.cli.entry import main

if __name__ == "__main__":
    main()
