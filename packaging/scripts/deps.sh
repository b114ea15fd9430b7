#!/usr/bin/env bash
# Installs what building (build) or testing (test) Keytray needs, if missing.
# Debian and Ubuntu with apt-get; elsewhere the build, and Node.js and npm; on
# Windows it only looks.
set -euo pipefail

build_deb=(gcc libc6-dev pkg-config libgl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev
	libxi-dev libxxf86vm-dev libwayland-dev libxkbcommon-dev)
test_deb=(xvfb xdotool x11-utils xfce4-panel xfwm4 dbus dbus-x11 hicolor-icon-theme adwaita-icon-theme
	fonts-dejavu-core libgl1-mesa-dri imagemagick gnome-keyring libsecret-tools g++ nlohmann-json3-dev libstb-dev
	gcc-mingw-w64-x86-64-posix)
build_dnf=(gcc pkgconf-pkg-config mesa-libGL-devel libX11-devel libXcursor-devel libXrandr-devel
	libXinerama-devel libXi-devel libXxf86vm-devel wayland-devel libxkbcommon-devel)
build_pacman=(gcc pkgconf libgl libx11 libxcursor libxrandr libxinerama libxi libxxf86vm wayland libxkbcommon)

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
		echo "keytray: need root to install: $*" >&2
		exit 1
	fi
}

apt_missing() {
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
	done
}

what=${1:-build}
if ! command -v go >/dev/null; then
	echo "keytray: Go is missing; install Go 1.26 or newer from https://go.dev/dl" >&2
	exit 1
fi
if [ "$(go env GOOS)" = windows ]; then # first, since MSYS2 has a pacman
	command -v gcc >/dev/null || { echo "keytray: install gcc, in MSYS2: pacman -S mingw-w64-ucrt-x86_64-gcc" >&2; exit 1; }
elif command -v apt-get >/dev/null; then
	list=("${build_deb[@]}")
	if [ "$what" = test ]; then
		list+=("${test_deb[@]}")
		for p in nodejs npm; do # or another package that brings the same program
			command -v "${p%js}" >/dev/null || list+=("$p")
		done
	fi
	mapfile -t missing < <(apt_missing "${list[@]}")
	if [ ${#missing[@]} -gt 0 ]; then
		echo "installing: ${missing[*]}"
		export DEBIAN_FRONTEND=noninteractive
		as_root apt-get -o DPkg::Lock::Timeout=500 -qq update
		as_root apt-get -o DPkg::Lock::Timeout=500 -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
	fi
elif [ "$(uname)" = Darwin ]; then
	xcode-select -p >/dev/null 2>&1 || { echo "keytray: install Apple's command line tools: xcode-select --install" >&2; exit 1; }
	if [ "$what" = test ] && ! command -v npm >/dev/null && command -v brew >/dev/null; then brew install -q node; fi
elif command -v dnf >/dev/null; then
	list=("${build_dnf[@]}")
	if [ "$what" = test ] && ! command -v npm >/dev/null; then list+=(nodejs nodejs-npm); fi
	rpm -q "${list[@]}" >/dev/null 2>&1 || as_root dnf -q -y install "${list[@]}"
elif command -v pacman >/dev/null; then
	list=("${build_pacman[@]}")
	if [ "$what" = test ] && ! command -v npm >/dev/null; then list+=(nodejs npm); fi
	pacman -Q "${list[@]}" >/dev/null 2>&1 || as_root pacman -S --needed --noconfirm "${list[@]}"
else
	echo "keytray: unknown package manager; a C compiler and the OpenGL and X11 or Wayland headers are needed" >&2
fi
