# shellcheck shell=bash
# What the virtual machines need on this host: Debian packages, installed where they are missing. Sourced.

say() { echo "${0##*/}: $*" >&2; }
die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# need PACKAGE...: installs those that are missing, without a question and without starting a service.
need() {
  local missing=() package
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  [[ $EUID -eq 0 ]] || die "missing: ${missing[*]} (run as root, or: apt-get install ${missing[*]})"
  command -v apt-get >/dev/null || die "no apt-get here, and missing: ${missing[*]}"
  say "installing ${missing[*]}"
  local policy=/usr/sbin/policy-rc.d log code=0 ours=no
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    ours=yes
  fi
  log=$(mktemp)
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null || code=$?
  [[ $ours == no ]] || rm -f "$policy"
  [[ $code -eq 0 ]] || tail -20 "$log" >&2
  rm -f "$log"
  [[ $code -eq 0 ]] || die "apt-get could not install ${missing[*]}"
}

# Boxes, disks and downloads: large, made again when they are gone.
cache_folder() { echo "${FW3640_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fw3640}"; }
