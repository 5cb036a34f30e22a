#!/bin/sh
# Installs what `make test` needs, where it is missing: cargo-nextest and Debian's chromium.
set -eu
cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
if ! command -v chromium >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    else
        echo "chromium is missing: install it to run the browser test (Debian: apt-get install chromium)" >&2
        exit 1
    fi
fi
