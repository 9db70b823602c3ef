"""Stories in a browser: Debian's Chromium, driven by Playwright from an environment of its own."""
