#!/usr/bin/env bash
# Makes a machine of the Vagrantfile what it is to be. May be run again at any time. In a box that has all packages (see
# scripts/make-box) nothing is fetched.
#   provision.sh router|inside|outside
set -Eeuo pipefail
trap 'echo "provision: line $LINENO failed: $BASH_COMMAND" >&2' ERR
export DEBIAN_FRONTEND=noninteractive

readonly MIN_NODE=20
# Where Debian's Node is too old: the current long-term release, checked against its list of hashes.
readonly NODE_DIST=${NODE_DIST:-https://nodejs.org/dist/latest-v22.x}
readonly CHECKS=/opt/fw3640-checks MAIL=/srv/mail DOMAIN=example.test

say() { echo "provision: $*"; }

packages() {
  local missing=() package
  for package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "installing ${missing[*]}"
  apt-get update -q
  apt-get install -qy --no-install-recommends "${missing[@]}" </dev/null
}

node_major() { node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

node_20() {
  [[ $(node_major) -ge $MIN_NODE ]] && return
  local offered
  offered=$(apt-cache policy nodejs | sed -n 's/^ *Candidate: \([0-9]*\)\..*/\1/p')
  if [[ ${offered:-0} -ge $MIN_NODE ]]; then
    packages nodejs npm
    return
  fi
  say "Debian offers Node ${offered:-none}; taking one from $NODE_DIST"
  packages curl ca-certificates xz-utils
  local folder archive
  folder=$(mktemp -d)
  curl -fsS --retry 3 -o "$folder/SHASUMS256.txt" "$NODE_DIST/SHASUMS256.txt"
  archive=$(sed -n 's/.*  \(node-v[0-9.]*-linux-x64\.tar\.xz\)$/\1/p' "$folder/SHASUMS256.txt")
  curl -fsS --retry 3 -o "$folder/$archive" "$NODE_DIST/$archive"
  (cd "$folder" && grep -F "  $archive" SHASUMS256.txt | sha256sum -c --quiet)
  tar -xJf "$folder/$archive" -C /usr/local --strip-components=1 --no-same-owner
  rm -rf "$folder"
  [[ $(node_major) -ge $MIN_NODE ]]
}

# The NICs beside the one that Vagrant talks through, in their order: nic 1, nic 2.
nic() {
  local management
  management=$(ip route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  ip -o link | sed -n 's/^[0-9]*: \([^:@]*\)[:@].*link\/ether.*/\1/p' | grep -vx "${management:-eth0}" | sed -n "$1p"
}

# A route that is there after a restart too. service NAME COMMAND...
at_boot() {
  printf '[Unit]\nAfter=network-online.target\nWants=network-online.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\n%s\n[Install]\nWantedBy=multi-user.target\n' \
    "$(printf 'ExecStart=%s\n' "${@:2}")" >"/etc/systemd/system/$1.service"
  systemctl daemon-reload
  systemctl enable --quiet "$1.service"
  systemctl restart "$1.service"
}

router() {
  node_20
  local outside inside
  outside=$(nic 1)
  inside=$(nic 2)
  [[ -n $outside && -n $inside ]] || { echo 'provision: the router needs two NICs beside the first' >&2; exit 1; }
  say "Ethernet2/0 is $outside, Ethernet2/1 is $inside"
  cd /vagrant
  scripts/install --interface "Ethernet2/0=$outside" --interface "Ethernet2/1=$inside" --config config/3640.cfg
}

outside() {
  packages swaks tcpdump iputils-ping iproute2
  node_20
  # The inside hosts are known by their inside global addresses, which are on this network. The route is for those who
  # try the inside local ones.
  at_boot fw3640-route '/bin/ip route replace 10.10.10.0/24 via 172.22.1.16'
  printf '#!/bin/sh\nexec node %s/run-checks.mjs "$@"\n' "$CHECKS" >/usr/local/bin/run-checks
  chmod 755 /usr/local/bin/run-checks
  say 'run-checks runs the checks'
}

inside() {
  echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections
  packages postfix tcpdump iputils-ping iproute2
  node_20
  local nic
  nic=$(nic 1)
  at_boot fw3640-route "/bin/ip address replace 10.10.10.5/24 dev $nic" \
    '/bin/ip route replace 172.22.1.0/24 via 10.10.10.1'
  mail_server
  agent inside --mailbox "$MAIL"
  agent inside2 --from 10.10.10.5
}

# Postfix takes mail for anybody at $DOMAIN, and keeps it as files.
mail_server() {
  id -u fwmail >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin fwmail
  install -d -o fwmail -m 755 "$MAIL"
  postconf -e inet_interfaces=all inet_protocols=ipv4 "myhostname=mail.$DOMAIN" mydestination= \
    'mynetworks=127.0.0.0/8' smtpd_peername_lookup=no disable_dns_lookups=yes \
    "virtual_mailbox_domains=$DOMAIN" "virtual_mailbox_base=${MAIL%/*}" "virtual_mailbox_maps=static:${MAIL##*/}/" \
    "virtual_uid_maps=static:$(id -u fwmail)" "virtual_gid_maps=static:$(id -g fwmail)" virtual_mailbox_limit=0 \
    message_size_limit=100000000 smtpd_relay_restrictions=reject_unauth_destination
  systemctl enable --quiet postfix
  systemctl restart postfix
  say "Postfix takes mail for $DOMAIN"
}

# agent NAME [OPTION]...: what run-checks on the machine outside has done in here
agent() {
  printf '[Unit]\nAfter=fw3640-route.service\n[Service]\nExecStart=%s %s\nRestart=always\n[Install]\nWantedBy=multi-user.target\n' \
    "$(command -v node)" "$CHECKS/inside.mjs $*" >"/etc/systemd/system/fw3640-check-$1.service"
  systemctl daemon-reload
  systemctl enable --quiet "fw3640-check-$1.service"
  systemctl restart "fw3640-check-$1.service"
}

# Vagrant's own way restarts the network.
name() {
  echo "$1" >/etc/hostname
  hostname "$1"
  grep -q "^127.0.1.1 .*$1" /etc/hosts || echo "127.0.1.1 $1" >>/etc/hosts
}

case ${1:-} in
  router | inside | outside)
    name "$1"
    "$1"
    ;;
  *)
    echo 'usage: provision.sh router|inside|outside' >&2
    exit 2
    ;;
esac
say "$1 is ready"
