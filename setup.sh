#!/usr/bin/env bash
# Installs the Debian packages that HiMix needs beside Rust: compilers for the allocator and the JPEG-LS decoder, the libraries of the window
# system, a Vulkan loader and a software Vulkan driver (a graphics card's own driver is used where there is one).
set -euo pipefail
packages=(build-essential cmake pkg-config libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1 libwayland-client0
  libvulkan1 mesa-vulkan-drivers zenity xvfb xdotool)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
