#!/bin/sh
# Builds the launcher with the restore engine: one static program, linked at an address that no .NET process uses, for it
# replaces all memory above while it runs. No stack protector: its canary lies in the thread area, which changes on the way.
set -eu
here=$(dirname "$0")
prefix=/opt/dotnet-snapshot
mkdir -p "$prefix/bin" "$prefix/licenses"
gcc -O2 -Wall -Wextra -Werror -fno-stack-protector -static -no-pie -Wl,-Ttext-segment=0x10000000 -s \
  -o "$prefix/bin/launcher" "$here"/*.c "$here"/../launcher/*.c
# Parts of these are in the program.
for package in libc6-dev libxxhash-dev; do cp "/usr/share/doc/$package/copyright" "$prefix/licenses/$package"; done
