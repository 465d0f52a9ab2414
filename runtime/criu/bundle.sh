#!/bin/sh
# Copies criu with its loader and libraries under one prefix, so that it runs on any base image.
set -eu
prefix=/opt/dotnet-snapshot
minimum=4.2.1

version=$(criu --version | sed -n 's/^Version: //p')
if [ "$(printf '%s\n' "$minimum" "$version" | sort -V | head -n 1)" != "$minimum" ]; then
  echo "criu $version is older than $minimum" >&2
  exit 1
fi

criu=$(command -v criu)
mkdir -p "$prefix/bin" "$prefix/lib" "$prefix/companion" "$prefix/licenses"
ldd "$criu" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | xargs -I{} cp -L {} "$prefix/lib/"
loader=$(ldd "$criu" | sed -n 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')
cp -L "$loader" "$prefix/lib/"
cp "$criu" "$prefix/bin/criu"
# RPATH, not RUNPATH: it holds for the libraries' own libraries too.
patchelf --set-interpreter "$prefix/lib/$(basename "$loader")" --force-rpath --set-rpath "$prefix/lib" "$prefix/bin/criu"

# Each package's licence travels with its binary.
for file in "$criu" $(ldd "$criu" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'); do
  package=$(dpkg -S "$(realpath "$file")" | head -n 1 | cut -d: -f1)
  cp "/usr/share/doc/$package/copyright" "$prefix/licenses/$package"
done
echo "$version" > "$prefix/criu-version"
"$prefix/bin/criu" --version
